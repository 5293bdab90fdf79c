using System.Text;
using LiT.Checkpoints.PyTorch;
using LiT.Data;
using LiT.Evaluation;
using LiT.Files;

namespace LiT.TestSets;

/// <summary>
/// CIFAR-10 and CIFAR-100 (Krizhevsky 2009) in the binary version, the Python version (pickles, read as data), or as
/// class folders. Pictures are 32 x 32.
/// </summary>
internal static class CifarBatches
{
    private const int Side = 32,
        Pixels = 3 * Side * Side;

    /// <param name="classes">10 or 100.</param>
    public static Func<string, SampleOptions, IEnumerable<TestPicture>> Test(int classes) =>
        (root, options) =>
        {
            var set = $"cifar{classes}";
            var ids = ShippedClasses.IdsOf(set);
            var binary =
                classes == 10
                    ? Layout.FileIn(root, "test_batch.bin", "cifar-10-batches-bin/test_batch.bin")
                    : Layout.FileIn(root, "test.bin", "cifar-100-binary/test.bin");
            if (binary is not null)
                return Binary(binary, ids);
            var pickle =
                classes == 10
                    ? Layout.FileIn(root, "test_batch", "cifar-10-batches-py/test_batch")
                    : Layout.FileIn(root, "test", "cifar-100-python/test");
            if (pickle is not null)
                return Pickled(pickle, ids);
            var folder = Layout.FolderIn(root, "test") ?? root;
            return Layout.ClassFolders(folder, options, name =>
                ids.FirstOrDefault(id => id == name || id.Replace('_', ' ') == name)
            );
        };

    private static IEnumerable<TestPicture> Binary(string path, IReadOnlyList<string> ids)
    {
        var head = ids.Count == 10 ? 1 : 2; // CIFAR-100: coarse label, fine label
        var row = head + Pixels;
        var length = Linked.Length(path);
        if (length % row != 0 || length > int.MaxValue)
            throw new LitException(
                path,
                $"{length:N0} bytes are no whole number of pictures of {row:N0}",
                "Download the file again"
            );
        var bytes = File.ReadAllBytes(path);
        for (var i = 0; i < bytes.Length / row; i++)
        {
            var at = i * row;
            yield return Picture(path, i, bytes[at + head - 1], ids, () =>
                PixelPicture.FromPlanes(Side, Side, bytes.AsSpan(at + head, Pixels))
            );
        }
    }

    private static IEnumerable<TestPicture> Pickled(string path, IReadOnlyList<string> ids)
    {
        var length = Linked.Length(path);
        using var file = File.OpenRead(path);
        var bytes = new PickleBytes(file, length, length, path);
        if (new Unpickler(bytes, new KnownCalls(bytes)).Read() is not PickledDict batch)
            throw new LitException(path, "not a batch of CIFAR", "Download the file again");
        object? Entry(string name) =>
            batch
                .Entries.LastOrDefault(entry =>
                    entry.Key is string text
                        ? text == name
                        : entry.Key is byte[] raw && Encoding.ASCII.GetString(raw) == name
                )
                .Value;
        var labels = PickledValues.AsItems(Entry(ids.Count == 10 ? "labels" : "fine_labels"));
        if (
            Entry("data")
                is not PickledNumpy
                {
                    Array: { Elements.Size: 1, FortranOrder: false, Shape: [var count, Pixels] } data
                }
            || labels is null
            || labels.Count != count
        )
            throw new LitException(
                path,
                $"no batch of CIFAR: it needs 'data' of N x {Pixels} bytes and N "
                    + $"'{(ids.Count == 10 ? "labels" : "fine_labels")}'",
                "Download the file again"
            );
        for (var i = 0; i < labels.Count; i++)
        {
            var at = i * Pixels;
            yield return Picture(path, i, labels[i] is long label ? label : -1, ids, () =>
                PixelPicture.FromPlanes(Side, Side, data.Bytes.AsSpan(at, Pixels))
            );
        }
    }

    private static TestPicture Picture(
        string path,
        int index,
        long label,
        IReadOnlyList<string> ids,
        Func<byte[]> bytes
    ) =>
        label >= 0 && label < ids.Count
            ? new($"test/{index:00000}", ids[(int)label], bytes)
            : throw new LitException(
                path,
                $"picture {index} has the label {label}, where classes go from 0 to {ids.Count - 1}",
                "Take the other CIFAR, or download the file again"
            );
}

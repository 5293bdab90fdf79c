using System.Buffers.Binary;
using System.Numerics;

namespace LiT.Checkpoints.PyTorch;

/// <summary>
/// What torch.save wrote before PyTorch 1.6: five pickles (a magic number, a version, the machine, the objects, the
/// keys of the storages), then for each key the number of elements and the elements.
/// </summary>
internal static class TorchLegacy
{
    // torch/serialization.py, MAGIC_NUMBER
    private static readonly BigInteger Magic = BigInteger.Parse("119547037146038801333356");
    private const long Version = 1001;

    // The magic number as it is pickled, whatever the protocol before it: a long of ten bytes.
    private static readonly byte[] Start = [0x8A, 0x0A, .. Magic.ToByteArray(), (byte)'.'];

    public static bool Begins(ReadOnlySpan<byte> first) =>
        first[0] == 0x80 && first[..Math.Min(first.Length, 32)].IndexOf(Start) >= 0;

    /// <summary>Takes over the file.</summary>
    public static PyTorchCheckpoint Open(CheckpointFile file)
    {
        var bytes = new PickleBytes(file.Range(0, file.Length), file.Length, file.Length, file.Path);
        var calls = new KnownCalls(bytes);
        var pickle = new Unpickler(bytes, calls);
        if (!Magic.Equals(pickle.Read()))
            throw bytes.Damaged("does not begin as torch.save begins");
        if (pickle.Read() is not Version)
            throw bytes.Damaged($"is not of version {Version}");
        var bigEndian =
            pickle.Read() is PickledDict machine
            && machine.Entries.Any(entry => PickledValues.AsText(entry.Key) == "little_endian" && entry.Value is false);
        var numbers = TensorNames.Of(pickle.Read(), bytes);
        var keys = pickle.Read() as List<object?> ?? throw bytes.Damaged("does not name its storages");
        return new(
            file,
            "PyTorch legacy",
            numbers,
            Storages(file, keys, calls.StorageSizes, bytes, bigEndian),
            calls.Foreign,
            bigEndian
        );
    }

    private static Dictionary<string, StoragePlace> Storages(
        CheckpointFile file,
        List<object?> keys,
        Dictionary<string, int> sizes,
        PickleBytes bytes,
        bool bigEndian
    )
    {
        var storages = new Dictionary<string, StoragePlace>();
        var at = bytes.Position;
        Span<byte> counted = stackalloc byte[8];
        foreach (var keyed in keys)
        {
            var key = PickledValues.AsText(keyed) ?? throw bytes.Damaged("has a storage without a key");
            bytes.Charge(150);
            file.Read(at, counted);
            var count = bigEndian
                ? BinaryPrimitives.ReadInt64BigEndian(counted)
                : BinaryPrimitives.ReadInt64LittleEndian(counted);
            if (!sizes.TryGetValue(key, out var size))
                throw bytes.Damaged($"names a storage {key} of no tensor, so that its size is unknown");
            if (count < 0 || count > file.Length / size || !file.Holds(at + 8, count * size))
                throw file.CutOff();
            storages[key] = new(at + 8, count * size, null);
            at += 8 + (count * size);
        }
        return storages;
    }
}

using System.Buffers.Binary;
using System.Text;

namespace LiT.Cli.Tests;

/// <summary>
/// A folder with a little of everything, made once: drawings, a store of them by a tower from scratch, a run tuned on
/// it, and embeddings made elsewhere whose answers can be worked out in the head.
/// </summary>
public sealed class Workbench : IDisposable
{
    public Workbench()
    {
        Environment.SetEnvironmentVariable("LIT_CACHE", Path.Combine(Folder, "cache")); // not what somebody downloaded
        foreach (var (split, count) in new[] { ("pairs", 120), ("test", 24), ("pretrain", 24) })
            Make($"data draw --split {split} --count {count} --out .");
        Make("embed --image-tower cifar-resnet:8 --data pairs.tar --out store");
        Make("tune --data store --out run --text-tower text:width=32,depth=1,heads=2 --steps 10 --batch 16");
        Make("embed --texts --text-tower run --data pairs.tar --out texts");
        Make("calibrate --model run --data store");
        Make("models convert run --out speaking");
        Make("models convert run --out listed");
        Make("language add --model listed --language de --text-tower run");
        Lines("machine.json", """{"gigaFlops": 300, "measured": ["gigaFlops"]}""");
        foreach (var store in new[] { "indexed", "unindexed" })
            Make($"embed --image-tower cifar-resnet:8 --data pairs.tar --out {store}");
        Make("index build indexed");
        Make("pretrain --data pretrain.tar --epochs 1 --batch 8 --width 8 --out trained");
        Make("data convert --data test.tar --out photos --to folder");
        Make("eval classification --model run --data test.tar --report report");
        // The quickstart draws what is not there yet, which would be thousands of pictures.
        foreach (var split in new[] { "pairs", "val", "test", "compositions" })
            Make($"data draw --split {split} --count 24 --out small/data");
        Make("models convert vit:mu/32 --out mu.safetensors");
        weights = new(File.ReadAllBytes(Path.Combine(Folder, "mu.safetensors")));
        Given();
        Lines("list.tsv", [.. Enumerable.Range(0, 10).Select(i => $"{pictures.Address}/{i}\tcaption {i}")]);
    }

    private readonly PictureServer pictures = new();
    private readonly BytesServer weights;

    /// <summary>Where everything is; the verbs run there.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("lit-approved-").FullName;

    /// <summary>A server that gives the same small tower under every name.</summary>
    public string Mirror => weights.Address;

    public void Dispose()
    {
        pictures.Dispose();
        weights.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private void Make(string command) => Here.Run(Folder, command.Split(' ')).Expect(0);

    /// <summary>
    /// Six pictures of three classes on three axes; the last is nearer to another class than to its own.
    /// </summary>
    private void Given()
    {
        float[][] pictures =
        [
            [1, 0, 0],
            [.8f, .6f, 0],
            [0, 1, 0],
            [0, .6f, .8f],
            [0, 0, 1],
            [.6f, 0, .8f],
        ];
        Rows("pictures.npy", pictures);
        Rows(
            "classes.npy",
            [
                [1, 0, 0],
                [0, 1, 0],
                [0, 0, 1],
            ]
        );
        Lines("labels.txt", "0", "0", "1", "1", "2", "0");
        Lines("classes.txt", "cat", "dog, hound", "horse");
        Rows("captions.npy", pictures);
        Lines("pairs.tsv", "0\t0", "1\t1", "2\t2", "3\t3", "4\t5", "5\t4");
        foreach (var store in new[] { "mine", "other" })
        {
            Directory.CreateDirectory(Path.Combine(Folder, store, "img_emb"));
            Rows(Path.Combine(store, "img_emb", "img_emb_0.npy"), pictures);
        }
    }

    /// <summary>Writes a text file of lines.</summary>
    public void Lines(string name, params string[] lines) =>
        File.WriteAllText(Path.Combine(Folder, name), string.Concat(lines.Select(line => line + "\n")));

    /// <summary>Writes rows as numpy does.</summary>
    public void Rows(string name, float[][] rows)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows.Length}, {rows[0].Length}), }}";
        header = header.PadRight(117) + "\n"; // so that the numbers begin at byte 128
        using var file = File.Create(Path.Combine(Folder, name));
        file.Write([0x93, .. "NUMPY"u8, 1, 0]);
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16LittleEndian(four, (ushort)header.Length);
        file.Write(four[..2]);
        file.Write(Encoding.ASCII.GetBytes(header));
        foreach (var value in rows.SelectMany(row => row))
        {
            BinaryPrimitives.WriteSingleLittleEndian(four, value);
            file.Write(four);
        }
    }
}

using System.Text;
using LiT.Data;
using LiT.Stores;
using Parquet.Serialization;

namespace LiT.Fuzz;

/// <summary>Captions in files of their own, and a small store of texts, made when they are first asked for.</summary>
internal static class TextSeeds
{
    private static readonly Lazy<string> Made = new(Make);

    /// <summary>A folder with a file of captions in each form, and the files of a store side by side; it goes with the
    /// process.</summary>
    public static string Folder => Made.Value;

    /// <summary>The store's files, as they lie beside each other here.</summary>
    public static IReadOnlyList<string> Store { get; } =
    ["store.json", "text_emb_0000.npy", "text_emb_0001.npy", "metadata_0000.parquet", "metadata_0001.parquet"];

    private static string Make()
    {
        var folder = Directory.CreateTempSubdirectory("lit-fuzz-texts-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        void Write(string name, string content) =>
            File.WriteAllBytes(Path.Combine(folder, name), Encoding.UTF8.GetBytes(content));

        Write("captions.tsv", "a\tone\nb\tzwei ünd\nb\tdrei\n\nc\t\n");
        Write("captions.csv", "key,text,language\na,one,de\n\"b\",\"two, \"\"three\"\"\",pt-BR\na,one,xx-not-a-code\n");
        Write(
            "captions.jsonl",
            "{\"key\": \"a\", \"text\": [\"one\", \"two\"]}\n{\"key\": \"b\", \"text\": \"x\", \"language\": \"de\"}\n"
        );
        using (var file = File.Create(Path.Combine(folder, "captions.parquet")))
            ParquetSerializer
                .SerializeAsync(
                    Enumerable.Range(0, 9).Select(i => new CaptionLine { key = $"k{i % 4}", text = $"t{i}" }),
                    file
                )
                .GetAwaiter()
                .GetResult();
        MakeStore(folder);
        return folder;
    }

    private static void MakeStore(string folder)
    {
        var store = Path.Combine(folder, "store");
        for (var shard = 0; shard < 2; shard++)
        {
            TextRow[] rows =
            [
                .. Enumerable.Range(0, 3).Select(i => new TextRow($"k{i}", $"text {i}", i > 1 ? "de" : null)),
            ];
            var numbers = new byte[3 * 4 * 2];
            for (var i = 0; i < 3; i++)
                RowNumbers.Store([0, 1, 0, 0], StoredType.Float16, numbers.AsSpan(i * 8, 8));
            TextShard.Write(store, shard, (StoredType.Float16, 4), rows, [1, 2, 3], numbers);
        }
        new TextStoreFile
        {
            Fingerprint = "f",
            Tower = "t",
            EmbeddingSize = 4,
            Source = "s",
            Complete = true,
            Pictures = 3,
            Segments = [(0, 3), (1, 3)],
        }.Write(store);
        foreach (var path in Directory.EnumerateFiles(store, "*", SearchOption.AllDirectories))
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
        Directory.Delete(store, recursive: true);
    }

    /// <summary>Reads a store whose files lie beside each other.</summary>
    public static void ReadStore(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        foreach (var name in Store.Where(name => name != "store.json"))
        {
            var part = Path.Combine(folder, name[..name.LastIndexOf('_')]);
            Directory.CreateDirectory(part);
            if (File.Exists(Path.Combine(folder, name)))
                File.Copy(Path.Combine(folder, name), Path.Combine(part, name), overwrite: true);
        }
        using var store = TextStore.Open(folder);
        var row = new float[store.EmbeddingSize];
        for (var i = 0L; i < store.Rows; i++)
        {
            store.Read(i, row, ownLength: i % 2 == 0);
            _ = store.Key(i).Length + store.Words(i).Length + (store.Language(i)?.Length ?? 0);
        }
    }

    /// <summary>Reads a file of captions, and asks for every key.</summary>
    public static void ReadCaptions(string path)
    {
        var given = GivenCaptions.Read(path);
        foreach (var key in given.Keys.ToList())
            if (given.Of(key).Count == 0)
                throw new InvalidDataException($"'{key}' has no caption.");
        _ = given.InWords("pictures").Count() + given.Languages.Count;
    }

#pragma warning disable IDE1006 // the members are named as the columns are
    internal sealed class CaptionLine
    {
        public string? key { get; set; }
        public string? text { get; set; }
        public string? language { get; set; }
    }
#pragma warning restore IDE1006
}

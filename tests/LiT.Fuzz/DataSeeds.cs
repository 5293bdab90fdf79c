using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using LiT.Classification;
using LiT.Data;
using LiT.Search;
using LiT.Stores;
using Parquet;
using Parquet.Serialization;

namespace LiT.Fuzz;

/// <summary>A small data set of every form, and a small store, made when they are first asked for.</summary>
internal static class DataSeeds
{
    private static readonly Lazy<string> Made = new(Make);

    /// <summary>A folder with one or more files of each form; it goes with the process.</summary>
    public static string Folder => Made.Value;

    private static string Make()
    {
        var folder = Directory.CreateTempSubdirectory("lit-fuzz-seeds-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        void Write(string name, byte[] content) => File.WriteAllBytes(Path.Combine(folder, name), content);

        foreach (var format in new[] { TarEntryFormat.Ustar, TarEntryFormat.Gnu, TarEntryFormat.Pax })
        {
            var tar = Tar(format);
            Write($"{format}.tar", tar);
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                gzip.Write(tar);
            Write($"{format}.tar.gz", packed.ToArray());
        }
        Write("a.jpg", [0xff, 0xd8, 1, 2]);
        Write(
            "header.csv",
            "file_name,text,label\na.jpg,\"one, \"\"two\"\"\nthree\",7\nb.jpg,two,8\na.jpg,four,7\n"u8.ToArray()
        );
        Write("bare.csv", "a.jpg;first\nb.jpg;second\n"u8.ToArray());
        Write("header.tsv", "image\tcaption\na.jpg\tfirst\nb.jpg\t\"second\"\nsub/c.jpg\tthird\n"u8.ToArray());
        Write(
            "metadata.jsonl",
            (
                "{\"file_name\": \"a.jpg\", \"text\": [\"one\", \"two\"], \"label\": 3}\n"u8
                + "{\"file_name\": \"b.jpg\", \"text\": \"x\", \"url\": null}\n"u8
            ).ToArray()
        );
        Write(
            "preprocessor_config.json",
            (
                "{\"image_mean\": [0.5, 0.4, 0.3], \"image_std\": [0.2, 0.3, 0.4], \"resample\": 3, "u8
                + "\"size\": {\"height\": 16, \"width\": 16}}\n"u8
            ).ToArray()
        );
        TaughtVectors
            .None(3)
            .With(new("our logo", 5, 40), [1, 2, 3])
            .With(new("a person", 50, 4000), [0, -1, 9])
            .Save(folder);
        Parquet(
            folder,
            "lists.parquet",
            Enumerable
                .Range(0, 9)
                .Select(i => new ListRow
                {
                    image = i == 4 ? null : new() { bytes = [1, 2, (byte)i], path = $"{i}.jpg" },
                    label = i,
                    caption = [$"one {i}", "two"],
                })
        );
        Parquet(
            folder,
            "flat.parquet",
            Enumerable
                .Range(0, 9)
                .Select(i => new FlatRow
                {
                    key = $"{i}",
                    jpg = i == 4 ? null : [1, 2, (byte)i],
                    caption = $"caption {i}",
                    similarity = 0.5f * i,
                })
        );
        foreach (
            var packing in new[]
            {
                CompressionMethod.Gzip,
                CompressionMethod.Zstd,
                CompressionMethod.Brotli,
                CompressionMethod.LZ4,
                CompressionMethod.Lz4Raw,
                CompressionMethod.None,
            }
        )
            Parquet(
                folder,
                $"{packing}.parquet",
                Enumerable
                    .Range(0, 40)
                    .Select(i => new FlatRow
                    {
                        key = $"{i}",
                        jpg = [1, 2, (byte)i],
                        caption = $"caption {i % 3}",
                        similarity = 0.5f * i,
                        width = 10 + i,
                    }),
                packing
            );
        MakeStore(folder);
        return folder;
    }

    private static byte[] Tar(TarEntryFormat format)
    {
        using var bytes = new MemoryStream();
        using (var tar = new TarWriter(bytes, format, leaveOpen: true))
        {
            void Add(string name, byte[] content)
            {
                TarEntry entry = format switch
                {
                    TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
                    TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
                    _ => new PaxTarEntry(TarEntryType.RegularFile, name),
                };
                entry.ModificationTime = DateTimeOffset.UnixEpoch;
                entry.DataStream = new MemoryStream(content);
                tar.WriteEntry(entry);
            }
            for (var i = 0; i < 3; i++)
            {
                var key = $"{string.Concat(Enumerable.Repeat("long/", format == TarEntryFormat.Ustar ? 1 : 30))}{i}";
                Add($"{key}.jpg", [0xff, 0xd8, (byte)i]);
                Add($"{key}.txt", Encoding.UTF8.GetBytes($"caption {i}\nünd"));
                Add($"{key}.json", Encoding.UTF8.GetBytes($"{{\"caption\": \"caption {i}\", \"width\": {i}}}"));
                Add($"{key}.cls", Encoding.UTF8.GetBytes($"{i}"));
            }
        }
        return bytes.ToArray();
    }

    private static void MakeStore(string folder)
    {
        var store = Path.Combine(folder, "store");
        using (
            var writer = EmbeddingStoreWriter.Open(
                store,
                new()
                {
                    Fingerprint = "f",
                    Tower = "t",
                    EmbeddingSize = 3,
                    Source = "s",
                }
            )
        )
            writer.Write(
                Enumerable
                    .Range(0, 5)
                    .Select(i =>
                        (
                            new Sample($"k{i}", $"o{i}") { Captions = [$"c{i}"], Label = "l" },
                            new EmbeddedPicture(1, 2, new byte[32]),
                            new float[] { i + 1, 2, 3 }
                        )
                    )
            );
        StoreIndex.Build(store);
        ListIndex.Build(store, null, new() { Lists = 2, Queries = 5 });
        foreach (
            var path in Directory
                .EnumerateFiles(store, "*", SearchOption.AllDirectories)
                .Where(path => new FileInfo(path).Length > 0)
        )
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
        Grow(store, folder);
    }

    /// <summary>The folder of a store that was changed.</summary>
    public static string Grown => Path.Combine(Folder, "store");

    private static void Grow(string store, string folder)
    {
        using (var open = EmbeddingStore.Open(store))
        {
            StoreChange change = new(open);
            change.Remove(1);
            change.Remove(4);
            change.Reword(2, new("moved", "elsewhere/moved") { Captions = ["one", "two"], Label = "other" });
            _ = change.Commit();
        }
        File.Copy(Path.Combine(store, "store.json"), Path.Combine(folder, "manifest.json"));
        foreach (var path in Directory.EnumerateFiles(Path.Combine(store, "changes")))
            File.Copy(path, Path.Combine(folder, Path.GetFileName(path)));
    }

    private static void Parquet<T>(
        string folder,
        string name,
        IEnumerable<T> rows,
        CompressionMethod packing = CompressionMethod.Snappy
    )
        where T : class, new()
    {
        using var file = File.Create(Path.Combine(folder, name));
        var options = new ParquetOptions { CompressionMethod = packing };
        options.ColumnEncodingHints["caption"] = EncodingHint.Dictionary;
        options.ColumnEncodingHints["width"] = EncodingHint.DeltaBinaryPacked;
        options.ColumnEncodingHints["similarity"] = EncodingHint.ByteSplitStream;
        ParquetSerializer.SerializeAsync(rows, file, options).GetAwaiter().GetResult();
    }

#pragma warning disable IDE1006 // the members are named as the columns are
    internal sealed class ImageCell
    {
        public byte[]? bytes { get; set; }
        public string? path { get; set; }
    }

    internal sealed class ListRow
    {
        public ImageCell? image { get; set; }
        public long? label { get; set; }
        public List<string>? caption { get; set; }
    }

    internal sealed class FlatRow
    {
        public string? key { get; set; }
        public byte[]? jpg { get; set; }
        public string? caption { get; set; }
        public float? similarity { get; set; }
        public int? width { get; set; }
    }
#pragma warning restore IDE1006
}

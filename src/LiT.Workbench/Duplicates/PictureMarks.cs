using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using LiT.Data;
using LiT.Files;
using LiT.Images;
using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>
/// Looks at every picture of a source once and keeps what duplicates are told by, in files of lines: a killed run goes
/// on after the last whole file, and parts of it may be done at once on several machines.
/// </summary>
internal static class PictureMarks
{
    private const int PerFile = 4096,
        AheadCount = 64;

    private const string Complete = "complete.json";

    private sealed record Whole(int? Files);

    /// <summary>One thing that a source found: a picture's marks, or why it has none.</summary>
    private sealed record Mark(string Key, string Origin, string? Sha256, string? Shape, string? Skipped, bool InPart);

    /// <summary>Looks at the pictures of one part of a source that were not looked at yet.</summary>
    /// <param name="source">Any form of data.</param>
    /// <param name="part">Of n parts, part i makes every n-th file of marks; several may work at once.</param>
    /// <param name="folder">Where the marks are kept.</param>
    /// <param name="withShapes">Whether pictures are decoded for their perceptual hash.</param>
    /// <param name="progress">Told of pictures.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    /// <returns>How many files other parts have still to make.</returns>
    /// <exception cref="LitException">The source cannot be read, or the folder holds another source's
    /// marks.</exception>
    public static int Make(
        SampleSource source,
        StorePart part,
        string folder,
        bool withShapes,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        Begin(source, folder, withShapes, onlyOne: part.IsWhole);
        var known = FilesIn(folder);
        if (known is null || Enumerable.Range(0, known.Value).Any(file => part.Holds(file) && !Has(folder, file)))
            AtomicFile.WriteAllText(
                Path.Combine(folder, Complete),
                JsonSerializer.Serialize(
                    new Whole(LookAtAll(source, part, folder, withShapes, progress, cancel)),
                    JsonSerializerOptions.Web
                )
            );
        return Enumerable.Range(0, FilesIn(folder)!.Value).Count(file => !Has(folder, file));
    }

    /// <summary>The pictures of a source.</summary>
    /// <param name="source">Any form of data; an embedding store gives its own hashes.</param>
    /// <param name="store">Embeddings of the same pictures, found by the hash of their bytes, or by key where the store
    /// knows no hashes; or null.</param>
    /// <param name="folder">Where the marks are kept.</param>
    /// <param name="withShapes">Whether pictures are decoded for their perceptual hash.</param>
    /// <param name="skip">Told of pictures that cannot be read.</param>
    /// <param name="progress">Told of pictures.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    /// <exception cref="LitException">The source cannot be read, or the folder holds another source's
    /// marks.</exception>
    public static PictureSet Of(
        SampleSource source,
        EmbeddingStore? store,
        string folder,
        bool withShapes,
        Action<Skipped> skip,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        if (IsOfStore(source, store))
            return PictureSet.Of(store!);
        var set = new PictureSet(source.Path, store);
        // a store from elsewhere
        var rowOfKey = store is { Rows: > 0 } && store.Sha256(0).Length == 0 ? RowsByKey(store) : null;
        Make(source, StorePart.Whole, folder, withShapes, progress, cancel);
        foreach (var mark in Enumerable.Range(0, FilesIn(folder)!.Value).SelectMany(file => Read(folder, file)))
        {
            if (mark.Skipped is not null)
                skip(new(mark.Key, mark.Origin, mark.Skipped) { InPart = mark.InPart });
            else
            {
                var bytes = Convert.FromHexString(mark.Sha256!);
                set.Add(
                    mark.Key,
                    mark.Origin,
                    PictureSet.HashOf(bytes),
                    mark.Shape is null
                        ? null
                        : ulong.Parse(mark.Shape, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
                    rowOfKey is not null ? rowOfKey.GetValueOrDefault(mark.Key, -1) : store?.RowOf(bytes) ?? -1
                );
            }
        }
        return set;
    }

    /// <summary>Whether there is nothing to look at, because a store has the hashes and no pictures are at
    /// hand.</summary>
    public static bool IsOfStore(SampleSource source, EmbeddingStore? store) =>
        store is not null && !source.HasPictures;

    private static Dictionary<string, long> RowsByKey(EmbeddingStore store)
    {
        var rows = new Dictionary<string, long>();
        for (var row = 0L; row < store.Rows; row += store.Views)
            rows.TryAdd(store.Key(row), row);
        return rows;
    }

    private static void Begin(SampleSource source, string folder, bool withShapes, bool onlyOne)
    {
        Directory.CreateDirectory(folder);
        if (onlyOne)
            AtomicFile.RemoveLeft(folder);
        var head = JsonSerializer.Serialize(new { source = source.Path, withShapes });
        var path = Path.Combine(folder, "source.json");
        if (File.Exists(path) && File.ReadAllText(path) != head)
            throw new LitException(
                folder,
                $"holds the marks of another source or run ({File.ReadAllText(path)})",
                "Choose another folder, or delete this one"
            );
        AtomicFile.WriteAllText(path, head);
    }

    /// <summary>Makes the part's files that are not there; returns how many files there are in all parts.</summary>
    private static int LookAtAll(
        SampleSource source,
        StorePart part,
        string folder,
        bool withShapes,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var name = $"looking at {Path.GetFileName(Path.TrimEndingDirectorySeparator(source.Path))}";
        var (all, looked) = (0L, 0L);
        IEnumerable<(int File, Found Found)> Own()
        {
            foreach (var found in source.ReadAll())
            {
                var file = (int)(all++ / PerFile);
                if (part.Holds(file) && !Has(folder, file))
                    yield return (file, found);
            }
        }
        List<Mark> fresh = new(PerFile);
        var now = -1;
        void Flush()
        {
            if (fresh.Count > 0)
                Write(folder, now, fresh);
            fresh.Clear();
        }
        foreach (
            var (file, mark) in Ahead.InOrder(Own(), one => (one.File, Look(one.Found, withShapes)), AheadCount, cancel)
        )
        {
            if (file != now)
                Flush();
            now = file;
            fresh.Add(mark);
            if (++looked % 32 == 0)
                progress?.Report(new(name, looked, part.IsWhole ? source.KnownCount : null, "pictures"));
        }
        Flush();
        return (int)((all + PerFile - 1) / PerFile);
    }

    private static Mark Look(Found found, bool withShapes)
    {
        if (found.Skipped is { } skipped)
            return new(skipped.Key, skipped.Origin, null, null, skipped.Reason, skipped.InPart);
        var sample = found.Sample!;
        Mark Lost(string reason) => new(sample.Key, sample.Origin, null, null, reason, false);
        if (sample.ReadImage is null)
            return Lost("no picture");
        try
        {
            var bytes = sample.ReadImage();
            ulong? shape = null;
            if (withShapes)
            {
                try
                {
                    shape = PerceptualHash.Of(Decoding.Decode(bytes, origin: sample.Origin));
                }
                catch (PictureException broken)
                {
                    return Lost(broken.Reason);
                }
            }
            return new(
                sample.Key,
                sample.Origin,
                Convert.ToHexStringLower(SHA256.HashData(bytes)),
                shape?.ToString("x16", CultureInfo.InvariantCulture),
                null,
                false
            );
        }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
        {
            return Lost(trouble.Message);
        }
    }

    /// <summary>How many files of marks the source makes; null as long as nobody has seen its end.</summary>
    private static int? FilesIn(string folder)
    {
        var path = Path.Combine(folder, Complete);
        try
        {
            return File.Exists(path)
                ? JsonSerializer.Deserialize<Whole>(File.ReadAllText(path), JsonSerializerOptions.Web)?.Files
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Has(string folder, int file) => File.Exists(Name(folder, file));

    private static IEnumerable<Mark> Read(string folder, int file) =>
        File.ReadLines(Name(folder, file))
            .Select(line => JsonSerializer.Deserialize<Mark>(line, JsonSerializerOptions.Web)!);

    private static string Name(string folder, int number) => Path.Combine(folder, $"marks_{number:0000}.jsonl");

    private static void Write(string folder, int number, List<Mark> marks) =>
        AtomicFile.Write(Name(folder, number), stream =>
        {
            foreach (var mark in marks)
            {
                stream.Write(JournalLines.Line(mark));
                stream.WriteByte((byte)'\n');
            }
        });
}

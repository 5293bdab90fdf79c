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
/// on after the last whole file.
/// </summary>
internal static class PictureMarks
{
    private const int PerFile = 4096,
        AheadCount = 64;

    /// <summary>One thing that a source found: a picture's marks, or why it has none.</summary>
    private sealed record Mark(string Key, string Origin, string? Sha256, string? Shape, string? Skipped, bool InPart);

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
        if (store is not null && !source.HasPictures)
            return PictureSet.Of(store);
        var set = new PictureSet(source.Path, store);
        // a store from elsewhere
        var rowOfKey = store is { Rows: > 0 } && store.Sha256(0).Length == 0 ? RowsByKey(store) : null;
        foreach (var mark in Marks(source, folder, withShapes, progress, cancel))
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

    private static Dictionary<string, long> RowsByKey(EmbeddingStore store)
    {
        var rows = new Dictionary<string, long>();
        for (var row = 0L; row < store.Rows; row += store.Views)
            rows.TryAdd(store.Key(row), row);
        return rows;
    }

    private static IEnumerable<Mark> Marks(
        SampleSource source,
        string folder,
        bool withShapes,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        Directory.CreateDirectory(folder);
        AtomicFile.RemoveLeft(folder);
        var done = Path.Combine(folder, "complete.json");
        var head = JsonSerializer.Serialize(new { source = source.Path, withShapes });
        var headPath = Path.Combine(folder, "source.json");
        if (File.Exists(headPath) && File.ReadAllText(headPath) != head)
            throw new LitException(
                folder,
                $"holds the marks of another source or run ({File.ReadAllText(headPath)})",
                "Choose another folder, or delete this one"
            );
        AtomicFile.WriteAllText(headPath, head);
        var files = 0;
        for (; File.Exists(Name(folder, files)); files++)
            foreach (var line in File.ReadLines(Name(folder, files)))
                yield return JsonSerializer.Deserialize<Mark>(line, JsonSerializerOptions.Web)!;
        if (File.Exists(done))
            yield break;
        var fresh = new List<Mark>(PerFile);
        var count = (long)files * PerFile;
        foreach (
            var mark in Ahead.InOrder(
                source.ReadAll().Skip((int)count),
                found => Look(found, withShapes),
                AheadCount,
                cancel
            )
        )
        {
            fresh.Add(mark);
            if (++count % 32 == 0)
                progress?.Report(
                    new(
                        $"looking at {Path.GetFileName(Path.TrimEndingDirectorySeparator(source.Path))}",
                        count,
                        source.KnownCount,
                        "pictures"
                    )
                );
            if (fresh.Count < PerFile)
                continue;
            Write(folder, files++, fresh);
            foreach (var one in fresh)
                yield return one;
            fresh.Clear();
        }
        if (fresh.Count > 0)
            Write(folder, files, fresh);
        AtomicFile.WriteAllText(done, "{}");
        foreach (var one in fresh)
            yield return one;
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

using System.Text.Json.Nodes;
using LiT.Data;
using LiT.Files;

namespace LiT.Curation;

/// <summary>
/// Writes a data set, a shard at a time, so that a kill at any moment loses no whole shard: opened again by the same
/// command it goes on after the last one, and the finished folder holds the same bytes as without the kill. Everything
/// that the source yields is given in its order, leaving out the first <see cref="Resumed"/>. Not safe for several
/// threads.
/// </summary>
internal sealed class DataSetWriter : IDisposable
{
    private const string RejectedName = "rejected.jsonl",
        NotesName = "notes.jsonl",
        MetadataName = "metadata.jsonl";

    /// <summary>A shard ends before it grows beyond this, whatever its number of samples.</summary>
    private const long ShardBytes = 1L << 30;
    private const long ParquetBytes = 128 << 20; // all of a shard is in memory

    private readonly string folder;
    private readonly SampleForm form;
    private readonly JsonObject made;
    private readonly int samplesPerShard;
    private readonly FolderLock folderLock;
    private readonly JournalLines[] lines = [];
    private readonly List<HuggingFaceRow> rows = [];
    private PendingTar? tar;
    private int shard,
        inShard;
    private long bytesInShard,
        written,
        rejected,
        noted;

    private DataSetWriter(string folder, SampleForm form, int samplesPerShard, DataSetFile file, FolderLock folderLock)
    {
        (this.folder, this.form, this.samplesPerShard, this.folderLock, made) = (
            folder,
            form,
            samplesPerShard,
            folderLock,
            file.Made
        );
        IsComplete = file.Complete;
        State = file.State;
        (written, rejected, noted) = file.Counts;
        Resumed = written + rejected + noted;
        shard = file.Shards;
        if (IsComplete)
            return;
        Clear();
        string[] names =
            form == SampleForm.Folder ? [RejectedName, NotesName, MetadataName] : [RejectedName, NotesName];
        lines =
        [
            .. names.Select(
                (name, i) => new JournalLines(Path.Combine(folder, name), file.Lengths.ElementAtOrDefault(i))
            ),
        ];
    }

    /// <summary>Whether there is nothing left to do.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>How many things of the source's order the folder already accounts for.</summary>
    public long Resumed { get; }

    /// <summary>What was kept at the last whole shard, for whoever writes; at the end it stays as the result.</summary>
    public JsonNode? State { get; private set; }

    public WrittenCounts Counts => new(written, rejected, noted);

    /// <summary>Begins in a new or empty folder, goes on with an unfinished one, or finds a finished one.</summary>
    /// <exception cref="LitException">The folder holds something else, or is being written to.</exception>
    public static DataSetWriter Open(string folder, SampleForm form, int samplesPerShard, JsonObject made)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samplesPerShard, 1);
        made["form"] = form.ToString();
        made["samplesPerShard"] = samplesPerShard;
        var file = Directory.Exists(folder) ? DataSetFile.Read(folder) : null;
        if (file is not null && !JsonNode.DeepEquals(file.Made, made))
            throw new LitException(
                folder,
                $"holds what another command made ({file.Made.ToJsonString()})",
                "Choose another folder, or delete this one"
            );
        if (
            file is null
            && Directory.Exists(folder)
            && Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.'))
        )
            throw new LitException(folder, "holds other files", "Choose a new or empty folder");
        var folderLock = FolderLock.Take(folder);
        try
        {
            if (file is null)
                (file = new(made, false, new(0, 0, 0), 0, [], null)).Write(folder);
            return new(folder, form, samplesPerShard, file, folderLock);
        }
        catch
        {
            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>Ends the shard if a picture of this many bytes would make it too large.</summary>
    /// <exception cref="LitException">The disk is full or the folder cannot be written; whole shards stay.</exception>
    public void MakeRoom(int bytes, Func<JsonNode?> state)
    {
        if (inShard > 0 && bytesInShard + bytes > (form == SampleForm.Parquet ? ParquetBytes : ShardBytes))
            Commit(state);
    }

    /// <summary>Adds a sample with its encoded picture; <see cref="MakeRoom"/> comes first.</summary>
    /// <exception cref="LitException">The disk is full or the folder cannot be written; whole shards stay.</exception>
    public void Append(Sample sample, byte[] image, Func<JsonNode?> state)
    {
        var name = $"{shard:00000}{inShard:00000}";
        switch (form)
        {
            case SampleForm.WebDataset:
                tar ??= new(Path.Combine(folder, $"{shard:00000}.tar"));
                tar.Add(name, sample, image);
                break;
            case SampleForm.Parquet:
                rows.Add(HuggingFaceRow.Of(sample, image, name));
                break;
            default:
                var file = $"{shard:00000}/{name}{SampleTar.Extension(image)}";
                WriteImage(Path.Combine(folder, file), image);
                var members = SampleTar.Members(sample);
                var line = new SortedDictionary<string, object>(members, StringComparer.Ordinal)
                {
                    ["file_name"] = file,
                };
                if (line.Remove("caption", out var captions))
                    line["text"] = captions;
                lines[2].Add(line);
                break;
        }
        written++;
        bytesInShard += image.Length;
        if (++inShard == samplesPerShard)
            Commit(state);
    }

    /// <summary>Notes a sample that is left out, as a line of rejected.jsonl.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public void Reject(object line)
    {
        lines[0].Add(line);
        rejected++;
    }

    /// <summary>
    /// Notes a sample that goes on without a part of it; such a thing of the source's order is counted, but is no
    /// sample.
    /// </summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public void Note(Skipped what)
    {
        lines[1]
            .Add(
                new
                {
                    what.Key,
                    what.Origin,
                    what.Reason,
                }
            );
        noted++;
    }

    /// <summary>Writes the last shard: everything of the source has been given.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public WrittenCounts Finish(Func<JsonNode?> state)
    {
        if (IsComplete)
            return Counts;
        Commit(state, complete: true);
        IsComplete = true;
        return Counts;
    }

    /// <summary>
    /// Lets go of the folder; what came after the last whole shard is given up unless it is finished.
    /// </summary>
    public void Dispose()
    {
        tar?.Abandon();
        foreach (var file in lines)
            file.Dispose();
        folderLock.Dispose();
    }

    private void Commit(Func<JsonNode?> state, bool complete = false)
    {
        if (inShard > 0)
        {
            if (form == SampleForm.WebDataset)
                tar!.Finish();
            if (form == SampleForm.Parquet)
                HuggingFaceRow.Write(Path.Combine(folder, $"{shard:00000}.parquet"), rows);
            tar = null;
            rows.Clear();
            (inShard, bytesInShard, shard) = (0, 0, shard + 1);
        }
        new DataSetFile(
            made,
            complete,
            Counts,
            shard,
            [.. lines.Select(file => file.Flushed())],
            State = state()
        ).Write(folder);
    }

    private static void WriteImage(string path, byte[] image)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, image);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            try
            {
                File.Delete(path);
            }
            catch (Exception more) when (more is IOException or UnauthorizedAccessException)
            {
                // The next run clears the shard away.
            }
            throw AtomicFile.Explained(path, trouble);
        }
    }

    /// <summary>Clears what a killed run left behind the last whole shard.</summary>
    private void Clear()
    {
        try
        {
            AtomicFile.RemoveLeft(folder);
            foreach (var path in Directory.EnumerateFileSystemEntries(folder))
                if (int.TryParse(Path.GetFileNameWithoutExtension(path), out var number) && number >= shard)
                {
                    if (Directory.Exists(path))
                        Directory.Delete(path, recursive: true);
                    else
                        File.Delete(path);
                }
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(folder, trouble);
        }
    }
}

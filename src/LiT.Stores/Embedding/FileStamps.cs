using System.Collections.Concurrent;
using System.Text;
using LiT.Files;
using LiT.Stores;

namespace LiT.Embedding;

/// <summary>
/// Hashes of files by their length and the time they were written, so that a folder of pictures is looked through
/// without reading them. Kept in a hidden file of the store; without it, or where it is damaged, files are read again.
/// Safe for use from several threads.
/// </summary>
internal sealed class FileStamps
{
    private const int Version = 1;

    // Two writes so close together may have one time.
    internal static readonly TimeSpan Settled = TimeSpan.FromSeconds(2);
    private readonly string path;
    private readonly ConcurrentDictionary<string, (FileStamp Stamp, byte[] Sha256)> known = new(StringComparer.Ordinal);
    private volatile bool changed;

    /// <param name="store">The store's folder.</param>
    public FileStamps(string store)
    {
        path = Path.Combine(store, ".stamps");
        try
        {
            Read(File.ReadAllBytes(path));
        }
        catch (Exception trouble)
            when (trouble is IOException or UnauthorizedAccessException or ArgumentException or FormatException)
        {
            known.Clear();
        }
    }

    /// <summary>A file's length and time; null where it cannot be told.</summary>
    public FileStamp? Of(string? file)
    {
        if (file is null)
            return null;
        try
        {
            var info = Linked.Info(file);
            return info.Exists ? new(info.Length, info.LastWriteTimeUtc.Ticks) : null;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The SHA-256 of a file that has not been written since it was noted; null for any other.</summary>
    public byte[]? Find(string? file) =>
        file is not null && known.TryGetValue(file, out var there) && there.Stamp == Of(file) ? there.Sha256 : null;

    /// <summary>Notes a file that was read.</summary>
    /// <param name="file">The file; null for none of its own.</param>
    /// <param name="before">Its stamp before it was read.</param>
    /// <param name="sha256">Its hash.</param>
    public void Note(string? file, FileStamp? before, byte[] sha256)
    {
        if (
            file is null
            || before is not { } stamp
            || TimeProvider.System.GetUtcNow().UtcTicks - stamp.Ticks < Settled.Ticks
            || stamp != Of(file)
        )
            return;
        known[file] = (stamp, sha256);
        changed = true;
    }

    /// <summary>Writes what is known, where anything new is.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public void Save()
    {
        if (!changed)
            return;
        changed = false;
        using MemoryStream bytes = new();
        using BinaryWriter writer = new(bytes, Encoding.UTF8);
        writer.Write(Version);
        foreach (var (file, (stamp, sha256)) in known)
        {
            if (Of(file) != stamp)
            {
                known.TryRemove(file, out _);
                continue;
            }
            writer.Write(file);
            writer.Write(stamp.Length);
            writer.Write(stamp.Ticks);
            writer.Write(sha256);
        }
        writer.Flush();
        writer.Write(Checksum.Of(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)));
        writer.Flush();
        AtomicFile.WriteAllBytes(path, bytes.ToArray());
    }

    private void Read(byte[] bytes)
    {
        if (bytes.Length < 12 || BitConverter.ToUInt64(bytes, bytes.Length - 8) != Checksum.Of(bytes.AsSpan(..^8)))
            return;
        using BinaryReader reader = new(new MemoryStream(bytes, 0, bytes.Length - 8), Encoding.UTF8);
        if (reader.ReadInt32() != Version)
            return;
        while (reader.BaseStream.Position < reader.BaseStream.Length)
            known[reader.ReadString()] = (new(reader.ReadInt64(), reader.ReadInt64()), reader.ReadBytes(32));
    }
}

/// <summary>What a file looks like from outside.</summary>
/// <param name="Length">Bytes.</param>
/// <param name="Ticks">When it was written, in UTC.</param>
internal readonly record struct FileStamp(long Length, long Ticks);

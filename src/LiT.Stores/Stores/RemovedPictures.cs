using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using LiT.Files;

namespace LiT.Stores;

/// <summary>
/// The tombstones of a store: a bit a picture for every file of rows of which some were removed. Immutable. On the
/// disk: a head of 32 bytes (what it is, version, files, a checksum of the rest), then for each file its number, its
/// pictures, and the bits.
/// </summary>
internal sealed class RemovedPictures
{
    private const int Version = 1,
        HeadSize = 32,
        VersionAt = 8,
        FilesAt = 12,
        ChecksumAt = 16;
    private readonly SortedDictionary<int, (int Pictures, ulong[] Bits)> files;

    private RemovedPictures(SortedDictionary<int, (int Pictures, ulong[] Bits)> files) => this.files = files;

    /// <summary>Nothing was removed.</summary>
    public static RemovedPictures None { get; } = new([]);

    /// <summary>How many.</summary>
    public long Count => files.Values.Sum(file => file.Bits.Sum(word => (long)BitOperations.PopCount(word)));

    /// <summary>The bits of a file's pictures; null where all of them are in the store.</summary>
    public ulong[]? Of(int segment) => files.TryGetValue(segment, out var file) ? file.Bits : null;

    /// <summary>Whether a picture was removed.</summary>
    public bool Holds(PicturePlace place) =>
        Of(place.Segment) is { } bits && (bits[place.Picture >> 6] >> (place.Picture & 63) & 1) != 0;

    /// <summary>These and others.</summary>
    /// <param name="places">What else was removed.</param>
    /// <param name="picturesOf">How many pictures a file has.</param>
    public RemovedPictures With(IEnumerable<PicturePlace> places, Func<int, int> picturesOf)
    {
        SortedDictionary<int, (int Pictures, ulong[] Bits)> all = new(files);
        HashSet<int> own = [];
        foreach (var (segment, picture) in places)
        {
            if (own.Add(segment))
                all[segment] = all.TryGetValue(segment, out var there)
                    ? (there.Pictures, [.. there.Bits])
                    : (picturesOf(segment), new ulong[(picturesOf(segment) + 63) / 64]);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(picture, all[segment].Pictures);
            all[segment].Bits[picture >> 6] |= 1UL << (picture & 63);
        }
        return new(all);
    }

    /// <summary>Those of the files that stay.</summary>
    public RemovedPictures Without(IReadOnlySet<int> segments) =>
        new(new(files.Where(file => !segments.Contains(file.Key)).ToDictionary()));

    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public void Write(string path)
    {
        using MemoryStream body = new();
        Span<byte> number = stackalloc byte[8];
        foreach (var (segment, (pictures, bits)) in files)
        {
            BinaryPrimitives.WriteInt32LittleEndian(number, segment);
            BinaryPrimitives.WriteInt32LittleEndian(number[4..], pictures);
            body.Write(number);
            body.Write(MemoryMarshal.AsBytes(bits.AsSpan()));
        }
        var head = new byte[HeadSize];
        "LiTgone\0"u8.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(VersionAt), Version);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(FilesAt), files.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(
            head.AsSpan(ChecksumAt),
            Checksum.Of(body.GetBuffer().AsSpan(0, (int)body.Length))
        );
        AtomicFile.WriteAllBytes(path, [.. head, .. body.ToArray()]);
    }

    /// <exception cref="LitException">It is damaged, of a later version, or not there.</exception>
    public static RemovedPictures Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Copy the folder again",
                trouble
            );
        }
        if (bytes.Length < HeadSize || !bytes.AsSpan(0, 8).SequenceEqual("LiTgone\0"u8))
            throw Damaged(path);
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(VersionAt)) is > Version and var later)
            throw new LitException(
                path,
                $"version {later} of the format, where this program knows {Version}",
                "Use a newer program"
            );
        ReadOnlySpan<byte> body = bytes.AsSpan(HeadSize);
        if (
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(ChecksumAt)) != Checksum.Of(body)
            || bytes.AsSpan(ChecksumAt + 8, 8).ContainsAnyExcept((byte)0)
        )
            throw Damaged(path);
        SortedDictionary<int, (int, ulong[])> files = [];
        for (var left = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(FilesAt)); left > 0; left--)
        {
            if (body.Length < 8)
                throw Damaged(path);
            var (segment, pictures) = (
                BinaryPrimitives.ReadInt32LittleEndian(body),
                BinaryPrimitives.ReadInt32LittleEndian(body[4..])
            );
            var size = ((long)pictures + 63) / 64 * 8;
            if (pictures < 0 || body.Length - 8 < size || files.ContainsKey(segment))
                throw Damaged(path);
            var bits = MemoryMarshal.Cast<byte, ulong>(body.Slice(8, (int)size)).ToArray();
            if ((pictures & 63) != 0 && bits[^1] >> (pictures & 63) != 0)
                throw Damaged(path);
            files.Add(segment, (pictures, bits));
            body = body[(8 + (int)size)..];
        }
        return body.IsEmpty ? new(files) : throw Damaged(path);
    }

    private static LitException Damaged(string path) =>
        new(path, "damaged, so it does not say which pictures were removed", "Copy the folder again, or embed again");
}

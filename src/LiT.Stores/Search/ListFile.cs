using System.Buffers.Binary;
using System.Runtime.InteropServices;
using LiT.Files;
using LiT.Stores;

namespace LiT.Search;

/// <summary>
/// A segment's rows by list: what it is, version, sizes, the fingerprints of the rows' codes and of the centres, where
/// each list begins, the rows of each list from the first to the last, and a checksum of it all.
/// </summary>
internal sealed unsafe class ListFile : IDisposable
{
    private const int Version = 1,
        HeadSize = 96,
        FingerprintAt = 24,
        CentresAt = 56,
        ChecksumSize = 8;
    private const string Remedy = "Run `StoreIndex` on the store; the rows are not touched";
    private readonly MappedFile file;

    /// <exception cref="LitException">The file is damaged, or of a later version.</exception>
    public ListFile(string path)
    {
        file = new(path);
        try
        {
            Check(path);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public int Rows { get; private set; }

    /// <summary>How many lists.</summary>
    public int Lists { get; private set; }

    /// <summary>Of the rows that the codes were made of.</summary>
    public ReadOnlySpan<byte> Fingerprint => file.Bytes(FingerprintAt, CodeFile.FingerprintSize);

    /// <summary>Of the centres.</summary>
    public ReadOnlySpan<byte> CentresFingerprint => file.Bytes(CentresAt, CodeFile.FingerprintSize);

    private int* Starts => (int*)(file.Start + HeadSize);

    /// <summary>A list's rows, from the first to the last.</summary>
    public ReadOnlySpan<int> this[int list] => new(Starts + Lists + 1 + Starts[list], Starts[list + 1] - Starts[list]);

    public void Dispose() => file.Dispose();

    /// <summary>Writes a segment's lists.</summary>
    /// <param name="path">The file.</param>
    /// <param name="lists">Each row's list.</param>
    /// <param name="count">How many lists there are.</param>
    /// <param name="fingerprint">Of the rows.</param>
    /// <param name="centres">Of the centres.</param>
    /// <exception cref="LitException">The disk is full.</exception>
    public static void Write(
        string path,
        ReadOnlySpan<int> lists,
        int count,
        ReadOnlySpan<byte> fingerprint,
        ReadOnlySpan<byte> centres
    )
    {
        var bytes = new byte[HeadSize + 4 * (count + 1 + lists.Length) + ChecksumSize];
        Span<byte> head = bytes;
        "LiTlists"u8.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(head[12..], count);
        BinaryPrimitives.WriteInt32LittleEndian(head[16..], lists.Length);
        fingerprint.CopyTo(head[FingerprintAt..]);
        centres.CopyTo(head[CentresAt..]);
        var numbers = MemoryMarshal.Cast<byte, int>(head[HeadSize..^ChecksumSize]);
        var starts = numbers[..(count + 1)];
        foreach (var list in lists)
            starts[list + 1]++;
        for (var list = 0; list < count; list++)
            starts[list + 1] += starts[list];
        var next = starts[..count].ToArray();
        for (var row = 0; row < lists.Length; row++)
            numbers[count + 1 + next[lists[row]]++] = row;
        BinaryPrimitives.WriteUInt64LittleEndian(head[^ChecksumSize..], Checksum.Of(head[..^ChecksumSize]));
        AtomicFile.WriteAllBytes(path, bytes);
    }

    // Rows are read straight from memory, so that each number is looked at here, whatever the checksum says.
    private void Check(string path)
    {
        if (file.Length is < HeadSize + ChecksumSize or > int.MaxValue || !file.Bytes(0, 8).SequenceEqual("LiTlists"u8))
            throw new LitException(path, "not a file of lists, or cut", Remedy);
        var bytes = file.Bytes(0, (int)file.Length);
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) is > Version and var later)
            throw new LitException(
                path,
                $"version {later} of the format, where this program knows {Version}",
                "Use a newer program, or run `StoreIndex` with this one"
            );
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[^ChecksumSize..]) != Checksum.Of(bytes[..^ChecksumSize]))
            throw new LitException(path, "is damaged", Remedy);
        (Lists, Rows) = (
            BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[16..])
        );
        if (Lists <= 0 || Rows < 0 || file.Length != HeadSize + 4L * (Lists + 1L + Rows) + ChecksumSize)
            throw new LitException(
                path,
                $"{file.Length:N0} bytes are not those of {Rows:N0} rows in {Lists:N0} lists",
                Remedy
            );
        var starts = new ReadOnlySpan<int>(Starts, Lists + 1);
        var sound = starts[0] == 0 && starts[Lists] == Rows;
        for (var list = 0; list < Lists && sound; list++)
            sound = starts[list] <= starts[list + 1];
        foreach (var row in new ReadOnlySpan<int>(Starts + Lists + 1, Rows))
            sound &= (uint)row < (uint)Rows;
        if (!sound)
            throw new LitException(path, "its lists point outside of the rows", Remedy);
    }
}

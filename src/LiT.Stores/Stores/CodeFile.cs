using System.Buffers.Binary;
using LiT.Compute.Kernels;
using LiT.Files;

namespace LiT.Stores;

/// <summary>
/// A segment's codes, beside its rows: a row a picture, the first view's. A head of 128 bytes (what it is, version,
/// sizes, the
/// fingerprint of the rows, the projection they went through, a checksum of these), scales and errors, the codes, and
/// a checksum
/// for every block of them, which is verified when the block is first read.
/// </summary>
internal sealed unsafe class CodeFile : IDisposable
{
    /// <summary>Rows with a checksum of their own.</summary>
    public const int Block = 4096;
    public const int FingerprintSize = 32;
    private const int Version = 1,
        HeadSize = 128;
    private const int VersionAt = 8,
        SizeAt = 12,
        RowsAt = 16,
        FingerprintAt = 24,
        ProjectionAt = 56,
        ChecksumAt = 88;
    private const string Remedy = "Run `StoreIndex` on the store; the rows are not touched";

    private readonly MappedFile file;
    private readonly bool[] verified;

    /// <exception cref="LitException">The file is damaged, or of a later version.</exception>
    public CodeFile(string path)
    {
        file = new(path);
        try
        {
            if (file.Length < HeadSize || !file.Bytes(0, 8).SequenceEqual("LiTcodes"u8))
                throw new LitException(path, "not a file of codes, or cut", Remedy);
            var head = file.Bytes(0, HeadSize);
            if (BinaryPrimitives.ReadInt32LittleEndian(head[VersionAt..]) is > Version and var later)
                throw new LitException(
                    path,
                    $"version {later} of the format, where this program knows {Version}",
                    "Use a newer program, or run `StoreIndex` with this one"
                );
            if (BinaryPrimitives.ReadUInt64LittleEndian(head[ChecksumAt..]) != Checksum.Of(head[..ChecksumAt]))
                throw new LitException(path, "its head is damaged", Remedy);
            (Size, Rows) = (
                BinaryPrimitives.ReadInt32LittleEndian(head[SizeAt..]),
                BinaryPrimitives.ReadInt32LittleEndian(head[RowsAt..])
            );
            if (Size <= 0 || Rows < 0 || file.Length != LengthOf(Rows, Size))
                throw new LitException(
                    path,
                    $"{file.Length:N0} bytes where {Rows:N0} rows of {Size} need {LengthOf(Rows, Size):N0}",
                    Remedy
                );
            verified = new bool[(Rows + Block - 1) / Block];
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public string Path => file.Path;

    public int Rows { get; }

    /// <summary>Numbers in a row.</summary>
    public int Size { get; }

    /// <summary>Bytes from one row to the next.</summary>
    public int Width => WidthOf(Size);

    /// <summary>Of the rows that the codes were made of.</summary>
    public ReadOnlySpan<byte> Fingerprint => file.Bytes(FingerprintAt, FingerprintSize);

    /// <summary>What the rows went through first; zeros for nothing.</summary>
    public ReadOnlySpan<byte> Projection => file.Bytes(ProjectionAt, FingerprintSize);

    /// <summary>z ≈ scale · codes.</summary>
    public float* Scales => (float*)(file.Start + HeadSize);

    /// <summary>The length of z - scale · codes, or a little more.</summary>
    public float* Errors => Scales + Rows;

    public sbyte* Codes => (sbyte*)(file.Start + CodesAt(Rows));

    /// <summary>Checks a block before it is believed; the second time it costs nothing.</summary>
    /// <exception cref="LitException">The block is damaged.</exception>
    public void Verify(int block)
    {
        if (Volatile.Read(ref verified[block]))
            return;
        if (((ulong*)(file.Start + ChecksumsAt(Rows, Size)))[block] != ChecksumOf(block))
            throw new LitException(
                Path,
                $"the codes of rows {block * Block:N0} to {Math.Min(Rows, (block + 1) * Block) - 1:N0} are damaged",
                Remedy
            );
        Volatile.Write(ref verified[block], true);
    }

    /// <summary>Checks every block.</summary>
    /// <exception cref="LitException">One is damaged.</exception>
    public void Verify()
    {
        for (var block = 0; block < verified.Length; block++)
            Verify(block);
    }

    public void Dispose() => file.Dispose();

    /// <summary>Writes a file of codes.</summary>
    /// <param name="path">The file.</param>
    /// <param name="rows">Pictures.</param>
    /// <param name="size">Numbers in a row.</param>
    /// <param name="fingerprint">Of the rows.</param>
    /// <param name="projection">Of what the rows went through, or zeros.</param>
    /// <param name="read">Gives rows, so many from the first.</param>
    /// <param name="notFinite">Makes the error for a row that has no direction.</param>
    /// <exception cref="LitException">A row is not finite, or the disk is full.</exception>
    public static void Write(
        string path,
        int rows,
        int size,
        ReadOnlySpan<byte> fingerprint,
        ReadOnlySpan<byte> projection,
        Action<int, int, Memory<float>> read,
        Func<int, LitException> notFinite
    )
    {
        var width = WidthOf(size);
        byte[] head = new byte[HeadSize],
            numbers = new byte[(int)(CodesAt(rows) - HeadSize)],
            checksums = new byte[8 * ((rows + Block - 1) / Block)];
        "LiTcodes"u8.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(VersionAt), Version);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(SizeAt), size);
        BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(RowsAt), rows);
        fingerprint.CopyTo(head.AsSpan(FingerprintAt));
        projection.CopyTo(head.AsSpan(ProjectionAt));
        BinaryPrimitives.WriteUInt64LittleEndian(head.AsSpan(ChecksumAt), Checksum.Of(head.AsSpan(0, ChecksumAt)));
        AtomicFile.Write(path, stream =>
        {
            stream.Write(head);
            stream.Write(numbers); // their place; they follow
            var values = new float[Math.Min(rows, Block) * size];
            var codes = new sbyte[Math.Min(rows, Block) * width];
            for (var first = 0; first < rows; first += Block)
            {
                var count = Math.Min(Block, rows - first);
                read(first, count, values.AsMemory(0, count * size));
                Compute.Parts.For(count, 256, (from, end) =>
                {
                    for (var i = (int)from; i < end; i++)
                    {
                        var (scale, error) = RowCodes.Of(values.AsSpan(i * size, size), codes.AsSpan(i * width, size))
                            ?? throw notFinite(first + i);
                        BinaryPrimitives.WriteSingleLittleEndian(numbers.AsSpan(4 * (first + i)), scale);
                        BinaryPrimitives.WriteSingleLittleEndian(numbers.AsSpan(4 * (rows + first + i)), error);
                    }
                });
                var bytes = System.Runtime.InteropServices.MemoryMarshal.AsBytes(codes.AsSpan(0, count * width));
                stream.Write(bytes);
                BinaryPrimitives.WriteUInt64LittleEndian(
                    checksums.AsSpan(8 * (first / Block)),
                    ChecksumOf(
                        numbers.AsSpan(4 * first, 4 * count),
                        numbers.AsSpan(4 * (rows + first), 4 * count),
                        bytes
                    )
                );
            }
            stream.Write(checksums);
            stream.Position = HeadSize;
            stream.Write(numbers);
        });
    }

    private ulong ChecksumOf(int block)
    {
        var (first, count) = (block * Block, Math.Min(Block, Rows - block * Block));
        return ChecksumOf(
            new(Scales + first, 4 * count),
            new(Errors + first, 4 * count),
            new(Codes + (long)first * Width, count * Width)
        );
    }

    private static ulong ChecksumOf(ReadOnlySpan<byte> scales, ReadOnlySpan<byte> errors, ReadOnlySpan<byte> codes) =>
        Checksum.Of(codes) + 3 * Checksum.Of(scales) + 5 * Checksum.Of(errors);

    private static int WidthOf(int size) => (size + CodeSums.Step - 1) / CodeSums.Step * CodeSums.Step;

    private static long CodesAt(int rows) => HeadSize + (8L * rows + 63) / 64 * 64;

    private static long ChecksumsAt(int rows, int size) => CodesAt(rows) + (long)rows * WidthOf(size);

    private static long LengthOf(int rows, int size) => ChecksumsAt(rows, size) + 8L * ((rows + Block - 1) / Block);
}

using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using LiT.Files;
using LiT.Stores;

namespace LiT.Search;

/// <summary>How many lists have to be visited for a recall, and what was measured then.</summary>
/// <param name="Depth">Of so many nearest pictures.</param>
/// <param name="Visited">Lists.</param>
/// <param name="Recall">Share of them that was found, by the half of the queries that found fewer.</param>
internal readonly record struct Visits(int Depth, int Visited, double Recall);

/// <summary>
/// The centres of a store's lists, and how many of the lists a query has to visit. A file: what it is, version, sizes,
/// seed, the visits, the centres, and a checksum of it all.
/// </summary>
internal sealed class Centres
{
    public const int MostVisits = 16;
    private const int Version = 1,
        HeadSize = 64,
        VisitSize = 16,
        ChecksumSize = 8;
    private const string Remedy = "Run `StoreIndex` with a recall on the store; the rows are not touched";
    private readonly float[] values;

    /// <param name="values">Of unit length, [lists, size].</param>
    /// <param name="size">Numbers in a row.</param>
    /// <param name="seed">What they were made with.</param>
    /// <param name="trainedOn">Pictures that there were.</param>
    public Centres(float[] values, int size, int seed, long trainedOn)
    {
        (this.values, Size, Seed, TrainedOn) = (values, size, seed, trainedOn);
        Fingerprint = SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan()));
    }

    /// <summary>How many.</summary>
    public int Count => values.Length / Size;

    /// <summary>Numbers in a row.</summary>
    public int Size { get; }

    public int Seed { get; }

    /// <summary>Pictures that the store had when the centres were made.</summary>
    public long TrainedOn { get; }

    /// <summary>Of the centres.</summary>
    public byte[] Fingerprint { get; }

    /// <summary>The recall that was asked for; 0 before it was measured.</summary>
    public double Target { get; init; }

    /// <summary>Queries that it was measured with.</summary>
    public int Queries { get; init; }

    /// <summary>Whether these were captions; otherwise rows.</summary>
    public bool WithCaptions { get; init; }

    /// <summary>Shallow ones first.</summary>
    public IReadOnlyList<Visits> Visits { get; init; } = [];

    public ReadOnlySpan<float> this[int list] => values.AsSpan(list * Size, Size);

    /// <summary>The same, measured.</summary>
    public Centres With(double target, int queries, bool captions, IReadOnlyList<Visits> visits) =>
        new(values, Size, Seed, TrainedOn)
        {
            Target = target,
            Queries = queries,
            WithCaptions = captions,
            Visits = visits,
        };

    /// <summary>The lists, the nearest first; in double precision, so that every processor has one order.</summary>
    public int[] Order(ReadOnlySpan<float> query)
    {
        var (lists, near) = (new int[Count], new double[Count]);
        for (var list = 0; list < lists.Length; list++)
            (lists[list], near[list]) = (list, -Exactly.Dot(query, this[list]));
        Array.Sort(near, lists); // equal ones: whichever, but always the same
        return lists;
    }

    /// <exception cref="LitException">The disk is full.</exception>
    public void Write(string path)
    {
        var bytes = new byte[HeadSize + MostVisits * VisitSize + 4 * values.Length + ChecksumSize];
        "LiTlist0"u8.CopyTo(bytes);
        Span<byte> head = bytes;
        BinaryPrimitives.WriteInt32LittleEndian(head[8..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(head[12..], Size);
        BinaryPrimitives.WriteInt32LittleEndian(head[16..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(head[20..], Seed);
        BinaryPrimitives.WriteInt64LittleEndian(head[24..], TrainedOn);
        BinaryPrimitives.WriteDoubleLittleEndian(head[32..], Target);
        BinaryPrimitives.WriteInt32LittleEndian(head[40..], Queries);
        BinaryPrimitives.WriteInt32LittleEndian(head[44..], WithCaptions ? 1 : 0);
        BinaryPrimitives.WriteInt32LittleEndian(head[48..], Visits.Count);
        for (var i = 0; i < Visits.Count; i++)
        {
            var at = head[(HeadSize + i * VisitSize)..];
            BinaryPrimitives.WriteInt32LittleEndian(at, Visits[i].Depth);
            BinaryPrimitives.WriteInt32LittleEndian(at[4..], Visits[i].Visited);
            BinaryPrimitives.WriteDoubleLittleEndian(at[8..], Visits[i].Recall);
        }
        MemoryMarshal.AsBytes(values.AsSpan()).CopyTo(head[(HeadSize + MostVisits * VisitSize)..]);
        BinaryPrimitives.WriteUInt64LittleEndian(head[^ChecksumSize..], Checksum.Of(head[..^ChecksumSize]));
        AtomicFile.WriteAllBytes(path, bytes);
    }

    /// <exception cref="LitException">The file is damaged, or of a later version.</exception>
    public static Centres Read(string path)
    {
        using MappedFile file = new(path);
        const int least = HeadSize + MostVisits * VisitSize + ChecksumSize;
        if (file.Length is < least or > int.MaxValue || !file.Bytes(0, 8).SequenceEqual("LiTlist0"u8))
            throw new LitException(path, "not a file of centres, or cut", Remedy);
        var bytes = file.Bytes(0, (int)file.Length);
        if (BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]) is > Version and var later)
            throw new LitException(
                path,
                $"version {later} of the format, where this program knows {Version}",
                "Use a newer program, or run `StoreIndex` with this one"
            );
        if (BinaryPrimitives.ReadUInt64LittleEndian(bytes[^ChecksumSize..]) != Checksum.Of(bytes[..^ChecksumSize]))
            throw new LitException(path, "is damaged", Remedy);
        var (size, count) = (
            BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[16..])
        );
        var visits = BinaryPrimitives.ReadInt32LittleEndian(bytes[48..]);
        if (size <= 0 || count <= 0 || visits is < 0 or > MostVisits || least + 4L * size * count != bytes.Length)
            throw new LitException(
                path,
                $"{bytes.Length:N0} bytes are not those of {count:N0} centres of {size:N0} numbers",
                Remedy
            );
        var values = MemoryMarshal.Cast<byte, float>(bytes[(HeadSize + MostVisits * VisitSize)..^ChecksumSize]);
        if (System.Numerics.Tensors.TensorPrimitives.IsFiniteAll(values) is false)
            throw new LitException(path, "holds numbers that are not finite", Remedy);
        return new(
            values.ToArray(),
            size,
            BinaryPrimitives.ReadInt32LittleEndian(bytes[20..]),
            BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])
        )
        {
            Target = BinaryPrimitives.ReadDoubleLittleEndian(bytes[32..]),
            Queries = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]),
            WithCaptions = BinaryPrimitives.ReadInt32LittleEndian(bytes[44..]) != 0,
            Visits = ReadVisits(path, bytes, visits, count),
        };
    }

    private static Visits[] ReadVisits(string path, ReadOnlySpan<byte> bytes, int count, int lists)
    {
        var visits = new Visits[count];
        for (var i = 0; i < count; i++)
        {
            var at = bytes[(HeadSize + i * VisitSize)..];
            visits[i] = new(
                BinaryPrimitives.ReadInt32LittleEndian(at),
                BinaryPrimitives.ReadInt32LittleEndian(at[4..]),
                BinaryPrimitives.ReadDoubleLittleEndian(at[8..])
            );
            if (visits[i].Depth <= 0 || visits[i].Visited <= 0 || visits[i].Visited > lists)
                throw new LitException(path, $"says that {visits[i].Visited} of {lists} lists be visited", Remedy);
        }
        return visits;
    }
}

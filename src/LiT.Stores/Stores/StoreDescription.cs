using System.Text.Json.Nodes;
using LiT.Images;
using LiT.Towers;

namespace LiT.Stores;

/// <summary>How the numbers of a store lie on the disk.</summary>
internal enum StoredType
{
    /// <summary>IEEE half precision, numpy's <c>&lt;f2</c>.</summary>
    Float16,

    /// <summary>IEEE single precision, numpy's <c>&lt;f4</c>.</summary>
    Float32,

    /// <summary>
    /// Whole numbers of 8 bits, numpy's <c>|i1</c>, the largest of a row at 127: the row's direction, to be brought to unit
    /// length after it is loaded.
    /// </summary>
    Int8,
}

/// <summary>What follows from a type.</summary>
internal static class StoredTypes
{
    /// <summary>Bytes of a number.</summary>
    public static int Bytes(this StoredType type) =>
        type switch
        {
            StoredType.Int8 => 1,
            StoredType.Float16 => 2,
            _ => 4,
        };

    /// <summary>As store.json and the command line call it.</summary>
    public static string Word(this StoredType type) => type.ToString().ToLowerInvariant();
}

/// <summary>What made a store's rows: two stores with equal descriptions hold the same numbers.</summary>
internal sealed record StoreDescription
{
    /// <summary>Hash of the tower's weights and preprocessing.</summary>
    public required string Fingerprint { get; init; }

    /// <summary>The tower in words, for people: its name or path.</summary>
    public required string Tower { get; init; }

    /// <summary>How pictures are prepared for the tower, as the tower's own description of it.</summary>
    public JsonNode? Preprocessing { get; init; }

    /// <summary>The way from bytes to pixels. The tower and its fingerprint are the same both ways, the rows differ a little.</summary>
    public DecodePath Decode { get; init; }

    /// <summary>Numbers in a row.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>How the numbers are stored.</summary>
    public StoredType Type { get; init; } = StoredType.Float16;

    /// <summary>Rows a picture: 1, or the number of augmented views.</summary>
    public int Views { get; init; } = 1;

    /// <summary>How the views after the first differ from the plain picture, and from which seed; null where there is one.</summary>
    public JsonNode? ViewChanges { get; init; }

    /// <summary>What the tower gave for the test pictures when the store was begun; null where nobody asked.</summary>
    public ProbeVectors? Probes { get; init; }

    /// <summary>Where the pictures came from, as the user gave it.</summary>
    public required string Source { get; init; }

    /// <summary>Rows in a shard, at most; it holds fewer where samples were skipped. A picture's views stay together.</summary>
    public int RowsPerShard { get; init; } = 2_000;
}

/// <summary>What became of everything that a source holds. <see cref="Found"/> = <see cref="Embedded"/> + <see cref="Skipped"/>.</summary>
/// <param name="Embedded">Pictures whose rows are in the store.</param>
/// <param name="Skipped">Samples that could not be used, each a line of skipped.jsonl.</param>
/// <param name="Noted">Samples used without a part of them (one caption, a label), each a line of notes.jsonl.</param>
internal sealed record StoreCounts(long Embedded, long Skipped, long Noted)
{
    /// <summary>Samples that the source holds.</summary>
    public long Found => Embedded + Skipped;

    /// <summary>Both together.</summary>
    public static StoreCounts operator +(StoreCounts one, StoreCounts other) =>
        new(one.Embedded + other.Embedded, one.Skipped + other.Skipped, one.Noted + other.Noted);

    /// <summary>The first without the second.</summary>
    public static StoreCounts operator -(StoreCounts one, StoreCounts other) =>
        new(one.Embedded - other.Embedded, one.Skipped - other.Skipped, one.Noted - other.Noted);
}

/// <summary>A picture's own facts, beside its sample.</summary>
/// <param name="Width">Pixels, as decoded.</param>
/// <param name="Height">Pixels, as decoded.</param>
/// <param name="Sha256">SHA-256 of the encoded bytes, 32 bytes.</param>
internal sealed record EmbeddedPicture(int Width, int Height, byte[] Sha256);

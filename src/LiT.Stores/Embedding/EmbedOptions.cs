using LiT.Images;
using LiT.Stores;

namespace LiT.Embedding;

/// <summary>How a source is embedded.</summary>
internal sealed record EmbedOptions
{
    /// <summary>Pictures (with several views: views) that go through the tower at once.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>
    /// How the store's numbers lie on the disk; null for those of the store that is there, or float16.
    /// </summary>
    public StoredType? Type { get; init; }

    /// <summary>
    /// Rows in a file of the store, at most; an interrupted run loses no more than the file under way. Null for that of
    /// the store that is there, or 2,000.
    /// </summary>
    public int? RowsPerShard { get; init; }

    /// <summary>Larger pictures are refused by their header and skipped.</summary>
    public long MaxPixels { get; init; } = DecodingOptions.Default.MaxPixels;

    /// <summary>The way from bytes to pixels; null for that of the store that is there, or exact.</summary>
    public DecodePath? Decode { get; init; }

    /// <summary>The largest share of skipped samples that is still believed to be bad luck and not a mistake.</summary>
    public double MaxBad { get; init; } = 0.5;

    /// <summary>The views of each picture.</summary>
    public PictureViews Views { get; init; } = PictureViews.Plain;

    /// <summary>Which part of the work is done here.</summary>
    public StorePart Part { get; init; }

    /// <summary>
    /// Brings a finished store to what the source is now: pictures whose bytes it holds are taken over wherever they
    /// lie now, others are embedded, gone ones go.
    /// </summary>
    public bool Update { get; init; }

    /// <summary>Tries what was skipped again, in a finished store and in an unfinished one.</summary>
    public bool RetrySkipped { get; init; }

    /// <summary>Stores of the same tower whose pictures need not be embedded again.</summary>
    public IReadOnlyList<string> Reuse { get; init; } = [];
}

/// <summary>What an embedding run did.</summary>
/// <param name="Counts">What the store holds now: found = embedded + skipped.</param>
/// <param name="EmbeddedNow">Pictures that went through the tower in this run.</param>
/// <param name="Seconds">How long this run took.</param>
/// <param name="WasComplete">Whether there was nothing to do.</param>
internal sealed record EmbedResult(StoreCounts Counts, long EmbeddedNow, double Seconds, bool WasComplete)
{
    /// <summary>Pictures whose rows were taken over from a store that was there before.</summary>
    public long Reused { get; init; }

    /// <summary>Pictures that were not embedded because one of the same bytes came before them.</summary>
    public long Repeated { get; init; }

    /// <summary>Pictures of the store of which something else is said now: they lie elsewhere, or have other
    /// words.</summary>
    public long Moved { get; init; }

    /// <summary>Pictures that are not in the store any more.</summary>
    public long Removed { get; init; }

    /// <summary>Shards that other parts have not made yet; the store is finished when there are none.</summary>
    public int MissingShards { get; init; }
}

namespace LiT;

/// <summary>
/// What is looked for in a <see cref="PictureStore"/>: the fields are the same on the command line and in the
/// library. Immutable.
/// </summary>
public sealed record Query
{
    /// <summary>What the pictures show, in words: "a red bicycle", or several texts that count together.</summary>
    public Asks Words { get; init; } = Asks.None;

    /// <summary>Pictures that the found ones are to be like: keys of the store, or files.</summary>
    public Asks Like { get; init; } = Asks.None;

    /// <summary>Words whose direction is taken away from what is looked for.</summary>
    public Asks Minus { get; init; } = Asks.None;

    /// <summary>
    /// Words of which pictures that they match are left out: those whose expected precision for them is one half or
    /// more. Needs a
    /// calibrated model.
    /// </summary>
    public Asks Without { get; init; } = Asks.None;

    /// <summary>
    /// A filter over the store's columns, which is evaluated first: <c>label = 'dog' and width >= 1024 and taken >
    /// 2024-01-01</c>;
    /// also or, not, in, like, contains, is null.
    /// </summary>
    public string? Where { get; init; }

    /// <summary>Pictures at most.</summary>
    public int Top { get; init; } = 10;

    /// <summary>Pictures that are passed over first.</summary>
    public int Skip { get; init; }

    /// <summary>
    /// Leaves out pictures whose <see cref="FoundPicture.ExpectedPrecision"/> is below this: between 0 and 1, such as
    /// 0.9. Needs a calibrated model. Null leaves nothing out.
    /// </summary>
    public double? MinPrecision { get; init; }

    /// <summary>Answers exactly, also where an index that answers approximately is at hand.</summary>
    public bool Exact { get; init; }

    /// <summary>
    /// A column that the found pictures are ordered by, "taken", or "taken desc" from the largest; those without one
    /// come
    /// last. Null orders by similarity.
    /// </summary>
    public string? Order { get; init; }

    /// <summary>
    /// Of pictures that are one scene, shows the first only: those whose cosine is at least this, such as 0.95. Null
    /// shows all.
    /// </summary>
    public double? Distinct { get; init; }

    /// <exception cref="SettingException">A value is out of its range, or nothing is looked for.</exception>
    internal void Check()
    {
        if (Words.Count + Like.Count == 0)
            throw new LitException("The query has neither Words nor Like: say what is looked for.");
        if (Top <= 0)
            throw new LitException($"Top {Top}: give a positive number of pictures.");
        if (Skip < 0)
            throw new LitException($"Skip {Skip}: give 0 or more pictures.");
        if (MinPrecision is <= 0 or >= 1 or double.NaN)
            throw new LitException(
                FormattableString.Invariant($"MinPrecision {MinPrecision}: give a share between 0 and 1, such as 0.9.")
            );
        if (Distinct is <= 0 or > 1 or double.NaN)
            throw new LitException(
                FormattableString.Invariant($"Distinct {Distinct}: give a cosine above 0, up to 1, such as 0.95.")
            );
        if (
            Words
                .Concat(Like)
                .Concat(Minus)
                .FirstOrDefault(one => !(one.Weight is > 0 and < double.PositiveInfinity)) is
            { } weightless
        )
            throw new LitException($"'{weightless}': give a weight above 0.");
    }
}

/// <summary>One picture of a <see cref="PictureStore"/>.</summary>
public sealed record StoredPicture
{
    /// <summary>Names it in its source.</summary>
    public required string Key { get; init; }

    /// <summary>Where it came from: a path, <c>shard-0003.tar:000412.jpg</c>.</summary>
    public required string Origin { get; init; }

    /// <summary>Its captions, in their order.</summary>
    public IReadOnlyList<string> Captions { get; init; } = [];

    /// <summary>Its class; null where it has none.</summary>
    public string? Label { get; init; }

    /// <summary>zimg of unit length, [E]: comparable with what <see cref="LitModel.Texts"/> gives.</summary>
    public required ReadOnlyMemory<float> Embedding { get; init; }
}

/// <summary>What an update of a <see cref="PictureStore"/> did.</summary>
public sealed record StoreUpdate
{
    /// <summary>Pictures that the store holds now.</summary>
    public required long Pictures { get; init; }

    /// <summary>Pictures that went through the tower.</summary>
    public required long Embedded { get; init; }

    /// <summary>Pictures whose rows were there before.</summary>
    public required long TakenOver { get; init; }

    /// <summary>Pictures of which something else is said now: they lie elsewhere, or have other words.</summary>
    public long Moved { get; init; }

    /// <summary>Pictures that are not in the store any more.</summary>
    public long Removed { get; init; }

    /// <summary>Samples that could not be used; skipped.jsonl in the folder names each with the reason.</summary>
    public required long Skipped { get; init; }

    /// <summary>How long it took.</summary>
    public required TimeSpan Elapsed { get; init; }
}

/// <summary>What a <see cref="Query"/> found.</summary>
/// <param name="Pictures">The pictures, in the order that was asked for.</param>
public sealed record FoundPictures(IReadOnlyList<FoundPicture> Pictures)
{
    /// <summary>
    /// Whether none was found that reaches <see cref="Query.MinPrecision"/>, or nothing was asked that the model can
    /// read (<see cref="UnreadWords"/>).
    /// </summary>
    public bool NothingMatches { get; init; }

    /// <summary>
    /// Words of the query that no caption had which the model was tuned on, each once: what is found for them is the
    /// text tower's guess, and no precision is promised. Empty where there are none, or where the model keeps no list.
    /// </summary>
    public IReadOnlyList<string> UnseenWords { get; init; } = [];

    /// <summary>
    /// Texts of the query of which the model's vocabulary knows no piece; nothing is found where they are all that was
    /// asked for. Mostly empty.
    /// </summary>
    public IReadOnlyList<string> UnreadWords { get; init; } = [];

    /// <summary>Pictures that were looked at: those that <see cref="Query.Where"/> holds for.</summary>
    public long Searched { get; init; }

    /// <summary>
    /// 1: the answer is exact. Below: it is approximate, and this is the share of the nearest pictures that this way of
    /// searching finds, as was measured.
    /// </summary>
    public double Recall { get; init; } = 1;
}

/// <summary>A picture that was found (field names as in the JSON).</summary>
/// <param name="Key">Its key.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="Similarity">Cosine of what was looked for and picture.</param>
/// <param name="ExpectedPrecision">Expected share of pictures that fit among those found down to here; null without a
/// background.</param>
public sealed record FoundPicture(string Key, string Origin, double Similarity, double? ExpectedPrecision)
{
    /// <summary>
    /// What the store says of it: captions (a list), label, width and height (numbers), added (a date), and the
    /// source's own
    /// columns. Two found pictures are equal whatever these are.
    /// </summary>
    public IReadOnlyDictionary<string, object> Columns { get; init; } = new Dictionary<string, object>();

    /// <inheritdoc/>
    public bool Equals(FoundPicture? other) =>
        other is not null
        && (Key, Origin, Similarity, ExpectedPrecision)
            == (other.Key, other.Origin, other.Similarity, other.ExpectedPrecision);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Key, Origin, Similarity, ExpectedPrecision);
}

namespace LiT.Search;

/// <summary>
/// Names the rows of a store that may be nearest to a query, without going over all of them: an index of your own, or
/// that of a package beside this one. Without one the store goes over its rows, or over the lists that were made of
/// them. Whatever an index names, the rows themselves decide what is found and how similar it is; what it misses is
/// measured (<see cref="PictureStore.UseAsync"/>). Called by one thread at a time.
/// </summary>
public interface IVectorIndex
{
    /// <summary>Brings the index to the rows that a store has now: some have come, some have gone.</summary>
    /// <param name="rows">The store's rows, for the time of this call.</param>
    /// <param name="cancel">Gives it up; the next call goes on.</param>
    void Update(StoredVectors rows, CancellationToken cancel);

    /// <summary>Rows that may be nearest.</summary>
    /// <param name="query">Of unit length.</param>
    /// <param name="count">So many are wanted; fewer, or more, may come.</param>
    /// <returns>
    /// Their numbers, in any order; those that the store has no more are passed over. Null says that any row may be:
    /// then all of them are gone over, and the answer is exact.
    /// </returns>
    IReadOnlyList<long>? Find(ReadOnlySpan<float> query, int count);
}

/// <summary>A file of rows, which never change; a row's number is the first one's and its place.</summary>
/// <param name="First">The number of its first row.</param>
/// <param name="Count">Its rows, those of removed pictures among them.</param>
/// <param name="Fingerprint">Tells it from any other rows that have had these numbers.</param>
public sealed record VectorSegment(long First, int Count, string Fingerprint);

/// <summary>
/// A store's rows as an index sees them, one for each picture. A row keeps its number for as long as it is in the
/// store; a compaction gives rows that it writes anew another one.
/// </summary>
public sealed class StoredVectors
{
    private readonly Collection collection;

    internal StoredVectors(Collection collection)
    {
        this.collection = collection;
        Segments =
        [
            .. collection.Parts.Select(part => new VectorSegment(NumberOf(part, 0), part.Count, part.Fingerprint)),
        ];
    }

    /// <summary>E, how many numbers a row has.</summary>
    public int Size => collection.Size;

    /// <summary>Pictures that can be found.</summary>
    public long Count => collection.Count;

    /// <summary>The files of rows.</summary>
    public IReadOnlyList<VectorSegment> Segments { get; }

    /// <summary>Whether there is a picture of this number that was not removed.</summary>
    public bool Holds(long number) => collection.PictureOf(number) is { } picture && collection.Holds(picture);

    /// <summary>Copies rows, of unit length.</summary>
    /// <param name="numbers">Which: all of them of this store.</param>
    /// <param name="to">Receives them, [numbers, E].</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no row of such a number.</exception>
    public void Read(ReadOnlySpan<long> numbers, Span<float> to)
    {
        var pictures = new long[numbers.Length];
        for (var i = 0; i < pictures.Length; i++)
            pictures[i] = collection.PictureOf(numbers[i])
                ?? throw new ArgumentOutOfRangeException(nameof(numbers), numbers[i], "There is no such row.");
        collection.Read(pictures).Values.AsSpan().CopyTo(to);
    }

    /// <summary>A row's number for an index: of the file it is in, and its place there.</summary>
    internal static long NumberOf(CollectionPart part, int row) => ((long)part.Number << 32) + row;
}

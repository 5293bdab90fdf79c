using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Numerics;
using System.Text;
using LiT.Bundles;
using LiT.Data;
using LiT.Stores;

namespace LiT.Search;

/// <summary>
/// The pictures that a search goes over, in segments: a store's, or pictures that were embedded on the way. Safe for
/// use from
/// several threads.
/// </summary>
internal sealed class Collection : IDisposable
{
    private const int MostFilters = 16;
    private readonly List<StoreSegment> owned = [];
    private readonly ConcurrentDictionary<string, CollectionColumn?> columns = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Bits> filters = new(StringComparer.Ordinal);
    private readonly Lazy<Lists?> lists;
    private readonly Lazy<(ulong[] Hashes, long[] Pictures)> keys;
    private readonly Dictionary<int, CollectionPart> numbered;

    private Collection(IReadOnlyList<CollectionPart> parts, int size)
    {
        (Parts, Size) = (parts, size);
        lists = new(() => Lists.Open(this));
        keys = new(HashKeys);
        numbered = parts.ToDictionary(part => part.Number);
        Pictures = parts.Count == 0 ? 0 : parts[^1].First + parts[^1].Count;
        Live = parts.Any(part => part.Removed is not null) ? Bits.All(Pictures) : null;
        foreach (var part in parts)
            for (var i = 0; i < part.Removed?.Length; i++)
            for (var word = part.Removed[i]; word != 0; word &= word - 1)
                Live![part.First + i * 64 + BitOperations.TrailingZeroCount(word)] = false;
        Count = Live?.Set ?? Pictures;
    }

    /// <summary>The segments, in order.</summary>
    public IReadOnlyList<CollectionPart> Parts { get; }

    /// <summary>Numbers of pictures, those of removed ones among them.</summary>
    public long Pictures { get; }

    /// <summary>A bit for each number whose picture was not removed; null where none was.</summary>
    public Bits? Live { get; }

    /// <summary>Pictures that can be found.</summary>
    public long Count { get; }

    /// <summary>E, the length of an embedding.</summary>
    public int Size { get; }

    /// <summary>Whether every segment has codes.</summary>
    public bool IsIndexed => Parts.Count > 0 && Parts.All(part => part.Codes is not null);

    /// <summary>Its rows by lists of near ones; null where nobody has made them.</summary>
    /// <exception cref="LitException">A file of them is damaged.</exception>
    public Lists? Lists => lists.Value;

    /// <summary>The index that somebody has brought, told of this collection; null for none.</summary>
    public MeasuredIndex? Index { get; set; }

    /// <param name="model">Its image head is what rows go through; null for none.</param>
    /// <param name="store">An open store of the model's tower; stays open.</param>
    /// <exception cref="LitException">A file of the index is damaged.</exception>
    public static Collection Of(LitModel? model, EmbeddingStore store)
    {
        var projection = model is null ? [] : Projection(model);
        var segments = StoreSegment.Of(store, projection);
        Collection collection = new(
            [.. segments.Select(segment => PartOf(model, store, segment))],
            projection.Length == 0 ? store.EmbeddingSize : model!.Description.EmbeddingSize
        );
        collection.owned.AddRange(segments);
        return collection;
    }

    /// <summary>Pictures that are in memory.</summary>
    /// <param name="all">zimg.</param>
    /// <param name="columns">What is said of them.</param>
    public static Collection Of(Embeddings all, ColumnFile columns) => new([new MemoryPart(all, columns)], all.Size);

    /// <summary>A segment as it is searched.</summary>
    public static CollectionPart PartOf(LitModel? model, EmbeddingStore store, StoreSegment segment) =>
        new StorePart(model, store, segment);

    /// <summary>What a model's rows go through before they are compared; empty for nothing.</summary>
    public static byte[] Projection(LitModel model) =>
        model.Towers.ImageHead is { } head ? Convert.FromHexString(WeightsHash.Of(head)) : [];

    /// <summary>Where a picture is.</summary>
    public (CollectionPart Part, int Row) this[long picture]
    {
        get
        {
            var (low, high) = (0, Parts.Count - 1);
            while (low < high)
                if (Parts[(low + high + 1) / 2] is var part && part.First <= picture)
                    low = (low + high + 1) / 2;
                else
                    high = (low + high + 1) / 2 - 1;
            return (Parts[low], (int)(picture - Parts[low].First));
        }
    }

    /// <summary>The picture of a row, by the number that an index knows; null where there is no such row.</summary>
    public long? PictureOf(long number) =>
        numbered.TryGetValue((int)(number >> 32), out var part) && (uint)number < (uint)part.Count
            ? part.First + (uint)number
            : null;

    /// <summary>The columns that a filter may name.</summary>
    public IEnumerable<string> ColumnNames =>
        Parts.SelectMany(part => part.Columns.Names).Distinct().Where(name => name != ColumnFile.Norm);

    /// <summary>Whether a store has a column of that name by itself.</summary>
    public static bool IsOwn(string name) =>
        name is "key" or "origin" or "captions" or "label" or "width" or "height" or "added" or ColumnFile.Norm;

    /// <summary>A column; null where there is none of that name.</summary>
    public CollectionColumn? Column(string name) => columns.GetOrAdd(name, one => CollectionColumn.Find(this, one));

    /// <summary>The pictures that a filter holds for; those of the last few filters are kept.</summary>
    /// <exception cref="SettingException">The filter cannot be read, or does not fit the columns.</exception>
    public Bits Where(string filter)
    {
        if (filters.TryGetValue(filter, out var known))
            return known;
        var bits = Here(Filter.Of(this, filter));
        if (filters.Count >= MostFilters)
            filters.Clear();
        filters[filter] = bits;
        return bits;
    }

    /// <summary>Whether there is a picture of a number that was not removed.</summary>
    public bool Holds(long picture) => picture >= 0 && picture < Pictures && Live?[picture] != false;

    /// <summary>Those of some pictures that were not removed; null stands for all.</summary>
    public Bits Here(Bits? some) =>
        some is null ? Live ?? Bits.All(Pictures)
        : Live is null ? some
        : some.And(Live);

    /// <summary>What is said of a picture, but its key and origin.</summary>
    public Dictionary<string, object> ColumnsOf(long picture)
    {
        var (part, row) = this[picture];
        Dictionary<string, object> said = [];
        foreach (var name in part.Columns.Names)
            if (name is not ("key" or "origin" or ColumnFile.Norm) && part.Columns.Value(name, row) is { } value)
                said.Add(name, value);
        return said;
    }

    /// <summary>The picture of a key, the first where several have it; null where there is none.</summary>
    public long? Find(string key)
    {
        var utf8 = Encoding.UTF8.GetBytes(key);
        var (hashes, pictures) = keys.Value;
        var hash = XxHash3.HashToUInt64(utf8);
        var at = Array.BinarySearch(hashes, hash);
        while (at > 0 && hashes[at - 1] == hash)
            at--;
        for (; at >= 0 && at < hashes.Length && hashes[at] == hash; at++)
            if (this[pictures[at]] is var (part, row) && part.Columns.TryGetBytes("key", row, out var one))
                if (one.SequenceEqual(utf8) && Live?[pictures[at]] != false)
                    return pictures[at];
        return null;
    }

    private (ulong[] Hashes, long[] Pictures) HashKeys()
    {
        var (hashes, pictures) = (new ulong[Pictures], new long[Pictures]);
        foreach (var part in Parts)
        {
            var columns = part.Columns;
            for (var row = 0; row < part.Count; row++)
            {
                pictures[part.First + row] = part.First + row;
                if (columns.TryGetBytes("key", row, out var key))
                    hashes[part.First + row] = XxHash3.HashToUInt64(key);
            }
        }
        Array.Sort(hashes, pictures); // equal keys may come in any order: put them in the store's
        for (var from = 0; from < hashes.Length; )
        {
            var to = from + 1;
            while (to < hashes.Length && hashes[to] == hashes[from])
                to++;
            if (to - from > 1)
                Array.Sort(pictures, from, to - from);
            from = to;
        }
        return (hashes, pictures);
    }

    /// <summary>A picture's text in a column; null where it has none.</summary>
    public string? Text(string column, long picture) =>
        this[picture] is var (part, row) ? part.Columns.Text(column, row) : null;

    public string Key(long picture) => this[picture] is var (part, row) ? part.Columns.Text("key", row) ?? "" : "";

    public string Origin(long picture) =>
        this[picture] is var (part, row) ? part.Columns.Text("origin", row) ?? Key(picture) : "";

    /// <summary>
    /// Puts captions from a file of their own in the place of those that the pictures have, and those of each of its
    /// languages as the column caption.de and so on. Before anything else is asked.
    /// </summary>
    public void Say(GivenCaptions given)
    {
        foreach (var part in Parts)
        {
            var all = new string[]?[part.Count];
            List<(string Column, string[]?[] Texts)> columns = [("captions", all)];
            foreach (var language in given.Languages)
                columns.Add((CaptionLanguages.LanguageField + language, new string[]?[part.Count]));
            for (var row = 0; row < part.Count; row++)
            {
                if (!Holds(part.First + row) || part.Columns.Text("key", row) is not { } key)
                    continue;
                all[row] = [.. given.Of(key)];
                for (var i = 1; i < columns.Count; i++)
                    columns[i].Texts[row] = [.. given.Of(key, given.Languages[i - 1])];
            }
            part.Say(ColumnFile.OfTexts("captions", part.Count, columns));
        }
    }

    /// <summary>zimg of some pictures, of unit length.</summary>
    public Embeddings Read(IReadOnlyList<long> pictures)
    {
        var values = new float[pictures.Count * Size];
        for (var i = 0; i < pictures.Count; )
        {
            // Neighbours in the list that are of one segment go together.
            var (part, _) = this[pictures[i]];
            List<int> rows = [];
            var first = i;
            for (; i < pictures.Count && pictures[i] >= part.First && pictures[i] < part.First + part.Count; i++)
                rows.Add((int)(pictures[i] - part.First));
            part.Read([.. rows], values.AsSpan(first * Size, rows.Count * Size));
        }
        return new Embeddings(values, Size).ToUnit();
    }

    /// <summary>The error for a picture whose numbers are not finite.</summary>
    public LitException NotFinite(long picture) =>
        this[picture] is (StorePart part, var row)
            ? part.NotFinite(row)
            : new(Key(picture), "its embedding is not finite", "Leave the picture out");

    public void Dispose()
    {
        if (lists.IsValueCreated)
            lists.Value?.Dispose();
        owned.ForEach(segment => segment.Dispose());
    }

    private sealed class StorePart(LitModel? model, EmbeddingStore store, StoreSegment segment)
        : CollectionPart(segment.First, segment.Pictures)
    {
        private readonly LitModel? projects = model?.Towers.ImageHead is null ? null : model;

        public override CodeFile? Codes => segment.Codes;

        protected override ColumnFile Own => segment.Columns;

        public override int Number => segment.Number;

        public override string Fingerprint =>
            Convert.ToHexString([.. segment.RowsFingerprint(), .. projects is null ? [] : Projection(projects)]);

        public override ulong[]? Removed => segment.Removed;

        public LitException NotFinite(int picture) => segment.NotFinite(picture);

        public override void Read(ReadOnlySpan<int> pictures, Span<float> to)
        {
            var size = store.EmbeddingSize;
            var rows = projects is not null ? new float[pictures.Length * size] : to;
            for (var i = 0; i < pictures.Length; i++)
                segment.Rows.Read((long)pictures[i] * store.Views, rows.Slice(i * size, size));
            if (projects is null)
                return;
            var own = rows.ToArray();
            for (var i = 0; i < pictures.Length && store.Description is not null; i++)
                System.Numerics.Tensors.TensorPrimitives.Multiply(
                    rows.Slice(i * size, size),
                    Norm(rows.Slice(i * size, size), pictures[i]),
                    own.AsSpan(i * size, size)
                );
            projects.ProjectImages(new(own, size)).Values.CopyTo(to);
        }

        // Rows of bytes are directions of some length; the others are of unit length.
        private float Norm(ReadOnlySpan<float> row, int picture) =>
            (float)(
                Columns.Number(ColumnFile.Norm, picture)
                / (segment.Rows.Head.Type == StoredType.Int8 ? Math.Sqrt(Exactly.Dot(row, row)) : 1)
            );
    }

    private sealed class MemoryPart(Embeddings all, ColumnFile columns) : CollectionPart(0, all.Count)
    {
        public override CodeFile? Codes => null;

        protected override ColumnFile Own => columns;

        public override void Read(ReadOnlySpan<int> pictures, Span<float> to)
        {
            for (var i = 0; i < pictures.Length; i++)
                all[pictures[i]].CopyTo(to.Slice(i * all.Size, all.Size));
        }
    }
}

/// <summary>A segment as it is searched.</summary>
/// <param name="first">The number of its first picture.</param>
/// <param name="count">Its pictures.</param>
internal abstract class CollectionPart(long first, int count)
{
    private ColumnFile? captioned;

    public long First => first;

    public int Count => count;

    /// <summary>8-bit codes of what <see cref="Read"/> gives; null where there are none.</summary>
    public abstract CodeFile? Codes { get; }

    /// <summary>What is said of the pictures.</summary>
    public ColumnFile Columns => captioned ?? Own;

    protected abstract ColumnFile Own { get; }

    /// <summary>Puts other columns in the place of those of their names.</summary>
    public void Say(ColumnFile other) => captioned = Own.Beside(other);

    /// <summary>The number in the name of its file; no other segment of a store ever has it.</summary>
    public virtual int Number => 0;

    /// <summary>Tells its rows from others that have its number.</summary>
    public virtual string Fingerprint => "";

    /// <summary>A bit for each picture that is not in the store any more; null where all of them are.</summary>
    public virtual ulong[]? Removed => null;

    /// <summary>Copies what is compared, of any length: [pictures, E].</summary>
    public abstract void Read(ReadOnlySpan<int> pictures, Span<float> to);
}

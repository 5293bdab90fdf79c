using LiT.Stores;

namespace LiT.Duplicates;

/// <summary>
/// The pictures of a set as duplicates are told by: names, hash of the bytes, perceptual hash, row of an embedding. Any of the
/// last three may be missing. Some 60 bytes a picture beside its names.
/// </summary>
internal sealed class PictureSet
{
    private readonly List<(string Key, string Origin)>? names;
    private readonly List<(UInt128, UInt128)> sha256 = [];
    private readonly List<ulong?> shapes = [];
    private readonly List<long> rows = [];

    /// <param name="path">The set as the user named it.</param>
    /// <param name="store">Where its embeddings are, if anywhere.</param>
    /// <param name="namesInStore">Whether keys and origins are looked up there.</param>
    public PictureSet(string path, EmbeddingStore? store, bool namesInStore = false)
    {
        Path = path;
        Store = store;
        names = namesInStore ? null : [];
    }

    public string Path { get; }

    public EmbeddingStore? Store { get; }

    public int Count => rows.Count;

    /// <summary>The pictures of a store; one with several views is known by its first.</summary>
    /// <param name="store">An open store.</param>
    /// <param name="shapeOf">Perceptual hashes by SHA-256, where they are known.</param>
    public static PictureSet Of(EmbeddingStore store, IReadOnlyDictionary<(UInt128, UInt128), ulong?>? shapeOf = null)
    {
        var set = new PictureSet(store.Folder, store, namesInStore: true);
        for (var row = 0L; row < store.Rows; row += store.Views)
        {
            var hash = HashOf(store.Sha256(row));
            set.Add("", "", hash, shapeOf?.GetValueOrDefault(hash), row);
        }
        return set;
    }

    public void Add(string key, string origin, (UInt128, UInt128) hash, ulong? shape, long row)
    {
        names?.Add((key, origin == key ? key : origin));
        sha256.Add(hash);
        shapes.Add(shape);
        rows.Add(row);
    }

    public string Key(int picture) => names?[picture].Key ?? Store!.Key(rows[picture]);

    public string Origin(int picture) => names?[picture].Origin ?? Store!.Origin(rows[picture]);

    /// <summary>Hash of the encoded bytes; zeros where it is not known.</summary>
    public (UInt128, UInt128) Sha256(int picture) => sha256[picture];

    /// <summary>Perceptual hash, where the picture was looked at and has a shape.</summary>
    public ulong? Shape(int picture) => shapes[picture];

    /// <summary>Row in <see cref="Store"/>, or -1.</summary>
    public long Row(int picture) => rows[picture];

    public static (UInt128, UInt128) HashOf(ReadOnlySpan<byte> hash) =>
        hash.Length == 32 ? StoreMetadata.Hash(hash) : default;
}

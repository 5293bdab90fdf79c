using LiT.Bundles;
using LiT.Compute;
using LiT.Embedding;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Tuning.Runs;

/// <summary>
/// The text side of a run whose text tower is locked and whose rows are stored: captions by the pictures' keys, and a
/// tower that reads a text's row where another would compute it. A text is one id, the number of its row.
/// </summary>
internal sealed class StoredTexts : IDisposable
{
    private readonly TextStore store;

    /// <param name="folder">The text store.</param>
    /// <param name="named">The text tower that the user named; null for the one that made the store.</param>
    /// <param name="tokenizer">Its tokenizer, where the user named it.</param>
    /// <param name="compute">Where the run computes.</param>
    /// <param name="say">Told what there is to say.</param>
    /// <exception cref="LitException">No text store, its tower is not at hand, or another is named.</exception>
    public StoredTexts(string folder, string? named, string? tokenizer, ComputeDevice compute, Action<string> say)
        : this(
            folder,
            file => Load(named ?? file.Tower, tokenizer ?? file.Tokenizer, file.TokenLength, compute, say),
            compute
        ) { }

    /// <param name="folder">The text store.</param>
    /// <param name="locked">The text tower that made it, which belongs to this from now on.</param>
    /// <param name="compute">Where the run computes.</param>
    public StoredTexts(string folder, LockedText locked, ComputeDevice compute)
        : this(folder, _ => locked, compute) { }

    private StoredTexts(string folder, Func<TextStoreFile, LockedText> tower, ComputeDevice compute)
    {
        store = TextStore.Open(folder);
        try
        {
            Locked = tower(store.File);
            TextCheck.Fits(store, Locked);
            Tower = new(store, compute.Device);
            Tokenizer = new(NumbersOf(store), new(1, null, null, 0));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The text tower itself, which the model is given in the end.</summary>
    public LockedText Locked { get; }

    /// <summary>What stands in its place while heads are tuned.</summary>
    public StoredTextTower Tower { get; }

    /// <summary>Makes a text the number of its row.</summary>
    public CaptionTokenizer Tokenizer { get; }

    /// <summary>What made the store.</summary>
    public TextStoreFile File => store.File;

    /// <summary>The folder.</summary>
    public string Folder => store.Folder;

    /// <summary>
    /// Texts that go through a head at once: what a gated one keeps of them stays within a few hundred megabytes, and
    /// every part that is not the last of its lane is computed twice.
    /// </summary>
    public static int AtOnce(int batch) => Math.Min(batch, 8192);

    /// <summary>Makes a text the number of its row; equal texts have one.</summary>
    public static ITokenizer NumbersOf(TextStore store)
    {
        Dictionary<string, int> rowOfText = new(StringComparer.Ordinal);
        for (var row = 0L; row < store.Rows; row++)
            rowOfText.TryAdd(store.Words(row), checked((int)row));
        return new Numbers(rowOfText, store);
    }

    /// <summary>Matches texts to pictures.</summary>
    /// <param name="keys">The pictures', in their order.</param>
    /// <param name="pictures">Where they are, for messages.</param>
    /// <param name="say">Told how many match, and which is the first that does not.</param>
    /// <returns>The captions of each picture.</returns>
    /// <exception cref="LitException">No key is a picture's.</exception>
    public IReadOnlyList<string>[] Captions(IEnumerable<string> keys, string pictures, Action<string> say)
    {
        Dictionary<string, List<string>> textsOf = new(StringComparer.Ordinal);
        for (var row = 0L; row < store.Rows; row++)
        {
            if (!textsOf.TryGetValue(store.Key(row), out var own))
                textsOf.Add(store.Key(row), own = []);
            own.Add(store.Words(row));
        }
        HashSet<string> met = new(StringComparer.Ordinal);
        List<IReadOnlyList<string>> captions = [];
        var (without, firstWithout) = (0, "");
        foreach (var key in keys)
        {
            if (textsOf.TryGetValue(key, out var own))
                met.Add(key);
            else if (without++ == 0)
                firstWithout = key;
            captions.Add(own ?? []);
        }
        if (met.Count == 0)
            throw new LitException(
                Folder,
                $"none of its {textsOf.Count:N0} keys is a picture of {pictures}: '{store.Key(0)}' is one, and the "
                    + $"pictures are called like '{firstWithout}'",
                "Embed the captions of these pictures"
            );
        say(
            FormattableString.Invariant(
                $"{Folder}: {store.Rows:N0} texts of {textsOf.Count:N0} pictures, {met.Count:N0} of them in "
            ) + pictures
        );
        if (met.Count < textsOf.Count)
            say(
                FormattableString.Invariant($"{Folder}: {textsOf.Count - met.Count:N0} of its keys name no picture of ")
                    + $"{pictures}, the first '{textsOf.Keys.First(key => !met.Contains(key))}'"
            );
        if (without > 0)
            say(
                FormattableString.Invariant($"{Folder}: {without:N0} of the {captions.Count:N0} pictures of ")
                    + $"{pictures} have no text, the first '{firstWithout}'"
            );
        return [.. captions];
    }

    /// <summary>Rows that are spread over all, as the tower gave them.</summary>
    public Embeddings Some(int most)
    {
        var count = (int)Math.Min(most, store.Rows);
        var values = new float[(long)count * store.EmbeddingSize];
        for (var i = 0; i < count; i++)
            store.Read(
                i * store.Rows / count,
                values.AsSpan(i * store.EmbeddingSize, store.EmbeddingSize),
                ownLength: true
            );
        return new(values, store.EmbeddingSize);
    }

    private static LockedText Load(
        string name,
        string? tokenizer,
        int? length,
        ComputeDevice compute,
        Action<string> say
    )
    {
        try
        {
            return TextTowers.Load(name, tokenizer, length, compute, say);
        }
        catch (LitException gone) when (!Path.Exists(name) && !TowerPath.IsThere(name) && gone is not UsageException)
        {
            throw new LitException(
                name,
                "this text tower made the rows, the model needs it to read words, and it is not there",
                "Put it back, or name where it is with `TextTower`",
                gone
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Tower?.Dispose();
        Locked?.Dispose();
        store.Dispose();
    }

    /// <summary>A vocabulary of whole texts.</summary>
    private sealed class Numbers(IReadOnlyDictionary<string, int> rowOfText, TextStore store) : ITokenizer
    {
        public int VocabularySize { get; } = checked((int)store.Rows);

        public int? UnknownId => null;

        public IReadOnlyList<int> Encode(string text) =>
            [
                rowOfText.TryGetValue(text, out var row)
                    ? row
                    : throw new LitException(
                        store.Folder,
                        $"has no row for the text '{text}'",
                        "Embed the texts again with `TextRun(Texts, Update)`"
                    ),
            ];

        public string PieceOf(int id) => store.Words(id);

        public int? IdOf(string piece) => rowOfText.TryGetValue(piece, out var row) ? row : null;

        public IReadOnlyList<string> Save(string folder) =>
            throw new NotSupportedException("Numbers of rows are no tokenizer of a model.");
    }
}

/// <summary>Gives a text's stored row where a text tower would compute it, [B, 1] → [B, Width].</summary>
/// <param name="store">Open as long as this is used.</param>
/// <param name="device">Where rows are wanted.</param>
internal sealed class StoredTextTower(TextStore store, Device device) : TextTower(nameof(StoredTextTower))
{
    private const int RowsApart = 256;

    /// <inheritdoc/>
    public override int Width => store.EmbeddingSize;

    /// <inheritdoc/>
    public override int VocabularySize { get; } = checked((int)store.Rows);

    /// <inheritdoc/>
    public override int? MaxLength => 1;

    /// <inheritdoc/>
    public override bool MasksPadding => true;

    /// <inheritdoc/>
    public override Tensor forward(Tensor ids)
    {
        CheckLength(ids);
        var rows = ids.cpu().contiguous().data<long>().ToArray();
        // Of torch's own memory: products round by where numbers lie.
        var x = empty([rows.Length, store.EmbeddingSize], ScalarType.Float32, CPU);
        Fill(x, rows);
        return device.type == DeviceType.CPU ? x : x.to(device);
    }

    private unsafe void Fill(Tensor x, long[] rows)
    {
        var (start, size) = ((nint)TensorMemory.Address(x), store.EmbeddingSize);
        Parts.For(rows.Length, RowsApart, (from, to) =>
        {
            for (var i = from; i < to; i++)
                store.Read(rows[i], new Span<float>((float*)start + i * size, size), ownLength: true);
        });
        GC.KeepAlive(x);
    }
}

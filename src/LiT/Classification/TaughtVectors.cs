using System.Numerics.Tensors;
using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;

namespace LiT.Classification;

/// <summary>
/// The words that a model was taught by pictures, each with the embedding that speaks for it in place of the text
/// tower's. A text is such a word only as a whole, compared as prompts are written. Immutable.
/// </summary>
internal sealed class TaughtVectors
{
    /// <summary>The file's name inside a bundle; a bundle without it was taught nothing.</summary>
    public const string FileName = "taught.safetensors";

    /// <summary>As many as one model can be taught.</summary>
    public const int Most = 10_000;

    /// <summary>Letters of the longest word, or words.</summary>
    public const int LongestWord = 200;

    private const float Longest = 1e6f;

    private const string Vectors = "vectors",
        Entries = "words";

    private readonly Dictionary<string, int> places;
    private readonly Embeddings vectors;

    private TaughtVectors(IReadOnlyList<TaughtWord> words, Embeddings vectors)
    {
        (Words, this.vectors) = (words, vectors);
        places = words.Index().ToDictionary(one => Plain(one.Item.Word), one => one.Index, StringComparer.Ordinal);
    }

    /// <summary>None.</summary>
    /// <param name="size">E, the numbers in an embedding.</param>
    public static TaughtVectors None(int size) => new([], new([], size));

    /// <summary>The words, in the order in which they were taught.</summary>
    public IReadOnlyList<TaughtWord> Words { get; }

    /// <summary>Whether a text, as a whole, is a taught word.</summary>
    public bool Knows(string text) => Words.Count > 0 && places.ContainsKey(Plain(text));

    /// <summary>The word that a text is; null where it is none.</summary>
    public TaughtWord? Find(string text) => places.TryGetValue(Plain(text), out var place) ? Words[place] : null;

    /// <summary>The same words and one more, in the place of one of the same name.</summary>
    /// <param name="word">The word.</param>
    /// <param name="vector">Its embedding, E numbers, not of unit length (<see cref="WordTeaching"/>).</param>
    public TaughtVectors With(TaughtWord word, ReadOnlySpan<float> vector)
    {
        var rest = Without(word.Word);
        return new([.. rest.Words, word], new([.. rest.vectors.Values, .. vector], vectors.Size));
    }

    /// <summary>The same words without one.</summary>
    public TaughtVectors Without(string word)
    {
        var gone = places.GetValueOrDefault(Plain(word), -1);
        int[] stay = [.. Enumerable.Range(0, Words.Count).Where(place => place != gone)];
        return new([.. stay.Select(place => Words[place])], vectors.Select(stay));
    }

    /// <summary>Whether others are the same words, taught to be the same.</summary>
    public bool IsSameAs(TaughtVectors other) =>
        Words.SequenceEqual(other.Words) && vectors.Values.AsSpan().SequenceEqual(other.vectors.Values);

    /// <summary>Rows of texts, in which those of taught words are what they were taught to be.</summary>
    /// <param name="texts">The texts; null says nothing of its row.</param>
    /// <param name="rows">ztxt, one row a text. Stays as it is.</param>
    /// <param name="unit">Whether they are to be of unit length, as a direction to look in; else they have the length
    /// by which their logits are comparable with those of other texts.</param>
    public Embeddings Over(IReadOnlyList<string?> texts, Embeddings rows, bool unit)
    {
        if (Words.Count == 0)
            return rows;
        float[]? changed = null;
        for (var row = 0; row < texts.Count; row++)
            if (texts[row] is { } text && places.TryGetValue(Plain(text), out var place))
                TensorPrimitives.Divide(
                    vectors[place],
                    unit ? TensorPrimitives.Norm(vectors[place]) : 1,
                    (changed ??= [.. rows.Values]).AsSpan(row * rows.Size, rows.Size)
                );
        return changed is null ? rows : new(changed, rows.Size);
    }

    /// <summary>A word as it is compared.</summary>
    public static string Plain(string text) => PromptTemplates.Canonicalise(text);

    /// <summary>Writes them into a bundle, whole or not at all; none takes the file away.</summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public void Save(string folder)
    {
        if (Words.Count == 0)
        {
            Remove(folder);
            return;
        }
        using var rows = vectors.ToTensor();
        Safetensors.Write(
            Path.Combine(folder, FileName),
            [(Vectors, rows)],
            new Dictionary<string, string>
            {
                [Entries] = JsonSerializer.Serialize(
                    Words.Select(one => new Entry(one.Word, one.Pictures, one.Others)),
                    Written
                ),
            }
        );
    }

    /// <summary>Reads them from a bundle.</summary>
    /// <param name="folder">The bundle, or one of its languages.</param>
    /// <param name="size">E, the numbers in an embedding.</param>
    /// <exception cref="LitException">The file is damaged.</exception>
    public static TaughtVectors Load(string folder, int size)
    {
        var path = Path.Combine(folder, FileName);
        return File.Exists(path) ? Read(path, size) : None(size);
    }

    /// <summary>Reads a file of them.</summary>
    /// <param name="path">The file.</param>
    /// <param name="size">E; null for whatever it has.</param>
    /// <exception cref="LitException">The file is damaged.</exception>
    public static TaughtVectors Read(string path, int? size)
    {
        LitException Damaged(string what) =>
            new(path, $"damaged: {what}", "Delete the file and teach the words again, or copy the bundle again");
        using var file = Checkpoint.Open(path);
        if (!file.Tensors.ContainsKey(Vectors) || !file.Metadata.TryGetValue(Entries, out var json))
            throw Damaged("it has no words");
        Entry[]? entries;
        try
        {
            entries = JsonSerializer.Deserialize<Entry[]>(json, Written);
        }
        catch (JsonException)
        {
            throw Damaged("its words cannot be read");
        }
        using var rows = file.Read(Vectors);
        if (rows.dim() != 2 || rows.dtype != TorchSharp.torch.ScalarType.Float32)
            throw Damaged("its vectors are no rows of float32");
        if (entries is null or [] || entries.Length > Most || rows.shape[0] != entries.Length)
            throw Damaged($"{entries?.Length ?? 0} words for {rows.shape[0]} vectors");
        if (rows.shape[1] == 0 || (size is not null && rows.shape[1] != size))
            throw Damaged($"vectors of {rows.shape[1]} numbers, where the model has {size}");
        if (entries.Any(one => one is not { Word: { } word, Pictures: > 0, Others: > 0 } || !IsWord(word)))
            throw Damaged("one of its words is none");
        if (entries.DistinctBy(one => Plain(one.Word!), StringComparer.Ordinal).Count() < entries.Length)
            throw Damaged("a word stands in it twice");
        Embeddings vectors = new(rows.data<float>().ToArray(), (int)rows.shape[1]);
        for (var row = 0; row < vectors.Count; row++)
            if (!(TensorPrimitives.Norm(vectors[row]) is > 0 and < Longest))
                throw Damaged($"the vector of '{entries[row].Word}' is no direction");
        return new([.. entries.Select(one => new TaughtWord(one.Word!, one.Pictures, one.Others))], vectors);
    }

    /// <summary>The words that a bundle was taught, for a sentence about them; null where there are none.</summary>
    public static string? InWords(string folder)
    {
        const int Named = 5;
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            var words = Read(path, null).Words;
            return string.Join(", ", words.Take(Named).Select(one => $"'{one.Word}'"))
                + (words.Count > Named ? $" and {words.Count - Named} more" : "");
        }
        catch (LitException)
        {
            return "words"; // damaged
        }
    }

    /// <summary>Removes the file: a model that was tuned again was taught nothing yet.</summary>
    public static void Remove(string folder) => File.Delete(Linked.Target(Path.Combine(folder, FileName)));

    /// <summary>Whether something can be a word: letters or digits, and not too many.</summary>
    public static bool IsWord(string text) => text.Length <= LongestWord && Plain(text).Length > 0;

    private static readonly JsonSerializerOptions Written = new(JsonSerializerDefaults.Web) { MaxDepth = 8 };

    private sealed record Entry(string? Word, int Pictures, int Others);
}

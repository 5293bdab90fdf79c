using System.Text;
using LiT.Files;

namespace LiT.Classification;

/// <summary>
/// The words that the captions of a tuning run had. A model has an embedding for every other word, too, and nobody has
/// ever shown it a picture of one: no precision can be promised for it.
/// </summary>
internal sealed class SeenWords
{
    /// <summary>The file's name inside a bundle: one word a line, in order.</summary>
    public const string FileName = "words.txt";

    private const int Most = 2_000_000;

    private readonly HashSet<string> words;

    private SeenWords(HashSet<string> words) => this.words = words;

    /// <param name="captions">All that a run was tuned on.</param>
    /// <param name="before">What the text tower was tuned on before; null for nothing, or where it is not
    /// known.</param>
    /// <returns>Null where there are too many words to keep.</returns>
    public static SeenWords? Of(IEnumerable<string> captions, SeenWords? before = null)
    {
        HashSet<string> words = new(before?.words ?? [], StringComparer.Ordinal);
        foreach (var caption in captions)
        {
            words.UnionWith(In(caption));
            if (words.Count > Most)
                return null;
        }
        return new(words);
    }

    /// <returns>Null where a bundle does not say what its captions had.</returns>
    /// <exception cref="LitException">The file is there and cannot be read.</exception>
    public static SeenWords? Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            return new(new(File.ReadLines(path), StringComparer.Ordinal));
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                $"{path}: cannot be read ({trouble.Message.TrimEnd('.')}). Check the file and its permissions.",
                trouble
            );
        }
    }

    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public void Write(string folder) =>
        AtomicFile.WriteAllText(
            Path.Combine(folder, FileName),
            string.Concat(words.Order(StringComparer.Ordinal).Select(word => word + "\n"))
        );

    /// <summary>All of them, in order.</summary>
    public IReadOnlyList<string> Words => [.. words.Order(StringComparer.Ordinal)];

    /// <summary>Words of a text that no caption had, each once.</summary>
    public IReadOnlyList<string> Missing(string text) =>
        [.. In(text).Where(word => !words.Contains(word)).Distinct(StringComparer.Ordinal)];

    /// <summary>
    /// The words of a text as prompts write them; in scripts that put no spaces between words, its letters.
    /// </summary>
    internal static IEnumerable<string> In(string text)
    {
        foreach (var word in PromptTemplates.Canonicalise(text).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            StringBuilder rest = new();
            foreach (var rune in word.EnumerateRunes())
                if (IsWrittenWithoutSpaces(rune.Value))
                    yield return rune.ToString();
                else
                    rest.Append(rune.ToString());
            if (rest.Length > 0)
                yield return rest.ToString();
        }
    }

    // Thai, Lao, Burmese, Khmer, kana, and Chinese characters.
    private static bool IsWrittenWithoutSpaces(int letter) =>
        letter
            is >= 0x0E00
                and <= 0x0EFF
                or >= 0x1000
                and <= 0x109F
                or >= 0x1780
                and <= 0x17FF
                or >= 0x3040
                and <= 0x30FF
                or >= 0x3400
                and <= 0x9FFF
                or >= 0x20000
                and <= 0x3134F;
}

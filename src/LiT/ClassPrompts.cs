using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LiT.Classification;
using LiT.Text;

namespace LiT;

/// <summary>
/// What a vocabulary makes of the classes' prompts: two classes whose prompts are the same ids are one class to the
/// text tower, however their names are written, and a name of which no letter is known says nothing.
/// </summary>
internal static class ClassPrompts
{
    /// <summary>
    /// Pairs of classes whose prompts all become the same rows, each class with the first one like it.
    /// </summary>
    /// <param name="prompts">What <see cref="PromptTemplates.Fill"/> gives.</param>
    /// <param name="tokenizer">The text tower's.</param>
    /// <param name="taught">Words that do not go by their ids; null for none.</param>
    public static IReadOnlyList<(int First, int Second)> Twins(
        IReadOnlyList<Prompt> prompts,
        CaptionTokenizer tokenizer,
        TaughtVectors? taught = null
    )
    {
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        List<(int, int)> twins = [];
        foreach (var own in prompts.GroupBy(prompt => prompt.Class).OrderBy(group => group.Key))
        {
            if (own.Any(prompt => prompt.Label is { } label && taught?.Knows(label) == true))
                continue;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var prompt in own)
                hash.AppendData(MemoryMarshal.AsBytes(tokenizer.Row(prompt.Text, out _).AsSpan()));
            var mark = Convert.ToHexString(hash.GetHashAndReset());
            if (!first.TryAdd(mark, own.Key))
                twins.Add((first[mark], own.Key));
        }
        return twins;
    }

    /// <summary>
    /// Whether a vocabulary knows no piece of a text. Numbers beside words do not count: of an unread script they are
    /// often the one thing that is known, and say nothing of what is meant.
    /// </summary>
    public static bool IsUnread(string text, CaptionTokenizer tokenizer)
    {
        if (text.EnumerateRunes().Any(Rune.IsLetter))
            text = string.Concat(text.EnumerateRunes().Select(rune => Rune.IsNumber(rune) ? " " : rune.ToString()));
        var ids = tokenizer.Tokenizer.Encode(text);
        return ids.Count == 0 || (tokenizer.Tokenizer.UnknownId is { } unknown && ids.All(id => id == unknown));
    }

    /// <summary>What is odd about the classes as this text tower reads them, a sentence each.</summary>
    public static IEnumerable<string> Oddities(
        IReadOnlyList<string> names,
        IReadOnlyList<Prompt> prompts,
        CaptionTokenizer tokenizer,
        TaughtVectors? taught = null
    )
    {
        var twins = Twins(prompts, tokenizer, taught);
        if (twins.Count > 0)
            yield return $"{Pairs(names, twins)} the same to the text tower, which reads "
                + $"{Read(names, twins[0], tokenizer)}: it cannot tell them apart, and the lower number is "
                + "answered.";
        if (Unread(names, tokenizer, taught) is { Count: > 0 } unread)
            yield return UnreadInWords(unread);
    }

    /// <summary>Refuses classes that are one to the text tower.</summary>
    /// <exception cref="LitException">Two are.</exception>
    public static void Refuse(
        IReadOnlyList<string> names,
        IReadOnlyList<Prompt> prompts,
        CaptionTokenizer tokenizer,
        TaughtVectors? taught = null
    )
    {
        if (Twins(prompts, tokenizer, taught) is [var (first, second), ..])
            throw new LitException(
                $"The labels '{names[first]}' and '{names[second]}' are one to the text tower, which "
                    + $"reads {Read(names, (first, second), tokenizer)}. Give them names that differ in "
                    + "words."
            );
    }

    /// <summary>Names of which the vocabulary knows no piece, and which nobody taught.</summary>
    public static IReadOnlyList<string> Unread(
        IEnumerable<string> names,
        CaptionTokenizer tokenizer,
        TaughtVectors? taught = null
    ) =>
        [
            .. names.Where(name =>
                taught?.Knows(FirstAlias(name)) != true
                && IsUnread(PromptTemplates.Canonicalise(FirstAlias(name)), tokenizer)
            ),
        ];

    /// <summary>A sentence about names with words that no caption of the tuning had; none where every word is known.
    /// </summary>
    /// <param name="names">The classes.</param>
    /// <param name="prompts">What <see cref="PromptTemplates.Fill"/> gives; of a class its first.</param>
    /// <param name="unseen">Which words of a text are such.</param>
    public static IEnumerable<string> Unseen(
        IReadOnlyList<string> names,
        IReadOnlyList<Prompt> prompts,
        Func<string, IReadOnlyList<string>> unseen
    )
    {
        var all = prompts
            .DistinctBy(prompt => prompt.Class)
            .Select(prompt =>
                (Name: names[prompt.Class], Words: unseen(prompt.Label ?? FirstAlias(names[prompt.Class])))
            )
            .Where(one => one.Words.Count > 0)
            .ToList();
        if (all is [var (name, words), ..])
            yield return $"{all.Count} of {names.Count} class names have words that no caption of the tuning had, the "
                + $"first '{name}' ({string.Join(", ", words.Take(5))}): what is scored on them is what the text tower "
                + "makes of them, and nobody showed it a picture of one.";
    }

    /// <summary>A sentence about such names.</summary>
    public static string UnreadInWords(IReadOnlyList<string> unread) =>
        $"{Some([.. unread.Select(name => $"'{name}'")])}: the model's vocabulary knows no piece of "
        + $"{(unread.Count == 1 ? "it" : "them")}, so that "
        + $"{(unread.Count == 1 ? "it says" : "they say")} nothing to the text tower.";

    private static string Pairs(IReadOnlyList<string> names, IReadOnlyList<(int First, int Second)> twins) =>
        twins is [var (first, second)]
            ? $"the classes {first} '{names[first]}' and {second} '{names[second]}' are"
            : $"{twins.Count} classes are each the same as an earlier one "
                + "("
                + Some([
                    .. twins.Select(twin =>
                        $"{twin.First} '{names[twin.First]}' and {twin.Second} '{names[twin.Second]}'"
                    ),
                ])
                + "),";

    // The words where they are the same, else the pieces.
    private static string Read(IReadOnlyList<string> names, (int First, int Second) twin, CaptionTokenizer tokenizer)
    {
        var (one, other) = (
            PromptTemplates.Canonicalise(FirstAlias(names[twin.First])),
            PromptTemplates.Canonicalise(FirstAlias(names[twin.Second]))
        );
        return one == other
            ? $"'{one}' for both"
            : $"'{string.Join(' ', tokenizer.Tokenizer.Encode(one).Select(tokenizer.Tokenizer.PieceOf))}' "
                + "for both in the room it has";
    }

    private static string FirstAlias(string name) => name.Split(',')[0];

    private static string Some(IReadOnlyList<string> all) =>
        string.Join(", ", all.Take(3)) + (all.Count > 3 ? $" and {all.Count - 3} more" : "");
}

using System.Text;
using LiT.Drawings;

namespace LiT.Tests.Drawings;

/// <summary>Reads a caption without knowing how it was made: which kinds and colours its words name.</summary>
internal static class CaptionWords
{
    private static readonly string[][] Nouns =
    [
        .. DrawnVocabulary.Kinds.Select(kind =>
            kind.Nouns.SelectMany(noun => new[] { Normal(noun.One), Normal(noun.Many) }).Distinct().ToArray()
        ),
    ];

    private static readonly string[][] Adjectives =
    [
        .. DrawnVocabulary.Colours.Select(colour => colour.Words.Select(Normal).ToArray()),
    ];

    public static IReadOnlyList<int> KindsIn(string caption) => RowsIn(Nouns, caption);

    public static IReadOnlyList<int> ColoursIn(string caption) => RowsIn(Adjectives, caption);

    /// <summary>Lower case, words apart by one space, a space at both ends, no punctuation.</summary>
    public static string Normal(string text)
    {
        var words = new StringBuilder(" ");
        foreach (var c in text.ToLowerInvariant())
            if (char.IsLetterOrDigit(c))
                words.Append(c);
            else if (words[^1] != ' ')
                words.Append(' ');
        return words[^1] == ' ' ? words.ToString() : words.Append(' ').ToString();
    }

    private static List<int> RowsIn(string[][] rows, string caption)
    {
        var text = Normal(caption);
        var found = new List<int>();
        for (var row = 0; row < rows.Length; row++)
            if (Array.Exists(rows[row], word => text.Contains(word, StringComparison.Ordinal)))
                found.Add(row);
        return found;
    }
}

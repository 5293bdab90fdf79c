using System.Text;

namespace LiT.Tuning.Contrastive;

/// <summary>How much of what is said of a picture a step shows, and how many times at once.</summary>
/// <param name="Sentences">Share of the captions of several sentences of which one sentence is drawn.</param>
/// <param name="DropFirst">Share of the others of them that lose their first sentence.</param>
/// <param name="AtOnce">Captions of a picture in one batch, positives of each other.</param>
internal readonly record struct CaptionDraws(double Sentences, double DropFirst, int AtOnce)
{
    /// <summary>Whole captions, one at a time.</summary>
    public static CaptionDraws Whole { get; } = new(0, 0, 1);

    /// <summary>Whether captions are taken apart.</summary>
    public bool Splits => Sentences > 0 || DropFirst > 0;

    /// <summary>
    /// What may stand in a caption's place: all of it, all but its first sentence, and each sentence; of one sentence
    /// itself alone.
    /// </summary>
    public static IReadOnlyList<string> Forms(string caption)
    {
        var sentences = SentencesOf(caption);
        return sentences.Count < 2 ? [caption] : [caption, string.Join(' ', sentences.Skip(1)), .. sentences];
    }

    /// <summary>
    /// The sentences of a text. One ends at a full stop, an exclamation or a question mark before white space behind
    /// which no small letter follows, at such a mark of Chinese or Japanese, at a danda, and at a line's end.
    /// </summary>
    private static List<string> SentencesOf(string text)
    {
        List<string> all = [];
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var ends = text[i] switch
            {
                '\n' or '\r' or '。' or '！' or '？' or '।' => true,
                '.' or '!' or '?' or '…' => i + 1 < text.Length && char.IsWhiteSpace(text[i + 1]) && !Goes(text, i + 1),
                _ => false,
            };
            if (ends)
                Take(i + 1);
        }
        Take(text.Length);
        return all;

        void Take(int end)
        {
            var sentence = text[start..end].Trim();
            if (sentence.Any(char.IsLetterOrDigit))
                all.Add(sentence);
            start = end;
        }
    }

    /// <summary>Whether a small letter follows, as after "e.g. ".</summary>
    private static bool Goes(string text, int from)
    {
        var next = from;
        while (next < text.Length && char.IsWhiteSpace(text[next]))
            next++;
        return next < text.Length
            && Rune.TryGetRuneAt(text, next, out var rune)
            && Rune.GetUnicodeCategory(rune) == System.Globalization.UnicodeCategory.LowercaseLetter;
    }
}

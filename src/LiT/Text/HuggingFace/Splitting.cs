namespace LiT.Text.HuggingFace;

/// <summary>
/// What becomes of the places where a pattern matches (huggingface/tokenizers, SplitDelimiterBehavior).
/// </summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>A stretch of a text that a pattern matched, or that lies between two matches.</summary>
internal readonly record struct Stretch(int Start, int End, bool IsMatch);

internal static class Splitting
{
    internal static SplitBehavior Behavior(JsonPart part) =>
        part.Text switch
        {
            "Removed" => SplitBehavior.Removed,
            "Isolated" => SplitBehavior.Isolated,
            "MergedWithPrevious" => SplitBehavior.MergedWithPrevious,
            "MergedWithNext" => SplitBehavior.MergedWithNext,
            "Contiguous" => SplitBehavior.Contiguous,
            var other => throw part.Unsupported(
                $"behavior \"{other}\"",
                "Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous"
            ),
        };

    /// <summary>Stretches that cover the text: each character that matches is one of its own.</summary>
    internal static List<Stretch> Where(string text, Func<int, bool> matches)
    {
        var stretches = new List<Stretch>();
        var (last, at) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            var end = at + rune.Utf16SequenceLength;
            if (matches(rune.Value))
            {
                if (last < at)
                    stretches.Add(new(last, at, false));
                stretches.Add(new(at, end, true));
                last = end;
            }
            at = end;
        }
        if (last < text.Length)
            stretches.Add(new(last, text.Length, false));
        return stretches;
    }

    internal static IEnumerable<TextPart> Split(TextPart part, List<Stretch> stretches, SplitBehavior behavior) =>
        Joined(stretches, behavior).Where(s => s.End > s.Start).Select(s => part.Slice(s.Start, s.End - s.Start));

    private static IEnumerable<Stretch> Joined(List<Stretch> stretches, SplitBehavior behavior) =>
        behavior switch
        {
            SplitBehavior.Removed => stretches.Where(stretch => !stretch.IsMatch),
            SplitBehavior.Isolated => stretches,
            SplitBehavior.Contiguous => Forward(stretches, (isMatch, wasMatch) => isMatch == wasMatch),
            SplitBehavior.MergedWithPrevious => Forward(stretches, (isMatch, wasMatch) => isMatch && !wasMatch),
            _ => Backward(stretches),
        };

    private static List<Stretch> Forward(List<Stretch> stretches, Func<bool, bool, bool> joins)
    {
        var joined = new List<Stretch>();
        var wasMatch = false;
        foreach (var stretch in stretches)
        {
            if (joined.Count > 0 && joins(stretch.IsMatch, wasMatch))
                joined[^1] = joined[^1] with { End = stretch.End };
            else
                joined.Add(stretch);
            wasMatch = stretch.IsMatch;
        }
        return joined;
    }

    private static List<Stretch> Backward(List<Stretch> stretches)
    {
        var joined = new List<Stretch>();
        var wasMatch = false;
        for (var i = stretches.Count - 1; i >= 0; i--)
        {
            var stretch = stretches[i];
            if (joined.Count > 0 && stretch.IsMatch && !wasMatch)
                joined[^1] = joined[^1] with { Start = stretch.Start };
            else
                joined.Add(stretch);
            wasMatch = stretch.IsMatch;
        }
        joined.Reverse();
        return joined;
    }
}

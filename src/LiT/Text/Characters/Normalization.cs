using System.Text;

namespace LiT.Text.Characters;

/// <summary>
/// Unicode normalisation forms (Unicode Standard Annex 15) over the tables of version 15.0. Every method takes linear
/// time but for the sorting of long runs of combining marks, and reads a lone surrogate as U+FFFD. Characters that a
/// version did not know yet stay as they are.
/// </summary>
internal static class Normalization
{
    // Hangul syllables are composed by arithmetic (Unicode Standard, section 3.12).
    private const int SyllableBase = 0xAC00,
        LeadBase = 0x1100,
        VowelBase = 0x1161,
        TrailBase = 0x11A7;
    private const int LeadCount = 19,
        VowelCount = 21,
        TrailCount = 28,
        SyllableCount = LeadCount * VowelCount * TrailCount;

    internal static string Nfc(string text, UnicodeAge version = UnicodeAge.Version15) =>
        Ascii.IsValid(text) ? text : Compose(Decompose(text, compatibility: false, version), version);

    internal static string Nfd(string text, UnicodeAge version = UnicodeAge.Version15) =>
        Ascii.IsValid(text) ? text : CodePoints.Text(Decompose(text, compatibility: false, version));

    internal static string Nfkc(string text, UnicodeAge version = UnicodeAge.Version15) =>
        Ascii.IsValid(text) ? text : Compose(Decompose(text, compatibility: true, version), version);

    internal static string Nfkd(string text, UnicodeAge version = UnicodeAge.Version15) =>
        Ascii.IsValid(text) ? text : CodePoints.Text(Decompose(text, compatibility: true, version));

    /// <summary>
    /// toNFKC_Casefold without the last step to NFC, in NFD instead: what follows in tensorflow_text is NFD.
    /// </summary>
    internal static string NfkcCasefoldInNfd(string text)
    {
        if (Ascii.IsValid(text))
            return text.ToLowerInvariant();
        var tables = UnicodeTables.Version15;
        var folded = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (tables.NfkcCasefold.TryGetValue(rune.Value, out var mapped))
                folded.AddRange(mapped);
            else
                folded.Add(rune.Value);
        }
        return Nfd(CodePoints.Text(folded));
    }

    private static List<int> Decompose(string text, bool compatibility, UnicodeAge version)
    {
        var tables = UnicodeTables.Version15;
        var points = new List<int>(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (version < UnicodeAge.Version15 && tables.Age(rune.Value) > version)
                points.Add(rune.Value);
            else
                Decompose(rune.Value, compatibility, tables, points);
        }
        SortMarks(points, tables, version);
        return points;
    }

    private static void Decompose(int c, bool compatibility, UnicodeTables tables, List<int> points)
    {
        if (c < 0xA0)
        {
            points.Add(c);
        }
        else if ((uint)(c - SyllableBase) < SyllableCount)
        {
            var syllable = c - SyllableBase;
            points.Add(LeadBase + syllable / (VowelCount * TrailCount));
            points.Add(VowelBase + syllable % (VowelCount * TrailCount) / TrailCount);
            if (syllable % TrailCount != 0)
                points.Add(TrailBase + syllable % TrailCount);
        }
        else if (
            tables.Canonical.TryGetValue(c, out var parts)
            || compatibility && tables.Compatibility.TryGetValue(c, out parts)
        )
        {
            foreach (var part in parts)
                Decompose(part, compatibility, tables, points);
        }
        else
        {
            points.Add(c);
        }
    }

    // Runs of marks are put in the order of their combining classes, equal classes staying in place.
    private static void SortMarks(List<int> points, UnicodeTables tables, UnicodeAge version)
    {
        for (var i = 0; i < points.Count; i++)
        {
            if (Class(points[i], tables, version) == 0)
                continue;
            var end = i + 1;
            while (end < points.Count && Class(points[end], tables, version) != 0)
                end++;
            if (end - i > 1)
            {
                var sorted = points.GetRange(i, end - i).OrderBy(c => Class(c, tables, version)).ToArray();
                for (var k = 0; k < sorted.Length; k++)
                    points[i + k] = sorted[k];
            }
            i = end;
        }
    }

    private static string Compose(List<int> points, UnicodeAge version)
    {
        var tables = UnicodeTables.Version15;
        int starter = -1,
            written = 0,
            lastClass = 0;
        for (var i = 0; i < points.Count; i++)
        {
            var c = points[i];
            var own = Class(c, tables, version);
            var blocked = written - 1 != starter && (lastClass == 0 || lastClass >= own);
            if (starter >= 0 && !blocked && Composite(points[starter], c, tables) is { } composite)
            {
                points[starter] = composite;
                continue;
            }
            if (own == 0)
                starter = written;
            lastClass = own;
            points[written++] = c;
        }
        points.RemoveRange(written, points.Count - written);
        return CodePoints.Text(points);
    }

    private static int? Composite(int first, int second, UnicodeTables tables)
    {
        if ((uint)(first - LeadBase) < LeadCount && (uint)(second - VowelBase) < VowelCount)
            return SyllableBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TrailCount;
        if (
            (uint)(first - SyllableBase) < SyllableCount
            && (first - SyllableBase) % TrailCount == 0
            && second > TrailBase
            && second < TrailBase + TrailCount
        )
            return first + second - TrailBase;
        return tables.Compositions.TryGetValue((first, second), out var composite) ? composite : null;
    }

    private static byte Class(int c, UnicodeTables tables, UnicodeAge version) =>
        c >= 0x300
        && tables.CombiningClasses.TryGetValue(c, out var own)
        && (version == UnicodeAge.Version15 || tables.Age(c) <= version)
            ? own
            : (byte)0;
}

using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using LiT.Data;
using LiT.Images;

namespace LiT.Curation;

/// <summary>Counts names; beyond a number of different ones the rest is counted together.</summary>
internal sealed class Counter(int most)
{
    private const string Rest = "others";
    private readonly Dictionary<string, long> counts = new(StringComparer.Ordinal);

    public int Different => counts.Count;

    public void Add(string name)
    {
        if (!counts.ContainsKey(name) && counts.Count >= most)
            name = Rest;
        counts[name] = counts.GetValueOrDefault(name) + 1;
    }

    public List<Named> Top(int number) =>
        [
            .. counts
                .OrderByDescending(count => count.Value)
                .ThenBy(count => count.Key, StringComparer.Ordinal)
                .Take(number)
                .Select(count => new Named(count.Key, count.Value)),
        ];
}

/// <summary>
/// Texts that come often, counted by hash; the words are kept from the second time on, of a bounded number.
/// </summary>
internal sealed class FrequentTexts
{
    private const int MostKept = 100_000,
        Longest = 200;
    private readonly Dictionary<UInt128, int> counts = [];
    private readonly Dictionary<UInt128, string> words = [];

    /// <summary>Counts a text; true where it came before, case and marks aside.</summary>
    public bool Add(string text)
    {
        var hash = CaptionWords.Hash(CaptionWords.Plain(text));
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(counts, hash, out _);
        count++;
        if (count == 2 && words.Count < MostKept)
            words[hash] = text.Length > Longest ? text[..Longest] + " …" : text;
        return count > 1;
    }

    public List<Named> Top(int number) =>
        [
            .. words
                .Select(word => new Named(word.Value, counts[word.Key]))
                .OrderByDescending(named => named.Count)
                .ThenBy(named => named.Name, StringComparer.Ordinal)
                .Take(number),
        ];
}

/// <summary>Samples spread evenly over a source of unknown length: every n-th, n doubling as it grows.</summary>
internal sealed class Examples(int most)
{
    private readonly List<(string Key, RgbImage Image, string? Words)> all = [];
    private long offered,
        every = 1;

    public IReadOnlyList<(string Key, RgbImage Image, string? Words)> All => all;

    public void Offer(Sample sample, byte[] image)
    {
        if (most == 0 || offered++ % every != 0)
            return;
        try
        {
            all.Add(
                (
                    sample.Key,
                    Thumbnail.Scaled(Decoding.Decode(image, DecodingOptions.Upright, sample.Origin), 160),
                    sample.Captions.Count > 0 ? sample.Captions[0] : sample.Label
                )
            );
        }
        catch (PictureException)
        {
            return;
        }
        if (all.Count <= most)
            return;
        for (var i = all.Count - 1; i >= 0; i--)
            if (i % 2 == 1)
                all.RemoveAt(i);
        every *= 2;
    }
}

/// <summary>Reasons without the numbers and names that make each its own.</summary>
internal static partial class Reasons
{
    public static string Kind(string reason)
    {
        var end = reason.IndexOf(" (", StringComparison.Ordinal);
        if (end > 0)
            reason = reason[..end];
        if (reason.LastIndexOf(": ", StringComparison.Ordinal) is >= 0 and var colon)
            reason = reason[(colon + 2)..];
        return Number().Replace(reason, "N");
    }

    [GeneratedRegex(@"\d[\d,.]*")]
    private static partial Regex Number();
}

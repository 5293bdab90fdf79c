using System.Runtime.InteropServices;
using LiT.Data;

namespace LiT.Curation;

/// <summary>
/// How often captions, words and pairs of words come in a source; some 40 bytes for each different one.
/// </summary>
internal sealed class CaptionCensus
{
    private readonly Dictionary<UInt128, int> captions = [],
        tokens = [];

    /// <summary>Reads a source's words; no picture is opened.</summary>
    /// <param name="source">The source.</param>
    /// <param name="withTokens">Whether words and pairs of words are counted, too.</param>
    /// <param name="progress">Told of samples.</param>
    /// <param name="cancel">Stops between two samples.</param>
    public static CaptionCensus Of(
        SampleSource source,
        bool withTokens,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var census = new CaptionCensus();
        var done = 0L;
        foreach (var sample in source.Read(_ => { }))
        {
            cancel.ThrowIfCancellationRequested();
            foreach (var caption in sample.Captions)
            {
                Add(census.captions, CaptionWords.Plain(caption));
                if (withTokens)
                    foreach (var token in Tokens(caption))
                        Add(census.tokens, token);
            }
            if (++done % 256 == 0)
                progress?.Report(new("counting captions", done, source.KnownCount, "samples"));
        }
        return census;
    }

    /// <summary>How many pictures have this caption, the case and marks aside.</summary>
    public int CountOf(string caption) => captions.GetValueOrDefault(CaptionWords.Hash(CaptionWords.Plain(caption)));

    /// <summary>The first word or pair of words that comes less often than it must, or null.</summary>
    public string? RareIn(string caption, int fewest) =>
        Tokens(caption).FirstOrDefault(token => tokens.GetValueOrDefault(CaptionWords.Hash(token)) < fewest);

    /// <summary>Words and pairs of neighbours.</summary>
    private static IEnumerable<string> Tokens(string caption)
    {
        string? before = null;
        foreach (var word in CaptionWords.Of(caption))
        {
            yield return word;
            if (before is not null)
                yield return $"{before} {word}";
            before = word;
        }
    }

    private static void Add(Dictionary<UInt128, int> counts, string text) =>
        CollectionsMarshal.GetValueRefOrAddDefault(counts, CaptionWords.Hash(text), out _)++;
}

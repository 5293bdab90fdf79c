using LiT.Data;
using LiT.Images;

namespace LiT.Duplicates;

/// <summary>A pair to look at.</summary>
/// <param name="Step">The step that found it.</param>
/// <param name="Level">How it was found.</param>
/// <param name="How">The distance or cosine in words.</param>
/// <param name="Key">The picture that goes.</param>
/// <param name="OfKey">The picture that it repeats.</param>
internal sealed record ShownPair(string Step, DuplicateLevel Level, string How, string Key, string OfKey)
{
    /// <summary>The picture that goes, small; null where the source holds no pictures.</summary>
    public RgbImage? Image { get; private set; }

    /// <summary>The picture that it repeats, small.</summary>
    public RgbImage? Of { get; private set; }

    private SampleSource? source,
        otherSource;

    /// <summary>
    /// Pairs of each level: half of them those that are nearest to being none, where a threshold shows whether it is right, the
    /// others spread over the rest.
    /// </summary>
    internal static IEnumerable<ShownPair> Choose(
        IEnumerable<Match> matches,
        PictureSet of,
        PictureSet other,
        SampleSource source,
        SampleSource otherSource,
        string step,
        int count
    )
    {
        foreach (var level in matches.GroupBy(match => match.Level).OrderBy(level => level.Key))
        {
            var ordered = level
                .OrderBy(match => match.Cosine ?? -match.Distance ?? 0)
                .ThenBy(match => match.Picture)
                .ToList();
            var half = Math.Min(ordered.Count, (count + 1) / 2);
            var rest = ordered.Skip(half).ToList();
            var every = Math.Max(1, rest.Count / Math.Max(1, count - half));
            foreach (var match in ordered.Take(half).Concat(rest.Where((_, i) => i % every == 0).Take(count - half)))
                yield return new(step, match.Level, Words(match), of.Key(match.Picture), other.Key(match.Of))
                {
                    source = source,
                    otherSource = otherSource,
                };
        }
    }

    /// <summary>Reads the pictures of pairs, each source once.</summary>
    public static void ReadPictures(IReadOnlyList<ShownPair> pairs, CancellationToken cancel)
    {
        var sources = pairs.SelectMany(pair => new[] { pair.source!, pair.otherSource! }).Distinct().ToList();
        foreach (var from in sources)
        {
            var wanted = pairs
                .Where(pair => pair.source == from)
                .Select(pair => pair.Key)
                .Concat(pairs.Where(pair => pair.otherSource == from).Select(pair => pair.OfKey))
                .ToHashSet();
            var images = new Dictionary<string, RgbImage?>();
            foreach (var sample in from.Read(_ => { }))
            {
                cancel.ThrowIfCancellationRequested();
                if (sample.ReadImage is null || !wanted.Contains(sample.Key))
                    continue;
                try
                {
                    images[sample.Key] = Thumbnail.Scaled(
                        Decoding.Decode(sample.ReadImage(), origin: sample.Origin),
                        200
                    );
                }
                catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
                {
                    images[sample.Key] = null;
                }
                if (images.Count == wanted.Count)
                    break;
            }
            foreach (var pair in pairs)
            {
                if (pair.source == from)
                    pair.Image = images.GetValueOrDefault(pair.Key);
                if (pair.otherSource == from)
                    pair.Of = images.GetValueOrDefault(pair.OfKey);
            }
        }
    }

    private static string Words(Match match) =>
        match.Level switch
        {
            DuplicateLevel.Bytes => "same bytes",
            DuplicateLevel.Picture => $"{match.Distance} of 64 bits differ",
            _ => FormattableString.Invariant($"cosine {match.Cosine:F4}"),
        };
}

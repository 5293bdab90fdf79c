using LiT.Data;
using LiT.Images;
using LiT.Text;

namespace LiT.Curation;

/// <summary>How often something comes.</summary>
internal sealed record Named(string Name, long Count);

/// <summary>What a source holds, in numbers.</summary>
internal sealed record SourceStatistics
{
    /// <summary>The source as it was given.</summary>
    public required string Source { get; init; }

    /// <summary>Its form in words.</summary>
    public required string Form { get; init; }

    /// <summary>Samples found, used and skipped: found = used + skipped.</summary>
    public required long Found { get; init; }

    /// <inheritdoc cref="Found"/>
    public required long Used { get; init; }

    /// <inheritdoc cref="Found"/>
    public required long Skipped { get; init; }

    /// <summary>Parts of samples that were left out or mended.</summary>
    public required long Noted { get; init; }

    /// <summary>Why samples were skipped, the most frequent reasons first.</summary>
    public required IReadOnlyList<Named> SkippedBecause { get; init; }

    /// <summary>Bytes of all pictures.</summary>
    public required long ImageBytes { get; init; }

    /// <summary>Pictures whose header could not be read; they are used samples whose decoding will fail.</summary>
    public required long UnreadablePictures { get; init; }

    /// <summary>Formats by content.</summary>
    public required IReadOnlyList<Named> Formats { get; init; }

    /// <summary>Encoded size in bytes.</summary>
    public Distribution? FileSize { get; init; }

    /// <summary>Shorter side in pixels.</summary>
    public Distribution? ShorterSide { get; init; }

    /// <summary>Longer side over shorter side, in hundredths.</summary>
    public Distribution? AspectPercent { get; init; }

    /// <summary>Counts of shorter sides by range.</summary>
    public required IReadOnlyList<Named> ShorterSides { get; init; }

    /// <summary>Pictures whose bytes came before.</summary>
    public required long DuplicatePictures { get; init; }

    /// <summary>All captions.</summary>
    public required long Captions { get; init; }

    /// <summary>Pictures without a caption.</summary>
    public required long WithoutCaption { get; init; }

    /// <summary>Pictures without a label.</summary>
    public required long WithoutLabel { get; init; }

    /// <summary>Captions a picture.</summary>
    public Distribution? CaptionsPerPicture { get; init; }

    /// <summary>Words a caption.</summary>
    public Distribution? Words { get; init; }

    /// <summary>Characters a caption.</summary>
    public Distribution? Characters { get; init; }

    /// <summary>Counts of captions by number of words.</summary>
    public required IReadOnlyList<Named> WordCounts { get; init; }

    /// <summary>Captions that came before, case and marks aside.</summary>
    public required long DuplicateCaptions { get; init; }

    /// <summary>The captions that come most often.</summary>
    public required IReadOnlyList<Named> FrequentCaptions { get; init; }

    /// <summary>
    /// Languages, as far as they can be told without a model: by script, and by short frequent words.
    /// </summary>
    public required IReadOnlyList<Named> Languages { get; init; }

    /// <summary>Number of different labels.</summary>
    public required int LabelCount { get; init; }

    /// <summary>The most frequent labels.</summary>
    public required IReadOnlyList<Named> Labels { get; init; }

    /// <summary>What a tokenizer makes of the captions, where one was given.</summary>
    public TokenStatistics? Tokens { get; init; }

    /// <summary>Samples to look at, spread over the source.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public IReadOnlyList<(string Key, RgbImage Image, string? Words)> Examples { get; init; } = [];
}

/// <summary>What a tokenizer makes of captions.</summary>
/// <param name="Length">Places in a row.</param>
/// <param name="Truncated">Captions that do not fit.</param>
/// <param name="Pieces">Pieces of all captions.</param>
/// <param name="Unknown">Pieces that stand for what the vocabulary lacks.</param>
/// <param name="PerCaption">Pieces a caption, start and end left out.</param>
internal sealed record TokenStatistics(int Length, long Truncated, long Pieces, long Unknown, Distribution? PerCaption);

/// <summary>
/// Reads a source once and counts; memory grows by some 100 bytes for each different picture and caption.
/// </summary>
internal static class StatisticsRun
{
    private const int AheadCount = 64,
        MostFrequent = 20,
        MostExamples = 24,
        MostLabels = 1_000_000;

    private sealed record Looked(
        Found Found,
        UInt128 Hash,
        PictureFormat Format,
        int Bytes,
        (int Width, int Height)? Size,
        byte[]? Image,
        string? Lost
    );

    /// <param name="source">Any form of data; of an embedding store only the words are counted.</param>
    /// <param name="tokenizer">Counts pieces and captions that are cut, if it is given.</param>
    /// <param name="withExamples">Whether some pictures are kept to look at.</param>
    /// <param name="progress">Told of samples.</param>
    /// <param name="cancel">Stops between two samples.</param>
    /// <exception cref="LitException">The source as a whole cannot be read.</exception>
    public static SourceStatistics Run(
        SampleSource source,
        CaptionTokenizer? tokenizer = null,
        bool withExamples = false,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        SourceCounts counts = new(tokenizer, withExamples ? MostExamples : 0);
        foreach (var one in Ahead.InOrder(source.ReadAll(), Look, AheadCount, cancel))
        {
            counts.Add(one);
            if (counts.Found % 64 == 0)
                progress?.Report(
                    new(
                        "counting",
                        counts.Found,
                        source.KnownCount,
                        "samples",
                        counts.Skipped > 0 ? $"{counts.Skipped} skipped" : null
                    )
                );
        }
        return counts.Of(source);
    }

    /// <summary>What is counted while a source is read.</summary>
    private sealed class SourceCounts(CaptionTokenizer? tokenizer, int mostExamples)
    {
        private readonly Counter reasons = new(200),
            formats = new(20),
            languages = new(200),
            labels = new(MostLabels);
        private readonly Tally fileSize = new(),
            side = new(),
            aspect = new(),
            perPicture = new(),
            words = new(),
            characters = new(),
            pieces = new();
        private readonly HashSet<UInt128> seen = [];
        private readonly FrequentTexts frequent = new();
        private readonly Examples examples = new(mostExamples);
        private CaptionCounts tokens = new();
        private long used,
            noted,
            imageBytes,
            unreadable,
            duplicates,
            captions,
            without,
            unlabelled,
            duplicateCaptions;

        public long Skipped { get; private set; }

        public long Found => used + Skipped;

        public void Add(Looked one)
        {
            if (one.Found.Skipped is { InPart: true })
                noted++;
            else if (one.Found.Skipped is not null || one.Lost is not null)
            {
                Skipped++;
                reasons.Add(Reasons.Kind(one.Lost ?? one.Found.Skipped!.Reason));
            }
            else
            {
                used++;
                var sample = one.Found.Sample!;
                if (sample.ReadImage is not null)
                    AddPicture(sample, one);
                AddWords(sample);
            }
        }

        private void AddPicture(Sample sample, Looked one)
        {
            imageBytes += one.Bytes;
            fileSize.Add(one.Bytes);
            formats.Add(one.Format == PictureFormat.Unknown ? "none that is read" : one.Format.ToString());
            if (!seen.Add(one.Hash))
                duplicates++;
            if (one.Size is var (width, height) && Math.Min(width, height) > 0)
            {
                side.Add(Math.Min(width, height));
                aspect.Add(100L * Math.Max(width, height) / Math.Min(width, height));
                examples.Offer(sample, one.Image!);
            }
            else
                unreadable++;
        }

        private void AddWords(Sample sample)
        {
            perPicture.Add(sample.Captions.Count);
            if (sample.Captions.Count == 0)
                without++;
            if (sample.Label is { } label)
                labels.Add(label);
            else
                unlabelled++;
            foreach (var caption in sample.Captions)
            {
                captions++;
                words.Add(CaptionWords.Count(caption));
                characters.Add(caption.EnumerateRunes().Count());
                languages.Add(Curation.Languages.Of(caption));
                if (frequent.Add(caption))
                    duplicateCaptions++;
                if (tokenizer?.Count([caption]) is not { } count)
                    continue;
                tokens += count;
                pieces.Add(count.Pieces);
            }
        }

        public SourceStatistics Of(SampleSource source) =>
            new()
            {
                Source = source.Path,
                Form = source.Form,
                Found = Found,
                Used = used,
                Skipped = Skipped,
                Noted = noted,
                SkippedBecause = reasons.Top(MostFrequent),
                ImageBytes = imageBytes,
                UnreadablePictures = unreadable,
                Formats = formats.Top(MostFrequent),
                FileSize = fileSize.Result,
                ShorterSide = side.Result,
                AspectPercent = aspect.Result,
                ShorterSides = Ranges(side, 32, 64, 128, 200, 256, 384, 512, 768, 1024, 2048, 4096),
                DuplicatePictures = duplicates,
                Captions = captions,
                WithoutCaption = without,
                WithoutLabel = unlabelled,
                CaptionsPerPicture = perPicture.Result,
                Words = words.Result,
                Characters = characters.Result,
                WordCounts = Ranges(words, 1, 2, 3, 5, 8, 12, 16, 21, 31, 51, 101),
                DuplicateCaptions = duplicateCaptions,
                FrequentCaptions = frequent.Top(MostFrequent),
                Languages = languages.Top(MostFrequent),
                LabelCount = labels.Different,
                Labels = labels.Top(MostFrequent),
                Tokens = tokenizer is null
                    ? null
                    : new(tokenizer.Layout.Length, tokens.Truncated, tokens.Pieces, tokens.Unknown, pieces.Result),
                Examples = examples.All,
            };
    }

    /// <summary>Counts by range, from the first range with something in it to the last.</summary>
    private static List<Named> Ranges(Tally tally, params long[] edges)
    {
        var all = tally.Between(edges).Select(range => new Named(range.Range, range.Count)).ToList();
        var (first, last) = (all.FindIndex(range => range.Count > 0), all.FindLastIndex(range => range.Count > 0));
        return first < 0 ? [] : all[first..(last + 1)];
    }

    private static Looked Look(Found found)
    {
        if (found.Sample is not { ReadImage: { } read } sample)
            return new(found, default, default, 0, null, null, null);
        try
        {
            var image = read();
            (int, int)? size = null;
            try
            {
                size = Decoding.ReadSize(image, origin: sample.Origin);
            }
            catch (PictureException) { }
            return new(
                found,
                System.IO.Hashing.XxHash128.HashToUInt128(image),
                PictureFormats.Of(image),
                image.Length,
                size,
                image,
                null
            );
        }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
        {
            return new(found, default, default, 0, null, null, trouble.Message);
        }
    }
}

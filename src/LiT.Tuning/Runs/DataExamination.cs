using System.Security.Cryptography;
using System.Text;
using LiT.Data;
using LiT.Stores;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>The training doctor before a run: looks at the pairs, the validation set and the machine.</summary>
internal static class DataExamination
{
    private const double ManyDuplicates = 0.5,
        ManyTruncated = 0.1,
        ManyUnknown = 0.02,
        SecondScript = 0.05,
        Alike = 1e-4;
    private const int FewPairs = 16;
    private const int RowsLookedAt = 1000,
        LettersLookedAt = 2_000_000;

    /// <summary>Whether there are pairs enough for a run of so many steps to learn more than them.</summary>
    internal static Finding? Amount(TuningPairs pairs, TuningOptions options) =>
        pairs.Count < FewPairs
            ? new(
                Complaint.TooFewPairs,
                null,
                Seen(pairs.Count, options.Steps * (double)options.Batch / pairs.Count),
                "A model that names what it has not seen takes some hundreds of pairs at least; thousands are better."
            )
            : null;

    private static string Seen(int pairs, double times) =>
        times < 1.5
            ? $"{pairs} pairs, {(times < 1 ? "not all of them seen" : "each of them seen once")}: "
                + "a text tower learns nothing from that."
            : FormattableString.Invariant($"{pairs} pairs, each of them seen {times:N0} times: ")
                + "the text tower will know them by heart, and nothing else.";

    /// <summary>What captions and pictures are like.</summary>
    internal static IEnumerable<Finding> Pairs(TuningPairs pairs, IEnumerable<string> captions)
    {
        var repeated = 1 - pairs.DistinctRows / (double)pairs.Captions;
        if (repeated > ManyDuplicates && pairs.Captions > 1)
        {
            var (most, times) = MostFrequent(captions);
            yield return new(
                Complaint.DuplicateCaptions,
                null,
                $"{Percent(repeated)} of the {pairs.Captions:N0} captions say what another says "
                    + $"({pairs.DistinctRows:N0} are distinct; '{most}' stands {times:N0} times).",
                "Equal captions in a batch count as positives of each other (`Positives` shared); "
                    + "with longer, more different captions the text tower would learn more."
            );
        }
        var counts = pairs.Counts;
        if (counts.Truncated > ManyTruncated * counts.Captions)
            yield return new(
                Complaint.TruncatedCaptions,
                null,
                $"{Percent(counts.Truncated / (double)counts.Captions)} of the distinct captions do "
                    + $"not fit {pairs.Length} ids and lose their end.",
                $"Give `TokenLength` {Math.Min(256, pairs.Length * 2)}, or shorter captions with the "
                    + "important words first."
            );
        if (counts.Unknown > ManyUnknown * counts.Pieces)
            yield return new(
                Complaint.UnknownTokens,
                null,
                $"the vocabulary lacks {Percent(counts.Unknown / (double)counts.Pieces)} of what the captions say.",
                "Make one from the captions (leave `Tokenizer` out, or 'lit tokenizer train'), or "
                    + "give a vocabulary of their language."
            );
        var scripts = Scripts.Shares(captions, LettersLookedAt);
        if (scripts.Count > 1 && scripts[1].Share > SecondScript)
            yield return new(
                Complaint.LanguageMix,
                null,
                "captions are written in several scripts: "
                    + string.Join(
                        ", ",
                        scripts.Where(one => one.Share > 0.01).Select(one => $"{one.Script} {Percent(one.Share)}")
                    )
                    + ".",
                "That is fine where it is meant; see that the vocabulary has them all and that "
                    + "prompts are asked in the same languages."
            );
        if (pairs.Pictures.Shape.Count == 1 && Spread(pairs.Pictures) < Alike)
            yield return new(
                Complaint.Collapse,
                null,
                "all pictures have the same embedding, so no caption can be told from another.",
                "See that the image tower has its weights and the store its own pictures: 'lit "
                    + "models show', 'lit data stats'."
            );
    }

    /// <summary>Pictures of the validation set that are tuned on, by the bytes of their files.</summary>
    internal static Finding? Overlap(IEnumerable<byte[]> tuned, string validation, IEnumerable<byte[]> hashes)
    {
        var known = tuned.Select(Convert.ToHexString).Where(hash => hash.Length > 0).ToHashSet(StringComparer.Ordinal);
        var (all, seen) = (0, 0);
        foreach (var hash in hashes)
        {
            all++;
            if (known.Contains(Convert.ToHexString(hash)))
                seen++;
        }
        return seen == 0
            ? null
            : new(
                Complaint.ValidationOverlap,
                null,
                $"{seen:N0} of the {all:N0} pictures in {validation} are tuned on as well, so "
                    + "validation flatters the model.",
                "Take them out of the data, or validate on others."
            );
    }

    /// <summary>Hashes of a validation set's pictures; those that cannot be read are left out.</summary>
    internal static IEnumerable<byte[]> Hashes(string path, IReadOnlyList<Sample> samples)
    {
        if (EmbeddingStore.IsStore(path))
        {
            using var store = EmbeddingStore.Open(path);
            for (var row = 0L; row < store.Rows; row += store.Views)
                yield return store.Sha256(row);
            yield break;
        }
        foreach (var sample in samples)
        {
            byte[] hash;
            try
            {
                hash = SHA256.HashData(sample.ReadImage?.Invoke() ?? []);
            }
            catch (Exception trouble) when (trouble is LitException or IOException)
            {
                continue;
            }
            yield return hash;
        }
    }

    /// <summary>Whether memory and disk are enough for what the run is expected to take.</summary>
    internal static IEnumerable<Finding> Machine(RunNeeds needs, long memory, long disk)
    {
        if (needs.Memory > memory)
            yield return new(
                Complaint.TooLittleMemory,
                null,
                $"the run will take about {Size(needs.Memory)} of memory, and this machine has {Size(memory)}.",
                "Give a smaller `MicroBatch` (which does not change the result) or a smaller text tower."
            );
        if (needs.Disk > disk)
            yield return new(
                Complaint.TooLittleDisk,
                null,
                $"the run will write about {Size(needs.Disk)}, and the disk has {Size(disk)} left.",
                "Free some space, or tune into a folder on another disk."
            );
    }

    internal static string Size(long bytes) =>
        bytes >= 1e8
            ? FormattableString.Invariant($"{bytes / 1e9:0.0} GB")
            : FormattableString.Invariant($"{Math.Ceiling(bytes / 1e6):0} MB");

    private static (string Caption, int Times) MostFrequent(IEnumerable<string> captions)
    {
        var (most, times) = captions
            .GroupBy(caption => caption, StringComparer.Ordinal)
            .Select(group => (group.Key, group.Count()))
            .MaxBy(one => one.Item2);
        return (most.Length > 60 ? most[..60] + "…" : most, times);
    }

    /// <summary>Mean squared distance of unit vectors from their mean.</summary>
    private static double Spread(ITuningImages pictures)
    {
        var size = (int)pictures.Shape[0];
        var count = Math.Min(pictures.Count, RowsLookedAt);
        if (count < 2)
            return double.MaxValue;
        var mean = new double[size];
        var row = new float[size];
        for (var i = 0; i < count; i++)
        {
            pictures.Read((int)((long)i * pictures.Count / count), 0, row);
            var length = Math.Sqrt(row.Sum(one => (double)one * one)) + 1e-8;
            for (var j = 0; j < size; j++)
                mean[j] += row[j] / length / count;
        }
        return 1 - mean.Sum(one => one * one);
    }

    private static string Percent(double share) => FormattableString.Invariant($"{100 * share:F1}%");
}

/// <summary>Which scripts texts are written in.</summary>
internal static class Scripts
{
    private static readonly (string Name, int From, int To)[] Ranges =
    [
        ("Latin", 'A', 0x24F),
        ("Latin", 0x1E00, 0x1EFF),
        ("Greek", 0x370, 0x3FF),
        ("Cyrillic", 0x400, 0x52F),
        ("Hebrew", 0x590, 0x5FF),
        ("Arabic", 0x600, 0x77F),
        ("Devanagari", 0x900, 0x97F),
        ("Bengali", 0x980, 0x9FF),
        ("Tamil", 0xB80, 0xBFF),
        ("Thai", 0xE00, 0xE7F),
        ("Georgian", 0x10A0, 0x10FF),
        ("Hangul", 0x1100, 0x11FF),
        ("Japanese", 0x3040, 0x30FF),
        ("Chinese", 0x3400, 0x9FFF),
        ("Hangul", 0xAC00, 0xD7A3),
        ("Chinese", 0x20000, 0x3134F),
    ];

    /// <summary>Shares of all letters, the largest first.</summary>
    internal static IReadOnlyList<(string Script, double Share)> Shares(IEnumerable<string> texts, int mostLetters)
    {
        var counts = new Dictionary<string, long>();
        var letters = 0L;
        foreach (var text in texts)
        {
            foreach (var rune in text.EnumerateRunes())
            {
                if (!Rune.IsLetter(rune))
                    continue;
                letters++;
                var name = Array.Find(Ranges, range => rune.Value >= range.From && rune.Value <= range.To).Name
                    ?? "other";
                counts[name] = counts.GetValueOrDefault(name) + 1;
            }
            if (letters > mostLetters)
                break;
        }
        return [.. counts.Select(one => (one.Key, one.Value / (double)letters)).OrderByDescending(one => one.Item2)];
    }
}

using LiT.Data;

namespace LiT.Evaluation;

/// <summary>
/// How many pictures, captions and classes a published protocol of a test set has: another number is another test.
/// </summary>
/// <param name="Part">What is counted: "Karpathy's test part".</param>
/// <param name="Pictures">Pictures.</param>
/// <param name="Captions">Captions, every one of every picture; null where they are none, or not the
/// protocol's.</param>
/// <param name="Classes">Classes; null where they are none, or a picture may have several.</param>
internal sealed record PublishedCount(string Part, int Pictures, int? Captions = null, int? Classes = null)
{
    /// <summary>In words: "5,000 pictures, 25,010 captions (Karpathy's test part)".</summary>
    public override string ToString() => $"{Counted(Pictures, Captions, Classes)} ({Part})";

    internal static string Counted(long pictures, long? captions, long? classes) =>
        FormattableString.Invariant($"{pictures:N0} pictures")
        + (captions is { } words ? FormattableString.Invariant($", {words:N0} captions") : "")
        + (classes is { } names ? FormattableString.Invariant($", {names:N0} classes") : "");

    /// <summary>
    /// What differs between pictures that were read of a named set and its published protocol; null where nothing
    /// does.
    /// </summary>
    /// <param name="set">The set.</param>
    /// <param name="samples">Its pictures that can be used.</param>
    public static string? Difference(TestSet set, IEnumerable<Sample> samples)
    {
        if (set.Published.Count == 0)
            return null;
        long pictures = 0,
            captions = 0;
        HashSet<string> labels = new(StringComparer.Ordinal);
        foreach (var sample in samples)
        {
            pictures++;
            captions += sample.Captions.Count;
            if (sample.Label is { } label)
                labels.Add(label);
        }
        if (
            set.Published.Any(one =>
                one.Pictures == pictures
                && (one.Captions is null || one.Captions == captions)
                && (one.Classes is null || one.Classes == labels.Count)
            )
        )
            return null;
        var (withCaptions, withClasses) = (
            set.Published.Any(one => one.Captions is not null),
            set.Published.Any(one => one.Classes is not null)
        );
        return $"{set.Name}: "
            + $"{Counted(pictures, withCaptions ? captions : null, withClasses ? labels.Count : null)}, "
            + "where the published protocol has "
            + $"{string.Join(", or ", set.Published)}. The numbers cannot be compared with published ones; "
            + $"check that the set is whole.";
    }
}

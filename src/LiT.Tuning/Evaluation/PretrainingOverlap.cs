using LiT.Bundles;
using LiT.Classification;

namespace LiT.Evaluation;

/// <summary>Whether the locked tower learned the very classes that it is asked for: then only the words are zero-shot.</summary>
internal static class PretrainingOverlap
{
    private const double Same = 0.9;
    private const string Consequence = "its pictures' side is supervised, only the words are zero-shot.";

    public static IEnumerable<string> Overlaps(LitModel model, TestSet? set, ClassNames classes)
    {
        var side = model.Description.Image;
        if (set is not null && TrainedOn(set, side.Tower) is { } labels)
        {
            yield return $"the locked tower {side.Tower} was pre-trained on labels ({labels}) that hold {set.Name}'s classes: {Consequence}";
            yield break;
        }
        var asked = classes.Names.Select(name => PromptTemplates.Canonicalise(name)).ToHashSet(StringComparer.Ordinal);
        foreach (var head in model.ImageHeads)
        {
            if (head.ClassNames is not { } names)
                continue;
            var known = names.Select(name => PromptTemplates.Canonicalise(name)).Count(asked.Contains);
            if (known >= Same * asked.Count)
                yield return $"the locked tower's own head '{head.Name}' was trained on {known} of these {asked.Count} classes: {Consequence}";
        }
    }

    /// <summary>What a tower was trained on, where that holds the set's classes: as the catalogue says, else as its name does; null where neither does.</summary>
    internal static string? TrainedOn(TestSet set, string tower)
    {
        var file = Path.GetFileName(tower);
        var known = ModelCatalogue.Find(tower)
            ?? ModelCatalogue.Find(file)
            ?? ModelCatalogue.All.FirstOrDefault(model => model.Files.Any(one => one.Name == file));
        if (known is not null)
            return
                set.TrainedTowers.Any(word => known.TrainedOn.Contains(word, StringComparison.OrdinalIgnoreCase))
                && !known.TrainedOn.Contains("without labels", StringComparison.OrdinalIgnoreCase)
                ? known.TrainedOn
                : null;
        return
            set.TrainedTowers.FirstOrDefault(word => file.Contains(word, StringComparison.OrdinalIgnoreCase))
                is { } found
            ? $"'{found}' in its name"
            : null;
    }
}

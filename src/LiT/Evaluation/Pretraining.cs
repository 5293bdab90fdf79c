using LiT.Data.Sets;

namespace LiT.Evaluation;

/// <summary>Whether the locked tower learned the very classes that it is asked for: then only the words are zero-shot.</summary>
internal static class Pretraining
{
    private const double Same = 0.9;

    public static IEnumerable<string> Overlaps(LitModel model, TestSet? set, ClassNames classes)
    {
        var side = model.Description.Image;
        if (set?.TrainedTowers.FirstOrDefault(word => Says(side.Tower, word) || Says(side.Architecture, word)) is { } found)
        {
            yield return $"the locked tower {side.Tower} ({side.Architecture}) was pre-trained on labels that hold {set.Name}'s classes ('{found}'): its pictures' side is supervised, only the words are zero-shot.";
            yield break;
        }
        var asked = classes.Names.Select(name => PromptTemplates.Canonicalise(name)).ToHashSet(StringComparer.Ordinal);
        foreach (var head in model.ImageHeads)
        {
            if (head.ClassNames is not { } names) continue;
            var known = names.Select(name => PromptTemplates.Canonicalise(name)).Count(asked.Contains);
            if (known >= Same * asked.Count)
                yield return $"the locked tower's own head '{head.Name}' was trained on {known} of these {asked.Count} classes: its pictures' side is supervised, only the words are zero-shot.";
        }
    }

    private static bool Says(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);
}

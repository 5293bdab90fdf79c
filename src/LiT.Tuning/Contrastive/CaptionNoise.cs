namespace LiT.Tuning.Contrastive;

/// <summary>
/// Puts ids that no caption uses between the ids of some captions, so that the tower learns to pass over words it has
/// never met: captions of small data use few words, and the words of a prompt are often none of them.
/// </summary>
/// <param name="foreign">Ids that no caption uses.</param>
/// <param name="share">Share of captions that are disturbed in a step.</param>
/// <param name="seed">Of the step.</param>
internal sealed class CaptionNoise(IReadOnlyList<int> foreign, double share, ulong seed)
{
    private const int MostWords = 3,
        MostPieces = 4;

    /// <summary>
    /// The text with up to three foreign words put in before its last id, as far as there is room in the row.
    /// </summary>
    internal int[] Disturb(int[] text, int room, ulong caption)
    {
        var random = Draw.Mixed(seed, caption);
        if (Draw.Share(random) >= share)
            return text;
        var disturbed = text.ToList();
        var words = 1 + Below(MostWords, 0);
        for (var word = 0; word < words; word++)
        {
            var place = disturbed.Count == 1 ? 0 : 1 + Below(disturbed.Count - 1, 1, word);
            var pieces = Math.Min(1 + Below(MostPieces, 2, word), room - disturbed.Count);
            for (var piece = 0; piece < pieces; piece++)
                disturbed.Insert(place, foreign[Below(foreign.Count, 3, word, piece)]);
        }
        return [.. disturbed];

        int Below(int limit, int what, int word = 0, int piece = 0) =>
            (int)(Draw.Mixed(random, (ulong)what, (ulong)word, (ulong)piece) % (ulong)limit);
    }
}

using LiT.Classification;

namespace LiT;

/// <summary>
/// What a model cannot know of a text: words that no caption had which it was tuned on, or all of a text of which its
/// vocabulary knows no piece. It has an embedding for either, and nobody has shown it a picture of one. Every place
/// that takes words asks here, and says it in these words.
/// </summary>
/// <param name="Text">The text as it was given.</param>
/// <param name="Unread">Whether the vocabulary knows no piece of it, so that every such text has one embedding.</param>
/// <param name="Words">The words, each once.</param>
internal sealed record UnknownWords(string Text, bool Unread, IReadOnlyList<string> Words)
{
    private const int Named = 5;

    /// <returns>Null where nothing speaks against the text, or where it is a word that the model was taught.</returns>
    /// <exception cref="LitException">The bundle's list of words cannot be read.</exception>
    public static UnknownWords? Of(LitModel model, string text)
    {
        var unread = model.IsUnread(text);
        var unseen = model.UnseenWords(text);
        if (unread && unseen.Count == 0)
            unseen = [.. SeenWords.In(text).Distinct(StringComparer.Ordinal)]; // of a bundle that keeps no list
        return unread || unseen.Count > 0 ? new(text, unread, unseen) : null;
    }

    /// <summary>Those of several texts, in their order.</summary>
    public static IReadOnlyList<UnknownWords> Among(LitModel model, IEnumerable<string> texts) =>
        [.. texts.Select(text => Of(model, text)).OfType<UnknownWords>()];

    /// <summary>"no caption of the tuning had 'qwerty'", or that the vocabulary knows no piece of it.</summary>
    public string Why =>
        Unread
            ? "the model's vocabulary knows no piece of it"
            : $"no caption of the tuning had {string.Join(", ", Words.Take(Named).Select(word => $"'{word}'"))}"
                + (Words.Count > Named ? " …" : "");

    /// <summary>A sentence about captions, such as a model is measured with; none where nothing is odd.</summary>
    /// <param name="model">The model.</param>
    /// <param name="texts">The captions.</param>
    /// <param name="what">What they are, in the plural.</param>
    /// <param name="so">What follows for those with unknown words.</param>
    public static IEnumerable<string> Remarks(LitModel model, IReadOnlyCollection<string> texts, string what, string so)
    {
        var unknown = Among(model, texts);
        int unread = unknown.Count(one => one.Unread),
            unseen = unknown.Count - unread;
        if (unread > 0)
            yield return FormattableString.Invariant($"{unread:N0} of {texts.Count:N0} {what} say nothing to the text ")
                + $"tower, the first '{unknown.First(one => one.Unread).Text}': the model's vocabulary knows no piece "
                + "of them.";
        if (unseen > 0)
            yield return FormattableString.Invariant($"{unseen:N0} of {texts.Count:N0} {what} have words that no ")
                + $"caption of the tuning had, the first '{unknown.First(one => !one.Unread).Text}' "
                + $"({string.Join(", ", unknown.First(one => !one.Unread).Words.Take(Named))}): {so}";
    }
}

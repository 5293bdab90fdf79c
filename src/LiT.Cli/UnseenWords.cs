namespace LiT.Cli;

/// <summary>How words are named that tuning never saw.</summary>
internal static class UnseenWords
{
    private const int Named = 5;

    /// <summary>"no caption of the tuning had 'qwerty'".</summary>
    public static string InWords(IReadOnlyList<string> words) =>
        $"no caption of the tuning had {string.Join(", ", words.Take(Named).Select(word => $"'{word}'"))}"
        + (words.Count > Named ? " …" : "");
}

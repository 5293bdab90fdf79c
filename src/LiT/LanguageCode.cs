using System.Text.RegularExpressions;

namespace LiT;

/// <summary>Codes of languages, such as <c>de</c> or <c>pt-BR</c>: safe as a folder's name.</summary>
internal static partial class LanguageCode
{
    /// <summary>Whether a text is one.</summary>
    public static bool Is(string text) => Form().IsMatch(text);

    [GeneratedRegex("^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$")]
    private static partial Regex Form();
}

using System.Globalization;
using System.Text.RegularExpressions;
using LiT.Towers;
using LiT.Tuning.Optimizers;

namespace LiT.Cli;

/// <summary>Options that single out parameters by their names: <c>PATTERN=NUMBER</c>, the pattern a regular expression.</summary>
internal static class ParameterRules
{
    private const int MostSteps = 1_000_000_000;

    /// <summary>Learning-rate or weight-decay multipliers.</summary>
    public static IReadOnlyList<ParameterRule> Multipliers(string option, IEnumerable<string> texts) =>
        [
            .. texts
                .Select(text => Split(option, text))
                .Select(rule => new ParameterRule(rule.Pattern, Number(option, rule.Text, rule.Value, 1e6))),
        ];

    /// <summary>Delays: a number alone holds back the towers that are pre-trained and unlocked; their heads train at once.</summary>
    public static IReadOnlyList<UnlockRule> Unlocks(string option, IEnumerable<string> texts, LockSetting setting) =>
        [
            .. texts.SelectMany(text =>
                long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step)
                    ? Pretrained(option, text, setting).Select(side => new UnlockRule(side, step))
                    :
                    [
                        Split(option, text) is var rule
                            ? new UnlockRule(rule.Pattern, (long)Number(option, text, rule.Value, MostSteps))
                            : null!,
                    ]
            ),
        ];

    private static IEnumerable<string> Pretrained(string option, string text, LockSetting setting)
    {
        if (setting.Image == TowerStart.Unlocked)
            yield return @"^image\.";
        if (setting.Text == TowerStart.Unlocked)
            yield return @"^text\.";
        if (setting.Image != TowerStart.Unlocked && setting.Text != TowerStart.Unlocked)
            throw new UsageException(
                $"{option} {text}: with --lock {setting} no tower is pre-trained and unlocked. Say what is held back, as in '^text\\.={text}'."
            );
    }

    // The last equals sign divides, so that a pattern may hold some.
    private static (string Text, string Pattern, string Value) Split(string option, string text)
    {
        var at = text.LastIndexOf('=');
        if (at < 1)
            throw new UsageException($"{option} {text}: write PATTERN=NUMBER, for example '^image\\.=0.1'.");
        try
        {
            _ = new Regex(text[..at], RegexOptions.CultureInvariant);
        }
        catch (ArgumentException wrong)
        {
            throw new UsageException(
                $"{option} {text}: the pattern is no regular expression ({wrong.Message.TrimEnd('.')})."
            );
        }
        return (text, text[..at], text[(at + 1)..]);
    }

    private static double Number(string option, string text, string value, double most) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
        && number >= 0
        && number <= most
            ? number
            : throw new UsageException(
                $"{option} {text}: '{value}' is no number from 0. Write PATTERN=NUMBER, for example '^image\\.=0.1'."
            );
}

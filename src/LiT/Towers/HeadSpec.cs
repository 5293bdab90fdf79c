using System.Globalization;

namespace LiT.Towers;

/// <summary>
/// A head in one string: <c>512</c> a dense layer to 512 numbers, <c>512:mlp</c> two with a GELU between,
/// <c>512:mlp=2048</c> with that width inside, <c>512:glu:8</c> a gated one eight times as wide inside as its input,
/// <c>glu:8</c>, <c>mlp</c> or <c>linear</c> to the size that the other side has, <c>none</c>.
/// </summary>
/// <param name="Size">The common size; null for that of the other side.</param>
/// <param name="Mlp">Two layers in place of one.</param>
/// <param name="Hidden">Width between the two; null for the width of the tower.</param>
/// <param name="Gate">How many times as wide as its input a gated head is inside; null for one without a gate.</param>
internal sealed record HeadSpec(int? Size, bool Mlp = false, int? Hidden = null, int? Gate = null)
{
    private const int Largest = 1 << 20,
        UsualGate = 8, // SAIL's
        WidestGate = 64;

    /// <summary>No head: the representation is taken as it is.</summary>
    public static HeadSpec None { get; } = new(0);

    /// <summary>Reads a string as above.</summary>
    /// <param name="text">The string.</param>
    /// <param name="setting">What the caller calls it; named in the message.</param>
    /// <exception cref="UsageException">It says no head.</exception>
    public static HeadSpec Parse(string text, string setting)
    {
        if (text.Split(':') is [.. var first, "glu"] && first.Length < 2)
            return Gated(first, UsualGate);
        if (text.Split(':') is [.. var front, "glu", var times] && front.Length < 2)
            return Gated(front, Number(times) is <= WidestGate and var number ? number : throw Wrong());
        var (size, kind) =
            text.Split(':', 2) is [var before, var after] ? (before, after)
            : char.IsAsciiDigit(text.FirstOrDefault()) ? (text, "linear")
            : ("", text);
        if (text == "none")
            return None;
        int? wanted = size.Length == 0 ? null : Number(size);
        return kind.Split('=', 2) switch
        {
            ["linear"] => new(wanted),
            ["mlp"] => new(wanted, true),
            ["mlp", var hidden] => new(wanted, true, Number(hidden)),
            _ => throw Wrong(),
        };

        HeadSpec Gated(string[] size, int times) => new(size is [var given] ? Number(given) : null, Gate: times);

        int Number(string digits) =>
            int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and <= Largest
                ? number
                : throw Wrong();

        UsageException Wrong() =>
            new(
                $"{setting} {text}: is no head. Write a size (512), a size with :mlp or :mlp=WIDTH "
                    + "behind it, glu:8 (gated, eight times as wide inside), mlp, linear or none."
            );
    }

    /// <summary>The head itself, or null for none.</summary>
    /// <param name="inputs">Length of the tower's representation.</param>
    /// <param name="common">The common size where the string says none.</param>
    /// <param name="seed">Of its weights.</param>
    /// <param name="standardises">Whether inputs are standardised first.</param>
    public Head? Create(int inputs, int common, long seed, bool standardises = false) =>
        this == None
            ? null
            : Head.Create(
                inputs,
                Size ?? common,
                seed,
                Gate * inputs ?? (Mlp ? Hidden ?? inputs : null),
                standardises,
                Gate is not null
            );

    /// <summary>As it is written.</summary>
    public override string ToString() =>
        this == None
            ? "none"
            : string.Join(
                ':',
                new[]
                {
                    Size?.ToString(CultureInfo.InvariantCulture),
                    Gate is { } times ? string.Create(CultureInfo.InvariantCulture, $"glu:{times}")
                    : Mlp
                        ? Hidden is { } width ? $"mlp={width}"
                            : "mlp"
                    : Size is null ? "linear"
                    : null,
                }.OfType<string>()
            );
}

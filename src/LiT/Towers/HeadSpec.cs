using System.Globalization;

namespace LiT.Towers;

/// <summary>
/// A head in one string: <c>512</c> a dense layer to 512 numbers, <c>512:mlp</c> two with a GELU between,
/// <c>512:mlp=2048</c> with that width inside, <c>mlp</c> or <c>linear</c> to the size that the other side has,
/// <c>none</c>.
/// </summary>
/// <param name="Size">The common size; null for that of the other side.</param>
/// <param name="Mlp">Two layers in place of one.</param>
/// <param name="Hidden">Width between the two; null for the width of the tower.</param>
internal sealed record HeadSpec(int? Size, bool Mlp = false, int? Hidden = null)
{
    private const int Largest = 1 << 20;

    /// <summary>No head: the representation is taken as it is.</summary>
    public static HeadSpec None { get; } = new(0);

    /// <summary>Reads a string as above.</summary>
    /// <param name="text">The string.</param>
    /// <param name="setting">What the caller calls it; named in the message.</param>
    /// <exception cref="UsageException">It says no head.</exception>
    public static HeadSpec Parse(string text, string setting)
    {
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

        int Number(string digits) =>
            int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number is > 0 and <= Largest
                ? number
                : throw Wrong();

        UsageException Wrong() =>
            new(
                $"{setting} {text}: is no head. Write a size (512), a size with :mlp or :mlp=WIDTH "
                    + "behind it, mlp, linear or none."
            );
    }

    /// <summary>The head itself, or null for none.</summary>
    /// <param name="inputs">Length of the tower's representation.</param>
    /// <param name="common">The common size where the string says none.</param>
    /// <param name="seed">Of its weights.</param>
    /// <param name="standardises">Whether inputs are standardised first.</param>
    public Head? Create(int inputs, int common, long seed, bool standardises = false) =>
        this == None ? null : Head.Create(inputs, Size ?? common, seed, Mlp ? Hidden ?? inputs : null, standardises);

    /// <summary>As it is written.</summary>
    public override string ToString() =>
        this == None
            ? "none"
            : string.Join(
                ':',
                new[]
                {
                    Size?.ToString(CultureInfo.InvariantCulture),
                    Mlp
                        ? Hidden is { } width
                            ? $"mlp={width}"
                            : "mlp"
                        : Size is null
                            ? "linear"
                            : null,
                }.OfType<string>()
            );
}

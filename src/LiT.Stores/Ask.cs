using System.Collections;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace LiT;

/// <summary>
/// A text, or a picture's key or file, and how much it counts among others. A string becomes one; "2:at night" weighs
/// 2.
/// </summary>
/// <param name="What">The text, key or file.</param>
/// <param name="Weight">Above 0; 1 by itself.</param>
public sealed partial record Ask(string What, double Weight = 1)
{
    /// <summary>As on the command line: a weight and a colon may stand in front.</summary>
    public static implicit operator Ask(string text) => Parse(text);

    /// <summary>Reads "at night" or "2:at night"; "16:9" is a text.</summary>
    public static Ask Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return
            Weighed().Match(text) is { Success: true } match
            && double.TryParse(match.Groups["weight"].Value, CultureInfo.InvariantCulture, out var weight)
            ? new(match.Groups["what"].Value, weight)
            : new(text);
    }

    /// <summary>As it is written.</summary>
    public override string ToString() =>
        Weight == 1 ? What : string.Create(CultureInfo.InvariantCulture, $"{Weight}:{What}");

    /// <summary>
    /// What it may name, where it is a key or a file, likeliest first: "2:0012.jpg" and "3:cat" are names as well as a
    /// weight and a name.
    /// </summary>
    internal IEnumerable<Ask> Readings
    {
        get
        {
            yield return this;
            if (Weight != 1)
                yield return new(ToString());
            else if (
                What.IndexOf(':', StringComparison.Ordinal) is > 0 and var at
                && double.TryParse(What.AsSpan(0, at), Plain, CultureInfo.InvariantCulture, out var weight)
                && weight > 0
            )
                yield return new(What[(at + 1)..], weight);
        }
    }

    private const NumberStyles Plain = NumberStyles.AllowDecimalPoint;

    [GeneratedRegex(
        @"\A(?<weight>\d+(\.\d+)?):(?<what>\D.*)\z",
        RegexOptions.ExplicitCapture | RegexOptions.Singleline
    )]
    private static partial Regex Weighed();
}

/// <summary>Texts or pictures that count together: <c>"a bicycle"</c>, or <c>["a bicycle", "2:at night"]</c>.
/// Immutable.</summary>
[CollectionBuilder(typeof(Asks), nameof(Of))]
public sealed class Asks : IReadOnlyList<Ask>
{
    private readonly Ask[] all;

    private Asks(Ask[] all) => this.all = all;

    /// <summary>None.</summary>
    public static Asks None { get; } = new([]);

    /// <inheritdoc/>
    public int Count => all.Length;

    /// <inheritdoc/>
    public Ask this[int index] => all[index];

    /// <summary>One.</summary>
    public static implicit operator Asks(string text) => new([Ask.Parse(text)]);

    /// <summary>Several.</summary>
    public static Asks Of(ReadOnlySpan<Ask> all) => new([.. all]);

    /// <inheritdoc/>
    public IEnumerator<Ask> GetEnumerator() => ((IEnumerable<Ask>)all).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>As they are written, with " + " between them.</summary>
    public override string ToString() => string.Join(" + ", all.Select(one => one.ToString()));
}

using System.Globalization;

namespace LiT.Stores;

/// <summary>
/// One process's share of the work on a store: of n parts, part i makes every n-th shard. Parts may run at once or one after
/// the other, on one machine or several that share the folder; whichever finds every shard made finishes the store.
/// </summary>
internal readonly record struct StorePart
{
    /// <param name="number">From 1.</param>
    /// <param name="of">How many parts there are.</param>
    public StorePart(int number, int of)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, of);
        (Number, Of) = (number, of);
    }

    /// <summary>Which part, from 1; 0 for the whole.</summary>
    public int Number { get; }

    /// <summary>How many parts; 0 for the whole.</summary>
    public int Of { get; }

    /// <summary>Everything, in one process.</summary>
    public static StorePart Whole => default;

    /// <summary>Whether this is everything.</summary>
    public bool IsWhole => Of == 0;

    /// <summary>Whether a shard is this part's.</summary>
    public bool Holds(long shard) => IsWhole || shard % Of == Number - 1;

    /// <summary>Reads "3/8".</summary>
    /// <exception cref="UsageException">It is something else.</exception>
    public static StorePart Parse(string text) =>
        text.Split('/') is [var i, var n]
        && int.TryParse(i, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var of)
        && number >= 1
        && number <= of
            ? new(number, of)
            : throw new UsageException(
                $"--part {text}: write i/n, from 1/n to n/n, for example 2/4 for the second of four parts."
            );

    /// <inheritdoc/>
    public override string ToString() => IsWhole ? "the whole" : $"{Number}/{Of}";
}

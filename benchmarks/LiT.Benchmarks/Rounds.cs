using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// Times several ways of doing one thing in turns, so that what else the machine does meets all of them.
/// </summary>
internal static class Rounds
{
    /// <summary>
    /// Median seconds of each way over the rounds, on the clock and of processor; one turn of each before them is not
    /// counted.
    /// </summary>
    public static Spent[] MedianSpent(int rounds, params Action[] ways)
    {
        var spent = ways.Select(_ => new List<Spent>()).ToArray();
        for (var round = 0; round <= rounds; round++)
        for (var way = 0; way < ways.Length; way++)
        {
            using var scope = NewDisposeScope();
            var turn = Spent.Of(ways[way]);
            if (round > 0)
                spent[way].Add(turn);
        }
        return [.. spent.Select(Spent.Median)];
    }
}

namespace LiT.Data;

/// <summary>
/// The numbers 0 … count-1 in random order, anew each epoch, without end. Seed and count alone decide the order, on
/// every machine and version of .NET; (epoch, position) is all that a run must remember to go on exactly where it was.
/// </summary>
/// <param name="count">How many numbers, at least 1.</param>
/// <param name="seed">Every seed gives another order.</param>
/// <param name="epoch">Where to begin: the epoch, from 0.</param>
/// <param name="position">Where to begin: how many numbers of that epoch are used already.</param>
internal sealed class SeededOrder(int count, ulong seed, long epoch = 0, long position = 0)
{
    private readonly int[] order = new int[count > 0 ? count : throw new ArgumentOutOfRangeException(nameof(count))];
    private long filledFor = -1;

    /// <summary>The epoch of the next number.</summary>
    public long Epoch { get; private set; } = epoch >= 0 ? epoch : throw new ArgumentOutOfRangeException(nameof(epoch));

    /// <summary>How many numbers of this epoch are used already.</summary>
    public long Position { get; private set; } =
        position >= 0 && position <= count ? position : throw new ArgumentOutOfRangeException(nameof(position));

    /// <summary>The next number; at the end of an epoch the next one begins.</summary>
    public int Next()
    {
        if (Position == count)
            (Epoch, Position) = (Epoch + 1, 0);
        if (filledFor != Epoch)
            Fill();
        return order[Position++];
    }

    /// <summary>The next numbers, as many as fit; a batch may reach over the end of an epoch.</summary>
    public void Next(Span<int> batch)
    {
        foreach (ref var number in batch)
            number = Next();
    }

    /// <summary>Fisher and Yates' shuffle (Durstenfeld 1964), driven by SplitMix64.</summary>
    private void Fill()
    {
        for (var i = 0; i < count; i++)
            order[i] = i;
        var state = SplitMix64.Mixed(seed) ^ SplitMix64.Mixed((ulong)Epoch + SplitMix64.Step);
        for (var i = count - 1; i > 0; i--)
        {
            var j = Below((ulong)i + 1, ref state);
            (order[i], order[j]) = (order[j], order[i]);
        }
        filledFor = Epoch;
    }

    /// <summary>
    /// Exactly uniform (Lemire 2019): the few products that would make some numbers likelier are drawn again.
    /// </summary>
    private static int Below(ulong limit, ref ulong state)
    {
        while (true)
        {
            var high = Math.BigMul(SplitMix64.Next(ref state), limit, out var low);
            if (low >= limit || low >= (0 - limit) % limit)
                return (int)high;
        }
    }
}

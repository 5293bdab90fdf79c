namespace LiT.Data;

/// <summary>
/// Numbers from 0 on, found by a hash of what they stand for, which is kept elsewhere: eight to sixteen bytes a number.
/// For one thread.
/// </summary>
internal sealed class NumberSlots
{
    private int[] slots = []; // a number and one, 0 for none; a power of two of them
    private int count;

    /// <summary>The numbers that may stand for what has this hash, each once.</summary>
    public Probe Of(ulong hash) => new(slots, hash);

    /// <summary>Adds the next number.</summary>
    /// <param name="hash">The hash of what it stands for.</param>
    /// <param name="hashOf">The hashes of the numbers before, which are placed anew where room is short.</param>
    public void Add(ulong hash, Func<int, ulong> hashOf)
    {
        if (2 * (count + 1) > slots.Length)
        {
            slots = new int[Math.Max(1024, 2 * slots.Length)];
            for (var other = 0; other < count; other++)
                Place(hashOf(other), other);
        }
        Place(hash, count++);
    }

    private void Place(ulong hash, int number)
    {
        var slot = (int)(hash & (ulong)(slots.Length - 1));
        while (slots[slot] != 0)
            slot = (slot + 1) & (slots.Length - 1);
        slots[slot] = number + 1;
    }

    /// <summary>Goes over the slots from that of a hash to the first free one.</summary>
    public ref struct Probe(int[] slots, ulong hash)
    {
        private int slot = slots.Length == 0 ? -1 : (int)(hash & (ulong)(slots.Length - 1)) - 1;

        public readonly int Current => slots[slot] - 1;

        public readonly Probe GetEnumerator() => this;

        public bool MoveNext()
        {
            if (slots.Length == 0)
                return false;
            slot = (slot + 1) & (slots.Length - 1);
            return slots[slot] != 0;
        }
    }
}

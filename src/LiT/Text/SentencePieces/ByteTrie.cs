using System.Text;

namespace LiT.Text.SentencePieces;

/// <summary>
/// A set of UTF-8 strings with a number each, walked byte by byte. Nodes of one parent stand side by side.
/// </summary>
internal sealed class ByteTrie
{
    private readonly int[] firstChild; // children of node n: firstChild[n] to firstChild[n + 1]
    private readonly byte[] labels;
    private readonly int[] values;

    internal const int Root = 0,
        None = -1;

    /// <param name="entries">Strings, none of them twice, and their numbers.</param>
    internal ByteTrie(IEnumerable<KeyValuePair<string, int>> entries)
    {
        var keys = entries.Select(entry => (Bytes: Encoding.UTF8.GetBytes(entry.Key), entry.Value)).ToArray();
        Array.Sort(keys, (a, b) => a.Bytes.AsSpan().SequenceCompareTo(b.Bytes));

        // Level by level, each node is a range of sorted keys that share its prefix.
        var (first, label, value) = (new List<int>(), new List<byte> { 0 }, new List<int>());
        var level = new List<(int From, int To)> { (0, keys.Length) };
        for (var depth = 0; level.Count > 0; depth++)
        {
            var next = new List<(int From, int To)>();
            foreach (var (from, to) in level)
            {
                first.Add(label.Count);
                var at = from;
                value.Add(at < to && keys[at].Bytes.Length == depth ? keys[at++].Value : None);
                while (at < to)
                {
                    var (start, own) = (at, keys[at].Bytes[depth]);
                    while (at < to && keys[at].Bytes[depth] == own)
                        at++;
                    next.Add((start, at));
                    label.Add(own);
                }
            }
            level = next;
        }
        first.Add(label.Count);
        (firstChild, labels, values) = ([.. first], [.. label], [.. value]);
    }

    /// <summary>The child of a node along a byte, or <see cref="None"/>.</summary>
    internal int Child(int node, byte along)
    {
        var (low, high) = (firstChild[node], firstChild[node + 1]);
        var at = labels.AsSpan(low, high - low).BinarySearch(along);
        return at < 0 ? None : low + at;
    }

    /// <summary>The number of the string that ends at a node, or <see cref="None"/>.</summary>
    internal int ValueAt(int node) => values[node];

    /// <summary>The number of a whole string, or <see cref="None"/>.</summary>
    internal int Find(ReadOnlySpan<byte> text)
    {
        var node = Root;
        foreach (var b in text)
            if ((node = Child(node, b)) == None)
                return None;
        return values[node];
    }

    /// <summary>The length of the longest string that the text begins with, or 0.</summary>
    internal int LongestPrefix(ReadOnlySpan<byte> text)
    {
        var (node, longest) = (Root, 0);
        for (var i = 0; i < text.Length; i++)
        {
            if ((node = Child(node, text[i])) == None)
                break;
            if (values[node] != None)
                longest = i + 1;
        }
        return longest;
    }
}

using System.Text;

namespace LiT.Stores;

/// <summary>Millions of short texts by row, as UTF-8 in one block a shard: a few bytes a row beyond the text itself.</summary>
internal sealed class TextColumn
{
    private readonly List<(byte[] Text, int[] Ends)> shards = [];

    /// <summary>Adds a shard's texts. A null stays a null.</summary>
    public void AddShard(IReadOnlyList<string?> values)
    {
        var text = new MemoryStream();
        var ends = new int[values.Count];
        for (var i = 0; i < ends.Length; i++)
        {
            if (values[i] is { } value)
                text.Write(Encoding.UTF8.GetBytes(value));
            else
                text.WriteByte(Null);
            ends[i] = checked((int)text.Length);
        }
        shards.Add((text.ToArray(), ends));
    }

    public string? this[int shard, int row]
    {
        get
        {
            var (text, ends) = shards[shard];
            var value = text.AsSpan((row == 0 ? 0 : ends[row - 1])..ends[row]);
            return value is [Null] ? null : Encoding.UTF8.GetString(value);
        }
    }

    private const byte Null = 0xff; // never a byte of UTF-8
}

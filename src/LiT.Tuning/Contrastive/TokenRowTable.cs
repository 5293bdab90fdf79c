using LiT.Text;

namespace LiT.Tuning.Contrastive;

/// <summary>Numbers the token rows of captions as they come; equal rows have one number, whatever texts they are of.</summary>
internal sealed class TokenRowTable(CaptionTokenizer tokenizer)
{
    private readonly Dictionary<string, int> rowOfText = new(StringComparer.Ordinal);
    private readonly Dictionary<Row, int> numberOfRow = [];
    private readonly List<int> tokens = [];

    /// <summary>Distinct texts so far.</summary>
    internal int Texts => rowOfText.Count;

    /// <summary>What became of them.</summary>
    internal CaptionCounts Counts { get; private set; }

    internal int RowOf(string caption)
    {
        if (rowOfText.TryGetValue(caption, out var number))
            return number;
        var ids = new long[tokenizer.Layout.Length];
        Counts += tokenizer.Rows([caption], ids);
        var row = new Row([.. ids.Select(id => (int)id)]);
        if (!numberOfRow.TryGetValue(row, out number))
        {
            numberOfRow.Add(row, number = numberOfRow.Count);
            tokens.AddRange(row.Ids);
        }
        rowOfText.Add(caption, number);
        return number;
    }

    /// <summary>All rows one after the other, and the length of each without the padding at its end.</summary>
    internal (int[] Tokens, int[] Lengths) Finish()
    {
        var all = tokens.ToArray();
        var length = tokenizer.Layout.Length;
        var lengths = new int[all.Length / length];
        for (var row = 0; row < lengths.Length; row++)
            lengths[row] = Math.Max(1, all.AsSpan(row * length, length).LastIndexOfAnyExcept(tokenizer.Layout.Pad) + 1);
        return (all, lengths);
    }

    private sealed record Row(int[] Ids)
    {
        public bool Equals(Row? other) => other is not null && Ids.AsSpan().SequenceEqual(other.Ids);

        public override int GetHashCode()
        {
            var hash = new HashCode();
            foreach (var id in Ids)
                hash.Add(id);
            return hash.ToHashCode();
        }
    }
}

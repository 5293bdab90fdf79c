namespace LiT.Text;

/// <summary>Turns a text into the ids of its pieces. Implementations are safe for use from several threads.</summary>
public interface ITokenizer
{
    /// <summary>Number of ids; every id is below it.</summary>
    int VocabularySize { get; }

    /// <summary>The ids of the text's pieces, without start, end or padding.</summary>
    IReadOnlyList<int> Encode(string text);

    /// <summary>The piece that an id stands for, as the vocabulary writes it.</summary>
    string PieceOf(int id);

    /// <summary>The id of a piece, or null where the vocabulary lacks it.</summary>
    int? IdOf(string piece);
}

/// <summary>How the ids of one text become a row of fixed length.</summary>
/// <param name="Length">Ids in a row (16 for LiT).</param>
/// <param name="Start">Id put first ([CLS]), or none.</param>
/// <param name="End">Id put after the text ([SEP], &lt;/s&gt;), or none.</param>
/// <param name="Pad">Id that fills the row.</param>
/// <param name="StickyEnd">The last place keeps <paramref name="End"/> when the text is cut (big_vision, SigLIP).</param>
public sealed record TokenLayout(int Length, int? Start, int? End, int Pad, bool StickyEnd = true)
{
    /// <summary>One row of <see cref="Length"/> ids.</summary>
    /// <param name="ids">A text's ids, as <see cref="ITokenizer.Encode"/> gives them.</param>
    /// <param name="truncated">Whether ids were dropped to make the text fit.</param>
    public long[] Row(IReadOnlyList<int> ids, out bool truncated)
    {
        var row = new long[Length];
        Array.Fill(row, Pad);
        var place = 0;
        if (Start is { } start) row[place++] = start;
        var room = Length - place - (End is not null && StickyEnd ? 1 : 0);
        truncated = ids.Count > room;
        foreach (var id in ids.Take(room)) row[place++] = id;
        if (End is { } end && place < Length) row[place] = end;
        return row;
    }
}

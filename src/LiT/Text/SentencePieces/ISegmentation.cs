namespace LiT.Text.SentencePieces;

/// <summary>Cuts a normalised text into pieces.</summary>
internal interface ISegmentation
{
    /// <summary>Adds the ids of the pieces and the bytes that each covers.</summary>
    void Segment(ReadOnlySpan<byte> text, List<(int Id, int Length)> into);
}

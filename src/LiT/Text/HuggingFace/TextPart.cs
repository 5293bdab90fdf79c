namespace LiT.Text.HuggingFace;

/// <summary>A stretch of a text on its way to the model.</summary>
/// <param name="Text">What it has become so far.</param>
/// <param name="AtStart">Whether it still begins where the text began, which one of the Metaspace schemes asks.</param>
/// <param name="Id">The id of an added token that was recognised; such a part stays as it is.</param>
internal readonly record struct TextPart(string Text, bool AtStart, int? Id = null)
{
    internal TextPart Slice(int start, int length) => new(Text.Substring(start, length), AtStart && start == 0);
}

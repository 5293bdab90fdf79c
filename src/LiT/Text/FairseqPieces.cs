namespace LiT.Text;

/// <summary>
/// The pieces of a SentencePiece <c>.model</c> under the ids that fairseq gave them, as XLM-R has them: &lt;s&gt;,
/// &lt;pad&gt;, &lt;/s&gt; and &lt;unk&gt; first, all others one later than in the model, &lt;mask&gt; last
/// (transformers: XLMRobertaTokenizer).
/// </summary>
internal sealed class FairseqPieces : ITokenizer
{
    /// <summary>The name of the model in public repositories, and in a bundle.</summary>
    public const string FileName = "sentencepiece.bpe.model";

    private const int Offset = 1,
        Unknown = 3;

    private static readonly string[] First = ["<s>", "<pad>", "</s>", "<unk>"];

    private readonly SentencePiece model;

    private FairseqPieces(SentencePiece model) => this.model = model;

    /// <inheritdoc/>
    public int VocabularySize => model.VocabularySize + Offset + 1;

    /// <inheritdoc/>
    public int? UnknownId => Unknown;

    /// <summary>Reads a <c>.model</c>.</summary>
    /// <exception cref="LitException">It cannot be read, or does not begin with the pieces that fairseq
    /// moves.</exception>
    public static FairseqPieces Load(string path)
    {
        var model = SentencePiece.Load(path);
        if (
            (model.UnknownId, model.IdOf("<s>"), model.IdOf("</s>")) != (0, 1, 2)
            || model.IdOf("<pad>") is not null
            || model.IdOf("<mask>") is not null
        )
            throw new LitException(
                path,
                "does not begin with <unk>, <s> and </s>, as the models do whose ids XLM-R moves by one",
                "Give the model's tokenizer.json"
            );
        return new(model);
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text)
    {
        var ids = model.Encode(text);
        var moved = new int[ids.Count];
        for (var i = 0; i < moved.Length; i++)
            moved[i] = ids[i] == model.UnknownId ? Unknown : ids[i] + Offset;
        return moved;
    }

    /// <inheritdoc/>
    public string PieceOf(int id) =>
        id < First.Length ? First[id]
        : id == VocabularySize - 1 ? "<mask>"
        : model.PieceOf(id - Offset);

    /// <inheritdoc/>
    public int? IdOf(string piece) =>
        Array.IndexOf(First, piece) is >= 0 and var first ? first
        : piece == "<mask>" ? VocabularySize - 1
        : model.IdOf(piece) + Offset;

    /// <inheritdoc/>
    public IReadOnlyList<string> Save(string folder) => model.SaveAs(folder, FileName);
}

namespace LiT.Text.HuggingFace;

/// <summary>Turns one word into ids.</summary>
internal interface ITokenModel
{
    /// <summary>Every piece and its id.</summary>
    IReadOnlyDictionary<string, int> Vocabulary { get; }

    int? UnknownId { get; }

    void Tokenize(string word, List<int> into);
}

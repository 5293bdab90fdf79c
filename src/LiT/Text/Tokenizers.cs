namespace LiT.Text;

/// <summary>Opens whatever a path is: a vocabulary file of a known form, or a folder with one.</summary>
public static class Tokenizers
{
    /// <summary>Opens <c>vocab.txt</c>, or the folder that holds it.</summary>
    /// <param name="path">File or folder.</param>
    /// <param name="rules">How a <c>vocab.txt</c> splits words, where it is known.</param>
    /// <param name="lowerCase">Whether a <c>vocab.txt</c> is for lower-cased text, where it is known.</param>
    /// <exception cref="LitException">The path is missing, or of no known form.</exception>
    public static ITokenizer Open(string path, WordPieceRules? rules = null, bool? lowerCase = null) =>
        WordPiece.Load(Directory.Exists(path) ? Path.Combine(path, WordPiece.FileName) : path, rules ?? WordPieceRules.TensorFlowText, lowerCase ?? true);
}

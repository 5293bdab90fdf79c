namespace LiT.Text;

/// <summary>Turns a text into the ids of its pieces. Implementations are safe for use from several threads.</summary>
/// <remarks>
/// Every string has ids: lone surrogates are read as U+FFFD, as an encoder to UTF-8 would write them, and what the
/// vocabulary lacks becomes <see cref="UnknownId"/> or, in vocabularies that have bytes, bytes.
/// </remarks>
internal interface ITokenizer
{
    /// <summary>Number of ids; every id is below it.</summary>
    int VocabularySize { get; }

    /// <summary>The id that stands for what the vocabulary lacks, or null where nothing can be lacking.</summary>
    int? UnknownId { get; }

    /// <summary>The ids of the text's pieces, without start, end or padding.</summary>
    IReadOnlyList<int> Encode(string text);

    /// <summary>The piece that an id stands for, as the vocabulary writes it.</summary>
    string PieceOf(int id);

    /// <summary>The id of a piece, or null where the vocabulary lacks it.</summary>
    int? IdOf(string piece);

    /// <summary>Writes the files from which <see cref="Tokenizers"/> makes the same tokenizer again.</summary>
    /// <returns>The names of the files written, relative to <paramref name="folder"/>; the first is the one to
    /// open.</returns>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    IReadOnlyList<string> Save(string folder);
}

using LiT.Files;

namespace LiT.Text.SentencePieces;

/// <summary>The values of sentencepiece_model.proto, ModelProto.SentencePiece.Type.</summary>
internal enum PieceType : byte
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}

/// <summary>The values of TrainerSpec.ModelType.</summary>
internal enum ModelType
{
    Unigram = 1,
    Bpe = 2,
    Word = 3,
    Char = 4,
}

internal readonly record struct Piece(string Text, float Score, PieceType Type);

/// <summary>NormalizerSpec: how a text is rewritten before it is segmented.</summary>
internal sealed record NormalizerSpec
{
    internal string Name { get; init; } = "";
    internal byte[] CharacterMap { get; init; } = [];
    internal bool AddDummyPrefix { get; init; } = true;
    internal bool RemoveExtraWhitespaces { get; init; } = true;
    internal bool EscapeWhitespaces { get; init; } = true;
}

/// <summary>
/// What a SentencePiece .model file says (google/sentencepiece, src/sentencepiece_model.proto), defaults filled in.
/// </summary>
internal sealed record SentencePieceModel
{
    private const int MostPieces = 1 << 22;

    internal required IReadOnlyList<Piece> Pieces { get; init; }
    internal ModelType Type { get; init; } = ModelType.Unigram;
    internal bool TreatWhitespaceAsSuffix { get; init; }
    internal bool ByteFallback { get; init; }
    internal string UnknownSurface { get; init; } = " \u2047 ";
    internal string StartPiece { get; init; } = "<s>";
    internal string EndPiece { get; init; } = "</s>";
    internal string PadPiece { get; init; } = "<pad>";
    internal NormalizerSpec Normalizer { get; init; } = new();
    internal NormalizerSpec? Denormalizer { get; init; }

    /// <param name="bytes">The file's bytes.</param>
    /// <param name="path">The file, for messages.</param>
    internal static SentencePieceModel Parse(ReadOnlySpan<byte> bytes, string path)
    {
        var pieces = new List<Piece>();
        var model = new SentencePieceModel { Pieces = pieces };
        var reader = new ProtoReader(bytes, path, "a SentencePiece model", "Give a .model file as it was published");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    if (pieces.Count == MostPieces)
                        throw new LitException(
                            path,
                            $"has more than {MostPieces:N0} pieces",
                            "Give a .model file as it was published"
                        );
                    pieces.Add(ReadPiece(reader.Message()));
                    break;
                case 2:
                    model = ReadTrainer(reader.Message(), model);
                    break;
                case 3:
                    model = model with { Normalizer = ReadNormalizer(reader.Message()) };
                    break;
                case 5:
                    model = model with { Denormalizer = ReadNormalizer(reader.Message()) };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        if (pieces.Count == 0)
            throw new LitException(path, "has no pieces", "Give a .model file as it was published");
        return model;
    }

    private static Piece ReadPiece(ProtoReader reader)
    {
        var piece = new Piece("", 0, PieceType.Normal);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    piece = piece with { Text = reader.String() };
                    break;
                case 2:
                    piece = piece with { Score = reader.Float() };
                    break;
                case 3:
                    piece = piece with { Type = (PieceType)reader.Int32() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return piece;
    }

    private static SentencePieceModel ReadTrainer(ProtoReader reader, SentencePieceModel model)
    {
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    model = model with { Type = (ModelType)reader.Int32() };
                    break;
                case 24:
                    model = model with { TreatWhitespaceAsSuffix = reader.Bool() };
                    break;
                case 35:
                    model = model with { ByteFallback = reader.Bool() };
                    break;
                case 44:
                    model = model with { UnknownSurface = reader.String() };
                    break;
                case 46:
                    model = model with { StartPiece = reader.String() };
                    break;
                case 47:
                    model = model with { EndPiece = reader.String() };
                    break;
                case 48:
                    model = model with { PadPiece = reader.String() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return model;
    }

    private static NormalizerSpec ReadNormalizer(ProtoReader reader)
    {
        var spec = new NormalizerSpec();
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    spec = spec with { Name = reader.String() };
                    break;
                case 2:
                    spec = spec with { CharacterMap = reader.Bytes().ToArray() };
                    break;
                case 3:
                    spec = spec with { AddDummyPrefix = reader.Bool() };
                    break;
                case 4:
                    spec = spec with { RemoveExtraWhitespaces = reader.Bool() };
                    break;
                case 5:
                    spec = spec with { EscapeWhitespaces = reader.Bool() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }
        return spec;
    }
}

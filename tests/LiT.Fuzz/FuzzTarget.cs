using LiT.Checkpoints;
using LiT.Text;

namespace LiT.Fuzz;

/// <summary>
/// One reader of files from outside, and files that it reads. <see cref="Read"/> opens a file and reads all of it; it may end
/// in a <see cref="LitException"/> and in nothing else.
/// </summary>
public sealed record FuzzTarget(string Name, IReadOnlyList<string> Seeds, Action<string> Read)
{
    private const long LargestSeed = 1 << 16;

    /// <summary>The name of the mutated file; companions, the other files it refers to, lie beside it.</summary>
    public string FileName { get; init; } = "input";

    public IReadOnlyList<string> Companions { get; init; } = [];

    /// <summary>Every reader that takes files from outside, with the reference fixtures as seeds.</summary>
    /// <param name="fixtures">The folder of the reference fixtures.</param>
    public static IReadOnlyList<FuzzTarget> All(string fixtures) =>
    [
        new("npz", Files(fixtures, "*.npz"), ReadCheckpoint),
        new("npy", Files(fixtures, "*.npy"), ReadArray),
        new("safetensors", Files(fixtures, "*.safetensors"), ReadCheckpoint),
        new("sharded", Files(fixtures, "*.safetensors.index.json"), ReadCheckpoint)
        {
            FileName = "model.safetensors.index.json",
            Companions = Files(fixtures, "*-of-*.safetensors"),
        },
        new("pth", Files(fixtures, "*.pth"), ReadCheckpoint),
        new("wordpiece", Files(fixtures, "vocab.txt"), path => Tokenize(WordPiece.Load(path))),
        new("sentencepiece", Files(fixtures, "*.model"), path => Tokenize(SentencePiece.Load(path))),
        .. Tokenizers(Path.Combine(fixtures, "..", "tokenizers")),
    ];

    // Their fixtures are beside those of the reference; another folder of references need not have them.
    private static IEnumerable<FuzzTarget> Tokenizers(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "huggingface", "expected.json"))) yield break;
        var whole = Files(Path.Combine(folder, "huggingface"), "*.json").Where(file => Path.GetFileNameWithoutExtension(file) is "small_unigram" or "small_wordpiece" or "roberta" or "clip");
        yield return new("huggingface", [.. whole], path => Tokenize(HuggingFaceTokenizer.Load(path)));
        var (vocabulary, merges) = (Path.Combine(folder, "clip", "vocab.json"), Path.Combine(folder, "clip", "merges.txt"));
        yield return new("clip-vocabulary", [vocabulary], path => Tokenize(ClipTokenizer.Load(path))) { FileName = "vocab.json", Companions = [merges] };
        yield return new("clip-merges", [merges], path => Tokenize(ClipTokenizer.Load(Path.Combine(Path.GetDirectoryName(path)!, "vocab.json"))))
        {
            FileName = "merges.txt",
            Companions = [vocabulary],
        };
    }

    private static List<string> Files(string folder, string pattern) =>
        [.. Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Where(file => new FileInfo(file).Length is > 0 and <= LargestSeed)
            .Order(StringComparer.Ordinal)];

    private static void ReadCheckpoint(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        foreach (var (name, info) in checkpoint.Tensors)
        {
            using var tensor = checkpoint.Read(name);
            if (!tensor.shape.SequenceEqual(info.Shape) || tensor.dtype != info.Type || !tensor.is_contiguous())
                throw new InvalidDataException($"{name} is not what was announced.");
            if (tensor.numel() == 0) continue;
            using var sum = tensor.sum();           // touches every byte
        }
        _ = (checkpoint.Metadata.Count, checkpoint.PassedOver.Count, checkpoint.Container);
    }

    private static void Tokenize(ITokenizer tokenizer)
    {
        foreach (var text in new[] { "", "A photo of a dog.", "straße 重み 🦜 <s> ##ing", "\0\t\ud800  \u00a0 x" })
            foreach (var id in tokenizer.Encode(text))
                if (tokenizer.PieceOf(id) is null) throw new InvalidDataException($"{id} is no piece.");
    }

    private static void ReadArray(string path)
    {
        using (var tensor = Npy.Read(path))
        using (var sum = tensor.numel() == 0 ? null : tensor.sum())
        {
        }
        Npy.ReadArray<double>(path);
    }
}

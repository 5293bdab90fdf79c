using System.Security.Cryptography;
using System.Text;
using LiT.Checkpoints;
using LiT.Classification;
using LiT.Data;
using LiT.Onnx;
using LiT.Search;
using LiT.Stores;
using LiT.Text;
using LiT.Towers;
using LiT.Towers.Settings;

namespace LiT.Fuzz;

/// <summary>
/// One reader of files from outside, and files that it reads. <see cref="Read"/> opens a file and reads all of it; it
/// may end in a <see cref="LitException"/> and in nothing else.
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
            new("sentencepiece", Files(fixtures, "*.model", largest: 1 << 19), path =>
                Tokenize(SentencePiece.Load(path))
            ),
            new(
                "image-tower",
                [.. Files(fixtures, "*.npz").Concat(Files(fixtures, "*.safetensors")).Concat(Files(fixtures, "*.pth"))],
                path => ImageTowerLoader.Load(path + ":heads=4").Dispose()
            ),
            new("onnx", Files(OnnxSeeds.Folder, "*.onnx"), ReadNetwork)
            {
                FileName = "input.onnx",
                Companions = Files(OnnxSeeds.Folder, "weights.bin"),
            },
            new("onnx-text", Files(OnnxSeeds.TextFolder, "*.onnx"), ReadTextNetwork)
            {
                FileName = "input.onnx",
                Companions = Files(OnnxSeeds.TextFolder, "weights.bin"),
            },
            new("text-tower", [.. Files(fixtures, "*.npz").Concat(Files(fixtures, "*.safetensors"))], path =>
                TextTowerLoader.Load(path + ":heads=4").Dispose()
            ),
            new("two-towers", Files(fixtures, "lit_*_style.npz", largest: 1 << 17), path =>
                TwoTowersLoader.Load(path + ":heads=4").Dispose()
            ),
            Config(fixtures, "hf_vit", "model.safetensors", path => ImageTowerLoader.Load(path).Dispose()),
            Config(fixtures, "hf_vit", "model.safetensors", path => ImageTowerLoader.Load(path).Dispose()) with
            {
                Name = "preprocessor-config",
                FileName = "preprocessor_config.json",
                Seeds = Files(DataSeeds.Folder, "preprocessor_config.json"),
                Companions =
                [
                    .. Files(Path.Combine(fixtures, "hf_vit"), "model.safetensors"),
                    .. Files(Path.Combine(fixtures, "hf_vit"), "config.json"),
                ],
            },
            Config(fixtures, "bert_hf", "bert_plain.safetensors", path => TextTowerLoader.Load(path).Dispose()),
            Config(fixtures, "t5_encoder", "model.safetensors", path => TextTowerLoader.Load(path).Dispose()),
            Config(fixtures, "mpnet_hf", "model.safetensors", path => TextTowerLoader.Load(path).Dispose()),
            Config(fixtures, "dinov3_hf", "model.safetensors", path => ImageTowerLoader.Load(path).Dispose()),
            Config(fixtures, "clip_hf", "model.safetensors", path => TwoTowersLoader.Load(path).Dispose()),
            Config(fixtures, "siglip_hf", "model.safetensors", path => TwoTowersLoader.Load(path).Dispose()),
            new("modules", Files(fixtures, "modules.json"), path =>
                SentenceModules.In(Path.GetDirectoryName(path)!, path)
            )
            {
                FileName = "modules.json",
            },
            new("prompts", Files(fixtures, "config_sentence_transformers.json"), path =>
                SentencePrompts.In(Path.GetDirectoryName(path)!, path, new SettingsReport()).Chosen(null, path)
            )
            {
                FileName = "config_sentence_transformers.json",
            },
            new("taught", Files(DataSeeds.Folder, "taught.safetensors", below: false), path =>
                _ = TaughtVectors.Read(path, null).Words.Count
            )
            {
                FileName = "taught.safetensors",
            },
            .. Tokenizers(Path.Combine(fixtures, "..", "tokenizers")),
            new("tar", Files(DataSeeds.Folder, "*.tar"), ReadSamples) { FileName = "input.tar" },
            new("tar.gz", Files(DataSeeds.Folder, "*.tar.gz"), ReadSamples) { FileName = "input.tar.gz" },
            new("csv", Files(DataSeeds.Folder, "*.csv"), ReadSamples)
            {
                FileName = "input.csv",
                Companions = Files(DataSeeds.Folder, "*.jpg"),
            },
            new("tsv", Files(DataSeeds.Folder, "*.tsv"), ReadSamples)
            {
                FileName = "input.tsv",
                Companions = Files(DataSeeds.Folder, "*.jpg"),
            },
            new("jsonl", Files(DataSeeds.Folder, "metadata.jsonl"), ReadSamples)
            {
                FileName = "input.jsonl",
                Companions = Files(DataSeeds.Folder, "*.jpg"),
            },
            new("parquet", Files(DataSeeds.Folder, "*.parquet", below: false), ReadSamples)
            {
                FileName = "input.parquet",
            },
            Set("svhn", "test_32x32.mat"),
            Set("flowers102", "imagelabels.mat", "setid.mat"),
            Set("flowers102", "setid.mat", "imagelabels.mat"),
            Set("cifar10", "test_batch.bin"),
            Set("cifar100", "test.bin"),
            Set("cifar10", "test_batch"),
            Set("coco", "captions_val2017.json"),
            Set("coco", "dataset_coco.json"),
            Set("flickr30k", "results_20130124.token"),
            Set("xm3600", "captions.jsonl"),
            Set("wit", "wit_v1.test.all-00000.tsv"),
            Store("img_emb_0000.npy"),
            Store("metadata_0000.parquet"),
            Store("store.json"),
            .. TextSeeds.Store.Where(name => !name.Contains("0001", StringComparison.Ordinal)).Select(Texts),
            Captions("captions.tsv"),
            Captions("captions.csv"),
            Captions("captions.jsonl"),
            Captions("captions.parquet"),
            new("codes", Files(DataSeeds.Folder, "codes_0000.bin", below: false), ReadCodes),
            new("columns", Files(DataSeeds.Folder, "columns_0000.bin", below: false), ReadColumns),
            new("manifest", Files(DataSeeds.Folder, "manifest.json", below: false), ReadManifest),
            new("removed", Files(DataSeeds.Folder, "removed_*.bin", below: false), path =>
                _ = RemovedPictures.Read(path).Count
            ),
            new("words", Files(DataSeeds.Folder, "words_*.bin", below: false), ReadWords),
            new("lists", Files(DataSeeds.Folder, "lists_0000.bin", below: false), ReadLists),
            new("centres", Files(DataSeeds.Folder, "centres.bin", below: false), ReadCentres),
        ];

    // Their fixtures are beside those of the reference; another folder of references need not have them.
    private static IEnumerable<FuzzTarget> Tokenizers(string folder)
    {
        if (!File.Exists(Path.Combine(folder, "huggingface", "expected.json")))
            yield break;
        var whole = Files(Path.Combine(folder, "huggingface"), "*.json")
            .Where(file =>
                Path.GetFileNameWithoutExtension(file) is "small_unigram" or "small_wordpiece" or "roberta" or "clip"
            );
        yield return new("huggingface", [.. whole], path => Tokenize(HuggingFaceTokenizer.Load(path)));
        var (vocabulary, merges) = (
            Path.Combine(folder, "clip", "vocab.json"),
            Path.Combine(folder, "clip", "merges.txt")
        );
        yield return new("clip-vocabulary", [vocabulary], path => Tokenize(ClipTokenizer.Load(path)))
        {
            FileName = "vocab.json",
            Companions = [merges],
        };
        yield return new("clip-merges", [merges], path =>
            Tokenize(ClipTokenizer.Load(Path.Combine(Path.GetDirectoryName(path)!, "vocab.json")))
        )
        {
            FileName = "merges.txt",
            Companions = [vocabulary],
        };
    }

    /// <summary>A config.json that does not say what its weights are; the weights are right.</summary>
    private static FuzzTarget Config(string fixtures, string folder, string weights, Action<string> load) =>
        new($"config-{folder}", Files(Path.Combine(fixtures, folder), "config.json"), path =>
            load(Path.Combine(Path.GetDirectoryName(path)!, weights))
        )
        {
            FileName = "config.json",
            Companions = Files(Path.Combine(fixtures, folder), weights, largest: 1 << 18),
        };

    private static FuzzTarget Store(string wrong) =>
        new($"store-{wrong}", Files(DataSeeds.Folder, wrong, below: false), ReadStore)
        {
            FileName = wrong,
            Companions =
            [
                .. new[] { "img_emb_0000.npy", "metadata_0000.parquet", "store.json" }
                    .Where(name => name != wrong)
                    .SelectMany(name => Files(DataSeeds.Folder, name, below: false)),
            ],
        };

    /// <summary>A store of texts of which one file is wrong.</summary>
    private static FuzzTarget Texts(string wrong) =>
        new($"texts-{wrong}", Files(TextSeeds.Folder, wrong, below: false), TextSeeds.ReadStore)
        {
            FileName = wrong,
            Companions =
            [
                .. TextSeeds
                    .Store.Where(name => name != wrong)
                    .SelectMany(name => Files(TextSeeds.Folder, name, below: false)),
            ],
        };

    private static FuzzTarget Captions(string file) =>
        new($"beside-{file}", Files(TextSeeds.Folder, file, below: false), TextSeeds.ReadCaptions) { FileName = file };

    /// <summary>A public test set of which one file is wrong.</summary>
    private static FuzzTarget Set(string set, string wrong, params string[] beside) =>
        new($"{set}-{wrong}", Files(Path.Combine(SetSeeds.Folder, set), wrong), path =>
            ReadSet($"{set}={Path.GetDirectoryName(path)}")
        )
        {
            FileName = wrong,
            Companions = [.. beside.SelectMany(name => Files(Path.Combine(SetSeeds.Folder, set), name).Take(1))],
        };

    // All that is read before a runtime is given the file. A network is a program: what it takes when it runs is its
    // own.
    private static void ReadNetwork(string path)
    {
        var (source, bytes) = OnnxSource.Read(path);
        NoTower.Check(source.File);
        var options = OnnxOptions.Parse("preprocess=unit", path, new ImageTowerOptions());
        if (OnnxNotes.Of(source.File) is { } notes)
        {
            options = notes.Completing(options);
            if (notes.Before is { } before)
                NoTower.Check(OnnxSource.Embedded(path, before).Source.File);
        }
        var input = NoTower.InputOf(source.File, options.Input);
        _ = NoTower.OutputOf(source.File, options.Output);
        var layout = PixelLayout.Of(path, input, options.ChannelsLast);
        OnnxPreprocessing.Of(path, input, layout, options, plain: false, new SettingsReport());
        _ = OnnxWeights.Hash(bytes, path);
        OnnxWeights.WriteWhole(Stream.Null, bytes, path, new Dictionary<string, string>());
    }

    private static void ReadTextNetwork(string path)
    {
        var (source, bytes) = OnnxSource.Read(path);
        var options = OnnxTextOptions.Parse("", path);
        _ = OnnxText.RowsOf(path, options);
        options = OnnxTextWay.Of(source.File)?.Completing(options) ?? options;
        var inputs = OnnxTextInputs.Of(source.File, options);
        _ = inputs.OutputOf(source.File, options.Output);
        _ = inputs.VocabularyOf(source.File);
        _ = OnnxTextInputs.IsFor(source.File);
        _ = OnnxWeights.Hash(bytes, path);
    }

    private static void ReadSamples(string path)
    {
        var used = 0;
        foreach (var found in Samples.Open(path).ReadAll())
        {
            if (found.Sample is not null)
                used++;
            if (found.Sample is null == found.Skipped is null)
                throw new InvalidDataException("Neither used nor skipped, or both.");
            found.Sample?.ReadImage!();
        }
        if (used == 0)
            throw new LitException($"{path}: nothing of it can be used.");
    }

    // Pictures that stand in files of their own are not there: they are skipped.
    private static void ReadSet(string path)
    {
        foreach (var found in Samples.Open(path).ReadAll())
            found.Sample?.ReadImage!();
    }

    private static void ReadStore(string path)
    {
        using var store = EmbeddingStore.Open(Path.GetDirectoryName(path)!);
        var row = new float[store.EmbeddingSize];
        for (var i = 0L; i < store.Rows; i++)
            store.ReadRows([i], row, ownLength: i % 2 == 0);
        foreach (var sample in store.Samples().Read(_ => { }))
            _ = store.RowOf(SHA256.HashData(Encoding.UTF8.GetBytes(sample.Key)));
    }

    private static void ReadCodes(string path)
    {
        using CodeFile codes = new(path);
        codes.Verify();
        _ = codes.Fingerprint.Length + codes.Projection.Length;
    }

    /// <summary>The manifest of a store whose other files are as they ought to be.</summary>
    private static void ReadManifest(string path)
    {
        File.Copy(path, Path.Combine(DataSeeds.Grown, "store.json"), overwrite: true);
        using var store = EmbeddingStore.Open(DataSeeds.Grown);
        var row = new float[store.EmbeddingSize];
        for (var i = 0L; i < store.Rows; i++)
        {
            store.ReadRows([i], row, ownLength: true);
            _ = store.Key(i) + store.Captions(i).Count + store.Label(i);
        }
    }

    private static void ReadWords(string path)
    {
        using RewordedPictures words = new([path]);
        foreach (var place in words.Places)
            _ = words.Find(place);
    }

    // What a checksum would hide is read as well: the file is read with a right one.
    private static void ReadLists(string path)
    {
        Mend(path);
        using ListFile lists = new(path);
        for (var list = 0; list < lists.Lists; list++)
            foreach (var row in lists[list])
                if (row < 0 || row >= lists.Rows)
                    throw new InvalidOperationException($"row {row} of {lists.Rows}");
        _ = lists.Fingerprint.Length + lists.CentresFingerprint.Length;
    }

    private static void ReadCentres(string path)
    {
        Mend(path);
        var centres = Centres.Read(path);
        _ = centres.Order(new float[centres.Size]).Length + centres.Visits.Count + centres.Fingerprint.Length;
    }

    // Every second file, so that checksums are tried, too.
    private static void Mend(string path)
    {
        var bytes = File.ReadAllBytes(path);
        if (bytes.Length < 16 || bytes.Sum(one => one) % 2 == 0)
            return;
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 8), Stores.Checksum.Of(bytes.AsSpan(..^8)));
        File.WriteAllBytes(path, bytes);
    }

    private static void ReadColumns(string path)
    {
        using ColumnFile columns = new(path);
        columns.Verify();
        foreach (var name in columns.Names)
        {
            columns.CopyNumbers(name, new double[columns.Rows]);
            for (var row = 0; row < columns.Rows; row++)
                _ = columns.Value(name, row);
        }
    }

    private static List<string> Files(string folder, string pattern, bool below = true, long largest = LargestSeed) =>
        !Directory.Exists(folder)
            ? []
            :
            [
                .. Directory
                    .EnumerateFiles(
                        folder,
                        pattern,
                        below ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly
                    )
                    .Where(file => new FileInfo(file).Length > 0 && new FileInfo(file).Length <= largest)
                    .Order(StringComparer.Ordinal),
            ];

    private static void ReadCheckpoint(string path)
    {
        using var checkpoint = Checkpoint.Open(path);
        foreach (var (name, info) in checkpoint.Tensors)
        {
            using var tensor = checkpoint.Read(name);
            if (!tensor.shape.SequenceEqual(info.Shape) || tensor.dtype != info.Type || !tensor.is_contiguous())
                throw new InvalidDataException($"{name} is not what was announced.");
            if (tensor.numel() == 0)
                continue;
            using var sum = tensor.sum(); // touches every byte
        }
        _ = (checkpoint.Metadata.Count, checkpoint.PassedOver.Count, checkpoint.Container);
    }

    private static void Tokenize(ITokenizer tokenizer)
    {
        foreach (var text in new[] { "", "A photo of a dog.", "straße 重み 🦜 <s> ##ing", "\0\t\ud800  \u00a0 x" })
        foreach (var id in tokenizer.Encode(text))
            if (tokenizer.PieceOf(id) is null)
                throw new InvalidDataException($"{id} is no piece.");
    }

    private static void ReadArray(string path)
    {
        using (var tensor = Npy.Read(path))
        using (var sum = tensor.numel() == 0 ? null : tensor.sum()) { }
        Npy.ReadArray<double>(path);
    }
}

using System.Text.Json;
using LiT.Checkpoints;
using LiT.Files;
using LiT.Towers.Settings;

namespace LiT.Towers;

/// <summary>What a file's text tower turned out to be, from names and shapes alone.</summary>
/// <param name="Family">Whose weights they are, in words.</param>
/// <param name="Source">The part of the file that holds the tower.</param>
/// <param name="Config">Sizes read from shapes.</param>
/// <param name="Names">The table for a tower of that config.</param>
internal sealed record RecognisedText(
    string Family,
    WeightSource Source,
    TextTowerConfig Config,
    Func<TextTower, WeightMap> Names
)
{
    /// <summary>What was followed of the files that stand beside, and what of them is to be told.</summary>
    public SettingsReport Settings { get; init; } = new();

    /// <summary>
    /// Whether its rows end with the vocabulary's end, as the weights were trained; LiT's rows with BERT do not.
    /// </summary>
    public bool EndedRows { get; init; }

    /// <summary>
    /// Whether texts lose their capitals before the vocabulary sees them (sentence-transformers' do_lower_case).
    /// </summary>
    public bool LowerCase { get; init; }

    /// <summary>The files of a sentence tower's dense layers; null where one file holds all of the tower.</summary>
    public IReadOnlyList<string>? Layers { get; init; }

    /// <summary>Which rows a text tower reads that came with an image tower; null for others.</summary>
    public ContrastiveText? Contrastive { get; init; }

    /// <summary>The prefixes that the model was trained with.</summary>
    public SentencePrompts Prompts { get; init; } = SentencePrompts.None;

    /// <summary>Reads the weights into a tower of the config.</summary>
    public MatchedNames Fill(TextTower tower)
    {
        var encoder = Layers is not null && tower is SentenceTower whole ? whole.Encoder : tower;
        var names = Names(encoder).Load(Source, encoder);
        (encoder as TextTransformer)?.AddOldPositions(Source);
        if (Layers is not null && tower is SentenceTower sentence)
            foreach (var (layer, file) in sentence.Layers.Zip(Layers))
            {
                using var checkpoint = Checkpoint.Open(file);
                SentenceDense.Names.Load(new WeightSource(checkpoint), layer);
            }
        return names;
    }

    /// <summary>The text tower in a checkpoint.</summary>
    /// <exception cref="LitException">There is none that is known here.</exception>
    public static RecognisedText In(Checkpoint checkpoint, TextTowerOptions options) =>
        InIfThere(checkpoint, options) ?? throw Unknown(checkpoint);

    /// <summary>The text tower in a checkpoint, or null where it holds none that is known here.</summary>
    public static RecognisedText? InIfThere(Checkpoint checkpoint, TextTowerOptions options)
    {
        if (TextTowerFile.Recognise(checkpoint) is { } own)
            return own;
        if (Find(checkpoint, "Embed_0/embedding", "pos_embedding") is { } transformer)
            return BigVision(transformer, options);
        if (Find(checkpoint, "BertEncoder_0/embedder/embedders_token_ids/embedding") is { } bert)
            return Flaxformer(bert, options);
        if (
            Find(checkpoint, "embeddings.word_embeddings.weight", "embeddings.token_type_embeddings.weight") is
            { } theirs
        )
            return HuggingFaceBert(theirs, options, HuggingFaceConfig.JsonBeside(checkpoint.Path));
        if (
            Find(checkpoint, "embeddings.word_embeddings.weight", "encoder.relative_attention_bias.weight") is { } mpnet
        )
            return MPNet(mpnet, options, HuggingFaceConfig.JsonBeside(checkpoint.Path));
        if (
            ContrastiveSettings.Text(checkpoint, options, HuggingFaceConfig.JsonBeside(checkpoint.Path)) is
            { } contrastive
        )
            return contrastive;
        if (Find(checkpoint, "shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight") is { } t5)
            return HuggingFaceT5(t5, options, HuggingFaceConfig.JsonBeside(checkpoint.Path));
        return null;
    }

    private static LitException Unknown(Checkpoint checkpoint)
    {
        var names = checkpoint.Tensors.Keys.Order(StringComparer.Ordinal).Take(4).ToList();
        return new LitException(
            checkpoint.Path,
            "is no text tower that is known here",
            $"{OtherModels.Named(checkpoint, forPictures: false)}It holds {checkpoint.Tensors.Count} "
                + $"tensors{(names.Count == 0 ? "" : $", such as {string.Join(", ", names)}")}. "
                + (
                    OtherModels.Like(checkpoint, forPictures: false) is null && Likeness.Of(checkpoint) is { } family
                        ? family + " "
                        : ""
                )
                + "Give "
                + "a LiT or SigLIP .npz, a BERT, RoBERTa, MPNet, T5 or mT5 of Hugging Face, or a file of this project"
        );
    }

    private static WeightSource? Find(Checkpoint checkpoint, params string[] landmarks) =>
        WeightSource.Holding(checkpoint, landmarks).FirstOrDefault();

    private static RecognisedText BigVision(WeightSource source, TextTowerOptions options)
    {
        const string Block = "Encoder_0/encoderblock",
            Query = "/query/kernel",
            Fc1 = "/Dense_0/kernel";
        var stacked = source.Has(Block + "/LayerNorm_0/scale");
        var query = NameOf(source, Block, Query);
        var map = source.Has("MAPHead_0/probe");
        var config = new TextTransformerConfig(
            source.Size("Embed_0/embedding", 1),
            stacked ? source.Size(Block + "/LayerNorm_0/scale", 0) : Depth(source, Block + "_", "/"),
            source.Size(query, -2),
            source.Size(NameOf(source, Block, Fc1), -1),
            source.Size("Embed_0/embedding", 0),
            source.Size("pos_embedding", 1)
        )
        {
            Pooling = map ? TextPooling.Map : options.Pooling ?? TextPooling.Last,
        };
        return new("text transformer (vit_jax, big_vision)", source, config, _ => TextTransformer.BigVision);
    }

    private static RecognisedText Flaxformer(WeightSource source, TextTowerOptions options)
    {
        const string Embedder = "BertEncoder_0/embedder/embedders_",
            Layers = "BertEncoder_0/encoder_block/layer_sequence/layers_";
        var width = source.Size(Embedder + "token_ids/embedding", 1);
        var config = new BertConfig(
            width,
            Depth(source, Layers, "/"),
            HeadsOf(source, width, options),
            source.Size(Layers + "0/mlp_block/mlp/dense_layer/kernel", 1),
            source.Size(Embedder + "token_ids/embedding", 0)
        )
        {
            MaxLength = source.Size(Embedder + "position_ids/embedding", 0),
            Segments = source.Size(Embedder + "segment_ids/embedding", 0),
            Activation = options.Activation ?? Activation.GeluTanh,
            Pooling = options.Pooling ?? TextPooling.First,
        };
        return new("BERT (flaxformer, LiT)", source, config, _ =>
            Bert.Flaxformer.Skipping("head/{*}", "the head to the common size")
        );
    }

    private static RecognisedText HuggingFaceBert(WeightSource source, TextTowerOptions options, JsonElement? json)
    {
        var path = source.Checkpoint.Path;
        var said = new SettingsFile(path, json);
        var kind = ModelKind.Expect(said, "a BERT in Hugging Face's names", ModelKind.Bert, ModelKind.Roberta);
        HuggingFaceConfig.Check(said);
        said.Expect("position_embedding_type", "absolute");
        var report = new SettingsReport();
        var width = source.Size("embeddings.word_embeddings.weight", 1);
        var (rows, segments) = (
            source.Size("embeddings.position_embeddings.weight", 0),
            source.Size("embeddings.token_type_embeddings.weight", 0)
        );
        // The same names, but positions are counted from behind the padding's id: transformers, models/roberta.
        var roberta =
            kind == ModelKind.Roberta
            || (kind is null && (segments == 1 || source.Prefix.EndsWith("roberta.", StringComparison.Ordinal)));
        if (roberta && kind is null)
            report.Warn(
                $"{path}: taken for a RoBERTa, whose positions begin at 2, because it has "
                    + $"{(segments == 1 ? "one segment row" : "its prefix")} and no config.json beside it "
                    + "says otherwise."
            );
        var padding = said.Number("pad_token_id") ?? (roberta ? 1 : 0);
        var first = roberta ? padding + 1 : 0;
        if (rows <= first)
            throw new LitException(
                path,
                $"has {rows} positions, and RoBERTa's begin at {first}",
                "Check that it and its config.json belong together"
            );
        var sentences = SentenceSettings.Beside(path, width, options.Pooling, report);
        var config = new BertConfig(
            width,
            Depth(source, "encoder.layer.", "."),
            HeadsOf(source, width, options with { Heads = options.Heads ?? said.Number("num_attention_heads") }),
            source.Size("encoder.layer.0.intermediate.dense.weight", 0),
            source.Size("embeddings.word_embeddings.weight", 0)
        )
        {
            MaxLength = rows - first,
            FirstPosition = first,
            Segments = segments,
            Activation = ActivationOf(said, options),
            Eps = said.Real("layer_norm_eps") ?? (roberta && kind is null ? 1e-5 : 1e-12),
            Padding = padding,
            Pooling = options.Pooling ?? sentences?.Poolings.FirstOrDefault(TextPooling.First) ?? TextPooling.First,
            Pooler = options.Pooler,
        };
        const string there = "the weights have";
        said.Expect("max_position_embeddings", rows, there);
        said.Expect("type_vocab_size", segments, there);
        Close(said, config, options, report);
        return new RecognisedText(roberta ? "RoBERTa (Hugging Face)" : "BERT (Hugging Face)", source, config, _ =>
            Bert.HuggingFace(options.Pooler)
        )
        {
            Settings = report,
            EndedRows = roberta || sentences is not null,
        }.With(sentences);
    }

    // Hugging Face has the padding's id, 1, and the table's 128 distances in the model's code.
    private static RecognisedText MPNet(WeightSource source, TextTowerOptions options, JsonElement? json)
    {
        const int Padding = 1;
        var path = source.Checkpoint.Path;
        var said = new SettingsFile(path, json);
        ModelKind.Expect(said, "an MPNet in Hugging Face's names", ModelKind.MPNet);
        HuggingFaceConfig.Check(said);
        var report = new SettingsReport();
        var (width, rows) = (
            source.Size("embeddings.word_embeddings.weight", 1),
            source.Size("embeddings.position_embeddings.weight", 0)
        );
        if (rows <= Padding + 1)
            throw new LitException(
                path,
                $"has {rows} positions, and MPNet's begin at {Padding + 1}",
                "Check where the file comes from"
            );
        var sentences = SentenceSettings.Beside(path, width, options.Pooling, report);
        var config = new BertConfig(
            width,
            Depth(source, "encoder.layer.", "."),
            source.Size("encoder.relative_attention_bias.weight", 1),
            source.Size("encoder.layer.0.intermediate.dense.weight", 0),
            source.Size("embeddings.word_embeddings.weight", 0)
        )
        {
            MaxLength = rows - Padding - 1,
            FirstPosition = Padding + 1,
            RelativeBuckets = source.Size("encoder.relative_attention_bias.weight", 0),
            Segments = 0,
            Activation = ActivationOf(said, options),
            Eps = said.Real("layer_norm_eps") ?? 1e-5,
            Padding = Padding,
            Pooling = options.Pooling ?? sentences?.Poolings.FirstOrDefault(TextPooling.First) ?? TextPooling.First,
            Pooler = options.Pooler,
        };
        said.Expect("pad_token_id", Padding, "MPNet's padding is");
        said.Expect("max_position_embeddings", rows, "the weights have");
        said.Expect("num_attention_heads", config.Heads, "the weights have");
        said.Expect("relative_attention_num_buckets", config.RelativeBuckets, "the weights have");
        Close(said, config, options, report);
        return new RecognisedText("MPNet (Hugging Face)", source, config, _ => Bert.MPNet(options.Pooler))
        {
            Settings = report,
            EndedRows = true,
        }.With(sentences);
    }

    private static Activation ActivationOf(SettingsFile said, TextTowerOptions options) =>
        options.Activation ?? HuggingFaceConfig.ActivationOf(said);

    private static void Close(SettingsFile said, BertConfig config, TextTowerOptions options, SettingsReport report)
    {
        const string there = "the weights have";
        said.Expect("hidden_size", config.Width, there);
        said.Expect("embedding_size", config.Width, "here it can only be the width,");
        said.Expect("num_hidden_layers", config.Depth, there);
        said.Expect("intermediate_size", config.MlpDim, there);
        said.Expect("vocab_size", config.VocabularySize, there);
        if (options.Activation is not null)
            said.Settled("hidden_act");
        report.Close(said, KnownSettings.Transformers);
    }

    /// <summary>The same with what sentence-transformers lays beside it.</summary>
    private RecognisedText With(SentenceSettings? sentences)
    {
        if (sentences is null)
            return this;
        var plain = sentences.Steps.Count == 0 && sentences.Poolings.Count < 2;
        return this with
        {
            LowerCase = sentences.LowerCase,
            Prompts = sentences.Prompts,
            Layers = plain ? null : sentences.Weights,
            Config = plain
                ? Config
                : new SentenceConfig(
                    Config,
                    sentences.Poolings.Count > 0 ? sentences.Poolings : [PoolingOf(Config)],
                    sentences.Steps
                ),
        };
    }

    private static TextPooling PoolingOf(TextTowerConfig config) =>
        config switch
        {
            BertConfig bert => bert.Pooling,
            T5Config t5 => t5.Pooling,
            _ => TextPooling.Last,
        };

    private static RecognisedText HuggingFaceT5(WeightSource source, TextTowerOptions options, JsonElement? json)
    {
        const string First = "encoder.block.0.layer.0.SelfAttention.",
            Mlp = "encoder.block.0.layer.1.DenseReluDense.";
        var said = new SettingsFile(source.Checkpoint.Path, json);
        ModelKind.Expect(said, "a T5 in Hugging Face's names", ModelKind.T5);
        HuggingFaceConfig.Check(said);
        var report = new SettingsReport();
        var gated = source.Has(Mlp + "wi_0.weight");
        said.Expect("feed_forward_proj", gated ? ["gated-gelu"] : ["relu"]);
        said.Expect("dense_act_fn", gated ? ["gelu_new"] : ["relu"]);
        said.Expect("is_gated_act", gated);
        var heads = source.Size(First + "relative_attention_bias.weight", 1);
        var inner = source.Size(First + "q.weight", 0);
        if (inner % heads != 0)
            throw new LitException(
                source.Checkpoint.Path,
                $"{inner} numbers of all queries cannot be divided into {heads} heads",
                "Check where the file comes from"
            );
        var sentences = SentenceSettings.Beside(
            source.Checkpoint.Path,
            source.Size("shared.weight", 1),
            options.Pooling,
            report
        );
        var config = new T5Config(
            source.Size("shared.weight", 1),
            Depth(source, "encoder.block.", "."),
            heads,
            inner / heads,
            source.Size(Mlp + (gated ? "wi_0.weight" : "wi.weight"), 0),
            source.Size("shared.weight", 0)
        )
        {
            Gated = gated,
            Activation = gated ? Activation.GeluTanh : Activation.Relu,
            Buckets = source.Size(First + "relative_attention_bias.weight", 0),
            MaxDistance = said.Number("relative_attention_max_distance") ?? 128,
            Eps = said.Real("layer_norm_epsilon") ?? 1e-6,
            Padding = said.Number("pad_token_id") ?? 0,
            Pooling = options.Pooling ?? sentences?.Poolings.FirstOrDefault(TextPooling.Mean) ?? TextPooling.Mean,
        };
        const string there = "the weights have";
        said.Expect("d_model", config.Width, there);
        said.Expect("d_kv", config.HeadSize, there);
        said.Expect("d_ff", config.MlpDim, there);
        said.Expect("num_layers", config.Depth, there);
        said.Expect("num_heads", config.Heads, there);
        said.Expect("vocab_size", config.VocabularySize, there);
        said.Expect("relative_attention_num_buckets", config.Buckets, there);
        report.Close(said, KnownSettings.Transformers);
        return new RecognisedText(gated ? "mT5 or T5 1.1 (Hugging Face)" : "T5 (Hugging Face)", source, config, _ =>
            T5Encoder.HuggingFace(gated)
        )
        {
            Settings = report,
        }.With(sentences);
    }

    // Submodules are numbered in two ways; the name of the first that begins and ends so.
    private static string NameOf(WeightSource source, string begin, string end) =>
        source
            .Tensors.Keys.Where(name =>
                name.StartsWith(begin, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal)
            )
            .Order(StringComparer.Ordinal)
            .FirstOrDefault()
        ?? throw new LitException(
            source.Checkpoint.Path,
            $"there is no '{source.Prefix}{begin}…{end}'",
            "Check that the file is complete"
        );

    // A block has several tensors: more blocks than tensors is a name that would cost memory before it is found to be
    // wrong.
    private static int Depth(WeightSource source, string before, string after) =>
        source.CountOf(before, after) is var depth && depth <= source.Tensors.Count
            ? depth
            : throw new LitException(
                source.Checkpoint.Path,
                $"'{source.Prefix}{before}{depth - 1}{after}…' in a file of {source.Tensors.Count} tensors",
                "Check that the file is complete"
            );

    private static int HeadsOf(WeightSource source, int width, TextTowerOptions options)
    {
        if (options.Heads is { } heads)
            return heads > 0 && width % heads == 0
                ? heads
                : throw new LitException(
                    source.Checkpoint.Path,
                    $"a width of {width} cannot be divided into {heads} heads",
                    $"Give a divisor of {width}"
                );
        return width % 64 == 0 ? width / 64
            : options.Describing ? 0
            : throw new LitException(
                source.Checkpoint.Path,
                $"does not say how many attention heads it has, and its width of {width} is no multiple of 64",
                "Write the number behind the path, as in :heads=4"
            );
    }
}

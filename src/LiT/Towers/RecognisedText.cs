using System.Text.Json;
using LiT.Checkpoints;

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
            return HuggingFaceBert(theirs, options, TowerPath.ConfigBeside(checkpoint.Path));
        if (Find(checkpoint, "shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight") is { } t5)
            return HuggingFaceT5(t5, options, TowerPath.ConfigBeside(checkpoint.Path));
        return null;
    }

    private static LitException Unknown(Checkpoint checkpoint)
    {
        var names = checkpoint.Tensors.Keys.Order(StringComparer.Ordinal).Take(4).ToList();
        return new LitException(
            checkpoint.Path,
            "is no text tower that is known here",
            $"It holds {checkpoint.Tensors.Count} "
                + $"tensors{(names.Count == 0 ? "" : $", such as {string.Join(", ", names)}")}. "
                + $"{(Likeness.Of(checkpoint) is { } family ? family + " " : "")}Give a LiT or SigLIP .npz, a BERT, T5 "
                + "or mT5 of Hugging Face, or a file of this project"
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
        var said = new ConfigJson(source.Checkpoint.Path, json);
        said.Expect("position_embedding_type", "absolute");
        var width = source.Size("embeddings.word_embeddings.weight", 1);
        var config = new BertConfig(
            width,
            Depth(source, "encoder.layer.", "."),
            HeadsOf(source, width, options with { Heads = options.Heads ?? said.Number("num_attention_heads") }),
            source.Size("encoder.layer.0.intermediate.dense.weight", 0),
            source.Size("embeddings.word_embeddings.weight", 0)
        )
        {
            MaxLength = source.Size("embeddings.position_embeddings.weight", 0),
            Segments = source.Size("embeddings.token_type_embeddings.weight", 0),
            Activation = options.Activation
                ?? said.Choice(
                    "hidden_act",
                    Activation.Gelu,
                    ("gelu", Activation.Gelu),
                    ("gelu_new", Activation.GeluTanh),
                    ("gelu_pytorch_tanh", Activation.GeluTanh),
                    ("relu", Activation.Relu)
                ),
            Eps = said.Real("layer_norm_eps") ?? 1e-12,
            Padding = said.Number("pad_token_id") ?? 0,
            Pooling = options.Pooling ?? TextPooling.First,
            Pooler = options.Pooler,
        };
        return new("BERT (Hugging Face)", source, config, _ => Bert.HuggingFace(options.Pooler));
    }

    private static RecognisedText HuggingFaceT5(WeightSource source, TextTowerOptions options, JsonElement? json)
    {
        const string First = "encoder.block.0.layer.0.SelfAttention.",
            Mlp = "encoder.block.0.layer.1.DenseReluDense.";
        var said = new ConfigJson(source.Checkpoint.Path, json);
        var gated = source.Has(Mlp + "wi_0.weight");
        said.Expect("feed_forward_proj", gated ? ["gated-gelu"] : ["relu"]);
        var heads = source.Size(First + "relative_attention_bias.weight", 1);
        var inner = source.Size(First + "q.weight", 0);
        if (inner % heads != 0)
            throw new LitException(
                source.Checkpoint.Path,
                $"{inner} numbers of all queries cannot be divided into {heads} heads",
                "Check where the file comes from"
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
            Pooling = options.Pooling ?? TextPooling.Mean,
        };
        return new(gated ? "mT5 or T5 1.1 (Hugging Face)" : "T5 (Hugging Face)", source, config, _ =>
            T5Encoder.HuggingFace(gated)
        );
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

    // A block has several tensors: more blocks than tensors is a name that would cost memory before it is found to be wrong.
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

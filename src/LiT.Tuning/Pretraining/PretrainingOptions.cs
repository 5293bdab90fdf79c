using System.Text.Json.Serialization;
using LiT.Images;
using LiT.Towers;

namespace LiT.Pretraining;

/// <summary>How pre-training turns gradients into updates.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<PretrainingRule>))]
internal enum PretrainingRule
{
    /// <summary>Nesterov momentum, for convolutional networks.</summary>
    Sgd,

    /// <summary>Adam with decoupled weight decay and gradients of length 1 at most, for transformers and mixers.</summary>
    AdamW,
}

/// <summary>
/// How an image tower is trained from pictures with labels. The defaults are those of residual networks on small
/// pictures (He et al. 2015, arXiv 1512.03385, section 4.2), with Nesterov momentum and a cosine schedule.
/// </summary>
internal sealed record PretrainingOptions
{
    /// <summary>The network to train; its heads follow from <see cref="Labels"/>.</summary>
    public required ImageTowerConfig Tower { get; init; }

    /// <summary>What makes a picture the network's input.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>The label columns, a linear head each; <c>label</c> is the sample's class, any other name one of its fields.</summary>
    public IReadOnlyList<string> Labels { get; init; } = ["label"];

    /// <summary>Times that every picture is seen.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Pictures in a step.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>How gradients become updates.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public PretrainingRule Rule { get; init; }

    /// <summary>The learning rate at the end of the warm-up.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>The part of all steps over which the learning rate rises from zero.</summary>
    public double Warmup { get; init; } = 0.05;

    /// <summary>Momentum of the gradient; Adam's first moment.</summary>
    public double Momentum { get; init; } = 0.9;

    /// <summary>L2 penalty of kernels (AdamW: what every step takes of them, times the schedule); biases and norms have none.</summary>
    public double WeightDecay { get; init; } = 5e-4;

    /// <summary>The part of the target that is spread over all classes.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Random changes of the pictures.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.Cifar;

    /// <summary>Decides first weights, order and augmentation.</summary>
    public long Seed { get; init; }

    /// <summary>Stores the weights of the finished tower in 16 bits. The accuracy is measured on what was stored.</summary>
    public bool Float16 { get; init; }

    /// <summary>Steps between two checkpoints.</summary>
    [JsonIgnore]
    public int CheckpointEvery { get; init; } = 200;

    /// <summary>Steps between two lines of metrics.</summary>
    public int LogEvery { get; init; } = 20;

    /// <summary>The rule that suits a network: convolutions with batch statistics take large plain steps, everything else Adam's.</summary>
    public static PretrainingRule RuleFor(ImageTowerConfig tower) =>
        tower is CifarResNetConfig or ResNetConfig or BitConfig or GroupNormResNetConfig
            ? PretrainingRule.Sgd
            : PretrainingRule.AdamW;

    /// <exception cref="UsageException">A number that cannot be.</exception>
    internal void Check()
    {
        if (Labels.Count == 0 || Labels.Distinct().Count() != Labels.Count)
            throw new UsageException($"--labels {string.Join(',', Labels)}: name every label column once.");
        Require(Epochs >= 1, "--epochs", Epochs, "1 or more");
        Require(Batch >= 2, "--batch", Batch, "2 or more");
        Require(LearningRate is > 0 and < 100, "--lr", LearningRate, "a number above 0");
        Require(Warmup is >= 0 and <= 1, "--warmup", Warmup, "the part of all steps, 0 to 1");
        Require(Momentum is >= 0 and < 1, "--momentum", Momentum, "0 or more, less than 1");
        Require(WeightDecay is >= 0 and < 1, "--weight-decay", WeightDecay, "0 or more, less than 1");
        Require(LabelSmoothing is >= 0 and < 1, "--label-smoothing", LabelSmoothing, "0 or more, less than 1");
        Require(CheckpointEvery >= 1, "--checkpoint-every", CheckpointEvery, "1 or more");
        Require(LogEvery >= 1, "--log-every", LogEvery, "1 or more");

        static void Require<T>(bool holds, string option, T given, string wanted)
        {
            if (!holds)
                throw new UsageException(FormattableString.Invariant($"{option} {given}: give {wanted}."));
        }
    }
}

using LiT.Benchmarks;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using LiT.Tuning.Runs;
using static TorchSharp.torch;

namespace LiT.Planning;

/// <summary>What a recipe comes to before anything is read: sizes that follow from its words.</summary>
/// <param name="Pairs">Pictures with captions.</param>
/// <param name="Batch">Pairs in a step, of all machines together.</param>
/// <param name="Steps">Updates in all.</param>
/// <param name="ImageTower">Its name.</param>
/// <param name="ImageWeights">Weights of the image tower.</param>
/// <param name="ImageFlops">Multiplications and additions of one picture through it.</param>
/// <param name="Width">Numbers of a stored row and of an embedding.</param>
/// <param name="TextTower">Its name.</param>
/// <param name="TextWeights">Weights that are tuned.</param>
/// <param name="ProductWeights">Those of them that are multiplied with every token.</param>
/// <param name="Tokens">Ids of a caption, on average.</param>
/// <param name="MicroBatch">Texts at once.</param>
/// <param name="TextNumbers">Numbers that are kept for the gradient of one of them.</param>
/// <param name="OptimizerBytes">Bytes that the optimizer keeps for a weight.</param>
internal sealed record PlannedRun(
    long Pairs,
    long Batch,
    long Steps,
    string ImageTower,
    long ImageWeights,
    double ImageFlops,
    int Width,
    string TextTower,
    long TextWeights,
    long ProductWeights,
    double Tokens,
    int MicroBatch,
    long TextNumbers,
    double OptimizerBytes
)
{
    private const int Vocabulary = 32_000;

    /// <summary>The share of a row of ids that captions fill: of alt-texts, 10 of 16 here.</summary>
    internal const double Filled = 0.65;

    /// <param name="recipe">The recipe.</param>
    /// <param name="pairs">Pictures with captions; null for as many as the recipe takes.</param>
    /// <param name="image">The image tower as a size (vit:g/14); null for the recipe's.</param>
    /// <param name="text">The text tower as a size (bert:base); null for the recipe's.</param>
    /// <exception cref="UsageException">Something is not known that a plan cannot do without.</exception>
    internal static PlannedRun Of(TuneRecipe recipe, long? pairs, string? image, string? text)
    {
        var count = pairs
            ?? recipe.Pictures
            ?? throw new SettingException("Pairs", null, "the recipe does not say how many", "Give a number of pairs");
        var tower = image ?? recipe.ImageTower ?? "vit:B/16";
        var config = ImageTowerLoader.ConfigOf(tower);
        var options = recipe.Over(new TuningOptions());
        var length = recipe.TokenLength ?? 16;
        var words = text ?? recipe.TextTower ?? "bert:base";
        using var scope = NewDisposeScope();
        using var built = TextTowerSpec.Parse(words, Vocabulary, length).Build(new Device(TorchSharp.DeviceType.META));
        var weights = built.parameters().Sum(one => one.numel());
        var steps = recipe.Epochs is { } epochs ? (long)Math.Ceiling(epochs * count / options.Batch) : options.Steps;
        return new(
            count,
            options.Batch,
            steps,
            tower,
            config.CountParameters(),
            MatrixProducts.Of(config).Sum(product => product.Flops),
            ImageTowerLoader.Describe(tower).Width,
            words,
            weights,
            built
                .named_parameters()
                .Where(one => one.parameter.dim() == 2 && !IsTable(one.name))
                .Sum(one => one.parameter.numel()),
            Filled * length,
            options.MicroBatch,
            RunNeeds.OfText(built, length),
            options.Optimizer.Kind == OptimizerKind.Adafactor ? 2.1 : 8
        );

        static bool IsTable(string name) =>
            name.StartsWith("tokens", StringComparison.Ordinal)
            || name.StartsWith("positions", StringComparison.Ordinal)
            || name.StartsWith("segments", StringComparison.Ordinal);
    }
}

/// <summary>What a run takes on a number of equal machines, a process on each.</summary>
/// <param name="Machines">How many.</param>
/// <param name="Batch">Pairs in a step, of all together.</param>
/// <param name="Text">Seconds of a step in the text tower.</param>
/// <param name="Loss">Seconds in the loss.</param>
/// <param name="Update">Seconds in the update.</param>
/// <param name="Exchange">Seconds in which bytes travel.</param>
/// <param name="Traffic">Bytes that a machine sends in a step.</param>
/// <param name="Memory">Bytes that a process needs.</param>
/// <param name="Tuning">Seconds of all steps.</param>
/// <param name="Embedding">Seconds of embedding every picture once.</param>
internal sealed record PlannedMachines(
    int Machines,
    long Batch,
    double Text,
    double Loss,
    double Update,
    double Exchange,
    double Traffic,
    double Memory,
    double Tuning,
    double Embedding
)
{
    // As LiT.Tuning.Contrastive.StripPieces and ContrastiveLossOptions have them.
    private const double KeptEmbeddings = 128 << 20,
        KeptLogits = 224 << 20,
        PieceRows = 8192;

    // A process before its first step: the runtime, libtorch and the data's captions.
    private const double Program = 0.6e9;

    /// <summary>Seconds of a step.</summary>
    internal double Step => Text + Loss + Update + Exchange;

    internal static PlannedMachines Of(PlannedRun run, PlanMachine machine, int machines, long batch)
    {
        var (own, e) = (batch / (double)machines, run.Width);
        var flops = 1e9 * machine.GigaFlops;
        // Forward 2, backward 4, and 2 more where a batch is embedded first and replayed part by part.
        var passes = own > run.MicroBatch ? 8 : 6;
        var text = passes * (double)run.ProductWeights * run.Tokens * own / (flops * machine.TextShare);
        // Logits once, or twice where they are not kept, and the gradient of the texts.
        var strip = 4.0 * batch * own;
        var products = 2.0 * batch * own * e * (strip <= KeptLogits / machines ? 2 : 3);
        var loss = products / (flops * machine.LossShare);
        var update = run.TextWeights * (12 + 2 * run.OptimizerBytes) / (1e9 * machine.MemoryGigabytes);
        var (traffic, messages) = Exchanged(run, machines, batch);
        var exchange =
            traffic / (1e9 / 8 * machine.NetworkGigabits * machine.NetworkShare)
            + messages * machine.LatencyMicroseconds / 1e6;
        var weights = run.TextWeights * (8 + run.OptimizerBytes);
        var seen = machines == 1 ? 2.0 * batch * e * 4 : Math.Min(batch, PieceRows) * 2.0 * e * 4;
        var kept = machines == 1 ? KeptLogits : KeptLogits / machines;
        var texts = 4.0 * run.TextNumbers * Math.Min(own, run.MicroBatch);
        var memory = Program + weights + texts + seen + 9.0 * own * e * 4 + Math.Min(kept, strip);
        var step = text + loss + update + exchange;
        return new(
            machines,
            batch,
            text,
            loss,
            update,
            exchange,
            traffic,
            memory,
            step * run.Steps * run.Batch / batch,
            run.Pairs * run.ImageFlops / (flops * machine.ImageShare) / machines
        );
    }

    /// <summary>Bytes that one process sends in a step, and the messages that one waits for after the other.</summary>
    private static (double Bytes, double Messages) Exchanged(PlannedRun run, int machines, double batch)
    {
        if (machines == 1)
            return (0, 0);
        var others = (machines - 1.0) / machines;
        var embeddings = batch * run.Width * 4;
        var visits = embeddings <= KeptEmbeddings ? 1 : 2;
        var sums = 5 * batch * 4;
        var gradients = 2.0 * run.TextWeights * 4;
        var pieces = visits * Math.Ceiling(batch / PieceRows);
        var buffers = Math.Ceiling(run.TextWeights * 4.0 / (16 << 20));
        return (
            others * (visits * embeddings + sums + gradients),
            (machines - 1) * (pieces + 3 + 2 * buffers) + 6 * Math.Ceiling(Math.Log2(machines))
        );
    }
}

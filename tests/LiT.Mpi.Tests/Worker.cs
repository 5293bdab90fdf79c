using System.Globalization;
using LiT.Tests.Tuning;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Mpi.Tests;

/// <summary>What one of the processes of a job does; it ends with 0 where everything was as it has to be.</summary>
internal static class Worker
{
    // So few bytes at a time that every exchange here takes several pieces.
    private const long PieceBytes = 64;

    public static int Run(string what)
    {
        try
        {
            using var group = MpiGroup.Join(Launch.Here, new() { HalfEmbeddings = what == "half" }, PieceBytes);
            Assert.Equal(Launch.Here.Processes, group.Processes);
            switch (what)
            {
                case "bytes":
                    Rows(group.Exchange);
                    Sums(group.Exchange);
                    Words(group.Exchange);
                    break;
                case "steps":
                    Strips(group.Exchange);
                    Steps(group.Exchange, 2e-5f, 1e-5);
                    break;
                case "half":
                    Steps(group.Exchange, 5e-2f, 5e-3);
                    break;
            }
            if (group.Place == 0)
                Console.WriteLine($"{group.Processes} processes over {group.Library}");
            return 0;
        }
        catch (Exception trouble)
        {
            Console.Error.WriteLine(trouble);
            return 1;
        }
    }

    /// <summary>Rows of uneven counts, of every type that is sent.</summary>
    private static void Rows(IBatchExchange exchange)
    {
        using var scope = NewDisposeScope();
        int[] counts = [.. Enumerable.Range(0, exchange.Processes).Select(process => 5 * process % 11)];
        foreach (var type in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.Int64, ScalarType.BFloat16 })
        {
            // Row r of process p holds 100 p + r everywhere.
            Tensor Of(int process) =>
                (arange(counts[process], ScalarType.Int64) + 100 * process).view(-1, 1, 1).expand(-1, 3, 2).to(type);
            var all = exchange.Gather(Of(exchange.Place), counts);
            Same(cat([.. Enumerable.Range(0, exchange.Processes).Select(Of)]), all);

            // What process p deals is the table of all rows plus p.
            var dealt = exchange.Deal(all + exchange.Place, counts);
            Assert.Equal([exchange.Processes, counts[exchange.Place], 3, 2], dealt.shape);
            for (var process = 0; process < exchange.Processes; process++)
                Same(Of(exchange.Place) + process, dealt[process]);
        }
    }

    /// <summary>Sums that cross buffers and tensors, in the order of the processes to the last bit.</summary>
    private static void Sums(IBatchExchange exchange)
    {
        using var scope = NewDisposeScope();
        long[][] shapes =
        [
            [7],
            [3, 5],
            [1],
            [0],
            [40, 3],
            [2, 2, 2],
        ];
        List<Tensor> Of(int process)
        {
            var random = new Random(process);
            return [.. shapes.Select(shape => tensor(Numbers(random, shape)).view(shape))];
        }
        var own = Of(exchange.Place);
        exchange.BeginSum(own[..2]);
        exchange.BeginSum(own[2..]);
        exchange.EndSums();
        var expected = Of(0);
        for (var process = 1; process < exchange.Processes; process++)
            foreach (var (sum, part) in expected.Zip(Of(process)))
                sum.add_(part);
        foreach (var (sum, got) in expected.Zip(own))
            Same(sum, got);

        static float[] Numbers(Random random, long[] shape) =>
            [
                .. Enumerable
                    .Range(0, (int)shape.Aggregate(1L, (a, b) => a * b))
                    .Select(_ => (float)Math.Exp(20 * random.NextDouble() - 10)),
            ];
    }

    private static void Words(IBatchExchange exchange)
    {
        string Of(int process) => new string('ä', 3 * process) + process.ToString(CultureInfo.InvariantCulture);
        Assert.Equal(Enumerable.Range(0, exchange.Processes).Select(Of), exchange.Gather(Of(exchange.Place)));
        Assert.False(exchange.Any(false, patient: false));
        for (var process = 0; process < exchange.Processes; process++)
            Assert.True(exchange.Any(process == exchange.Place, patient: true));
    }

    private static void Same(Tensor expected, Tensor got)
    {
        Assert.Equal(expected.shape, got.shape);
        Assert.True(expected.equal(got).all().item<bool>(), $"{expected} where {got} was expected");
    }

    /// <summary>The strips of a batch whose images come a few at a time are the loss of the whole batch.</summary>
    private static void Strips(IBatchExchange exchange)
    {
        const int batch = 37;
        foreach (var kind in Enum.GetValues<ContrastiveLossKind>().Where(LossStrip.Knows))
        foreach (var positives in new[] { Positives.Own(batch), Positives.Shared(Every(5), Every(7)) })
        foreach (var ofImages in new[] { true, false })
        {
            using var scope = NewDisposeScope();
            using var random = new Generator(3);
            Tensor Unit() => nn.functional.normalize(randn([batch, 8], generator: random), dim: 1);
            var (z, t) = (Unit(), Unit());
            var (logTemperature, bias) = (tensor(2.5f), tensor(-3f));
            ContrastiveLossOptions options = new()
            {
                Kind = kind,
                ImageGradient = ofImages,
                BlockSize = 3,
                PieceRows = 8,
            };
            var whole = ContrastiveLoss.Compute(z, t, logTemperature, bias, positives, options: options);
            BatchShare share = new(batch, exchange.Place, exchange.Processes);
            Tensor Own(Tensor all) => all.narrow(0, share.From, share.Count);
            var strip = LossStrip.Compute((Own(z), Own(t)), (logTemperature, bias), positives, options, exchange);
            Near(whole.Loss, strip.Loss);
            Near(Own(whole.TextGradient), strip.TextGradient);
            Assert.Equal(ofImages, strip.ImageGradient is not null);
            if (ofImages)
                Near(Own(whole.ImageGradient!), strip.ImageGradient!);
            Near(whole.LogTemperatureGradient, strip.LogTemperatureGradient);
            Near(whole.BiasGradient, strip.BiasGradient);
            Near(whole.ImageToText, strip.ImageToText);
            Near(whole.TextToImage, strip.TextToImage);

            void Near(Tensor expected, Tensor got)
            {
                var error = (expected - got).abs().max().to(ScalarType.Float64).item<double>();
                Assert.True(error <= 2e-6, $"{kind}, {(positives.IsPlain ? "own" : "shared")}: off by {error:g3}");
            }
        }

        static long[] Every(int pairs) => [.. Enumerable.Range(0, batch).Select(pair => (long)pair / pairs)];
    }

    /// <summary>
    /// Whatever is tuned, and however: loss, accuracies and gradients of the processes are those of one process.
    /// </summary>
    private static void Steps(IBatchExchange exchange, float tolerance, double ofLoss)
    {
        foreach (var setting in new[] { "Lu", "LL", "Uu", "UU" })
        foreach (var loss in Enum.GetValues<ContrastiveLossKind>())
        foreach (var positives in Enum.GetValues<PositivePairs>())
        foreach (var parts in loss == ContrastiveLossKind.Softmax && setting == "LL" ? [1, 3] : new[] { 1 })
        {
            using var scope = NewDisposeScope();
            using var run = Run(setting, loss, positives, parts);
            var (expected, whole) = Step(run, new WholeBatch());
            var (got, own) = Step(run, exchange);
            var what = $"{setting}, {loss}, {positives}, {parts} parts";
            Assert.Equal(expected.Loss, got.Loss, ofLoss);
            Assert.Equal(expected.GradientNorm, got.GradientNorm, tolerance * Math.Max(1, expected.GradientNorm));
            if (tolerance < 1e-3)
            {
                Assert.Equal(expected.ImageToText, got.ImageToText, 1e-9);
                Assert.Equal(expected.TextToImage, got.TextToImage, 1e-9);
            }
            Assert.Equal(whole.Keys.Order(), own.Keys.Order());
            foreach (var (name, gradient) in whole)
            {
                var (error, largest) = ((gradient - own[name]).abs().max().item<float>(), Largest(gradient));
                Assert.True(
                    error <= tolerance * Math.Max(0.1f, largest),
                    $"{what}, {name}: off by {error:g3} of {largest:g3}"
                );
            }
        }

        static float Largest(Tensor gradient) => gradient.abs().max().item<float>();
    }

    private static TinyRun Run(string setting, ContrastiveLossKind loss, PositivePairs positives, int parts) =>
        new()
        {
            Lock = LockSetting.Parse(setting),
            Image = () =>
                new VitConfig
                {
                    Width = 8,
                    Depth = 1,
                    MlpDim = 8,
                    AttentionHeads = 2,
                    Patch = 4,
                    ImageSize = 8,
                    Positions = VitPositions.LearnedWithClass,
                }.Create(1),
            ImageWidth = 8,
            ImageHead = setting == "Lu" ? null : 6,
            Pictures = () => new TinyRun.Colours(40),
            Options = TinyRun.Small with
            {
                Batch = 19, // in uneven parts
                MicroBatch = 4, // so that parts are replayed
                ImageMicroBatch = 3,
                Loss = loss,
                Positives = positives,
                LocalParts = parts,
                CaptionNoise = 0.5,
            },
        };

    private static (StepNumbers Numbers, Dictionary<string, Tensor> Gradients) Step(
        TinyRun run,
        IBatchExchange exchange
    )
    {
        using var towers = run.Towers();
        TuningTowers tuning = new(towers, run.Lock, run.Options.Optimizer);
        using var step = new TuningStep(tuning, run.Pairs(), run.Options, CPU, exchange);
        tuning.Train(true);
        var numbers = step.Run(3, 0);
        return (
            numbers,
            tuning
                .Parameters.Where(one => one.Tensor.grad is not null)
                .ToDictionary(one => one.Name, one => one.Tensor.grad!.clone())
        );
    }
}

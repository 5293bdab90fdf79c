using CsCheck;
using LiT.Bundles;
using LiT.Compute;
using LiT.Text;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>What tuning and the embedding of texts promise: one, two and three threads give the same bits.</summary>
public class SameBitsTests
{
    /// <summary>
    /// A text tower with layers, batches and tables large enough that libtorch would share each of their sums out among
    /// threads.
    /// </summary>
    private sealed record Setting(
        int Batch,
        int MicroBatch,
        double Dropout,
        ContrastiveLossKind Loss,
        OptimizerKind Optimizer,
        string Tower,
        int? ImageHead
    );

    private static readonly string[] Towers =
    [
        "text:width=64,depth=2,heads=2",
        "text:width=64,depth=2,heads=2,pool=last",
        "text:width=48,depth=1,heads=3,pool=map,pad=none",
        "bert:width=64,depth=1",
    ];

    private static readonly Gen<Setting> Settings =
        from batch in Gen.Int[40, 300]
        from parts in Gen.Int[1, 3]
        from dropout in Gen.Bool
        from loss in Gen.Enum<ContrastiveLossKind>()
        from optimizer in Gen.Enum<OptimizerKind>()
        from tower in Gen.Int[0, 3]
        from head in Gen.Bool
        select new Setting(
            batch,
            (batch + parts - 1) / parts,
            dropout ? 0.1 : 0,
            loss,
            optimizer,
            Towers[tower],
            head ? 40 : null
        );

    [Fact]
    public void A_step_of_tuning_with_clipping() =>
        Settings.Sample(setting => SameBits(() => Steps(setting, 2)), iter: 12, threads: 1);

    [Theory]
    [InlineData(256, 256, ContrastiveLossKind.Softmax, OptimizerKind.Adafactor, 0)]
    [InlineData(97, 40, ContrastiveLossKind.Sigmoid, OptimizerKind.AdamW, 2)]
    internal void A_run_of_thirty_steps(
        int batch,
        int micro,
        ContrastiveLossKind loss,
        OptimizerKind optimizer,
        int tower
    ) => SameBits(() => Steps(new(batch, micro, 0.1, loss, optimizer, Towers[tower], null), 30));

    [Theory]
    [InlineData("Uu")]
    [InlineData("Lu")]
    public void A_step_with_pictures_and_an_image_tower_that_moves_or_does_not(string setting) =>
        SameBits(() =>
        {
            using var run = new TinyRun
            {
                Lock = LockSetting.Parse(setting),
                Image = () => (VitConfig.Named("Ti/16") with { ImageSize = 8, Patch = 4, Depth = 1 }).Create(1),
                ImageWidth = 192,
                ImageHead = 20,
                Pictures = () => new TinyRun.Colours(40),
                Options = TinyRun.Small with { Batch = 36, MicroBatch = 36, ImageMicroBatch = 24 },
            };
            using var towers = run.Towers();
            return Stepped(towers, run.Pairs(), run.Lock, run.Options, 2);
        });

    [Fact]
    public void Embedded_texts_and_their_similarities() =>
        (from tower in Gen.Int[0, Towers.Length - 1] from count in Gen.Int[1, 700] select (tower, count)).Sample(
            size =>
                SameBits(() =>
                {
                    var tokenizer = Words(500);
                    var tower = TextTowerLoader.Create(
                        Towers[size.tower],
                        tokenizer.Tokenizer.VocabularySize,
                        16,
                        5,
                        0
                    );
                    using TwoTowers towers = new(null, null, tower, Head.Create(tower.Width, 200, 9), Math.Log(10));
                    towers.eval();
                    var texts = Enumerable.Range(0, size.count).Select(Caption).ToList();
                    var embedded = TowerOutputs.Texts(towers, tokenizer, texts, ComputeDevice.Cpu);
                    List<float> ranks = [];
                    Similarity.EachRow(embedded, embedded, (row, similarities) =>
                        ranks.AddRange([Similarity.RankOf(similarities, (row + 1) % size.count), .. similarities])
                    );
                    return [embedded.ToTensor().clone(), tensor(ranks.ToArray())];
                }),
            iter: 8,
            threads: 1
        );

    private static List<Tensor> Steps(Setting setting, int steps)
    {
        var tokenizer = Words(3000);
        var tower = TextTowerLoader.Create(
            FormattableString.Invariant($"{setting.Tower},dropout={setting.Dropout}"),
            tokenizer.Tokenizer.VocabularySize,
            tokenizer.Layout.Length,
            5,
            tokenizer.Layout.Pad
        );
        var size = setting.ImageHead ?? 96;
        using TwoTowers towers = new(
            null,
            setting.ImageHead is null ? null : Head.Create(96, size, 7),
            tower,
            Head.Create(tower.Width, size, 9),
            Math.Log(10),
            setting.Loss == ContrastiveLossKind.Sigmoid ? -10 : null
        );
        TuningPairs pairs = new(new Rows96(400), image => [Caption(image)], tokenizer, 3);
        var options = TinyRun.Small with
        {
            Batch = setting.Batch,
            MicroBatch = setting.MicroBatch,
            Loss = setting.Loss,
            AverageDecay = 0.9,
            Optimizer = new() { Kind = setting.Optimizer, LearningRate = 0.01 },
        };
        return Stepped(towers, pairs, LockSetting.Parse("Lu"), options, steps);
    }

    /// <summary>Everything that some steps leave, and the gradients of the last.</summary>
    private static List<Tensor> Stepped(
        TwoTowers towers,
        TuningPairs pairs,
        LockSetting setting,
        TuningOptions options,
        int steps
    )
    {
        TuningTowers tuning = new(towers, setting, options.Optimizer);
        using var step = new TuningStep(tuning, pairs, options, CPU);
        tuning.Train(true);
        List<Tensor> numbers = [];
        for (var number = 0; number < steps; number++)
        {
            var told = step.Run(number, 1);
            Assert.True(double.IsFinite(told.Loss));
            numbers.Add(
                tensor(new[] { told.Loss, told.ImageToText, told.TextToImage, told.GradientNorm, told.TextSpread })
            );
        }
        return
        [
            .. numbers,
            .. tuning.Parameters.Select(one => one.Tensor.grad!.clone()),
            .. step.State.Select(one => one.Tensor.detach().clone()),
            .. step.Optimizer.State.Values.Select(one => one.clone()),
        ];
    }

    private static void SameBits(Func<List<Tensor>> run)
    {
        var before = get_num_threads();
        using var scope = NewDisposeScope();
        try
        {
            var one = Run(1);
            foreach (var threads in new[] { 2, 3 })
            {
                var other = Run(threads);
                Assert.Equal(one.Count, other.Count);
                for (var i = 0; i < one.Count; i++)
                    Assert.True(
                        one[i].contiguous().bytes.SequenceEqual(other[i].contiguous().bytes),
                        $"{threads} threads, number {i} of {one.Count}"
                    );
            }
        }
        finally
        {
            set_num_threads(before);
        }

        List<Tensor> Run(int threads)
        {
            set_num_threads(threads);
            return run();
        }
    }

    private static CaptionTokenizer Words(int count) =>
        CaptionTokenizer.LitBert(
            new WordPiece(["[PAD]", "[UNK]", "[CLS]", .. Enumerable.Range(0, count).Select(word => $"w{word}")]),
            length: 16
        );

    private static string Caption(int image)
    {
        var random = new Random(image);
        return string.Join(' ', Enumerable.Range(0, 2 + image % 13).Select(_ => $"w{random.Next(500)}"));
    }

    /// <summary>Representations of 96 numbers.</summary>
    private sealed class Rows96(int count) : ITuningImages
    {
        public int Count => count;

        public IReadOnlyList<long> Shape { get; } = [96];

        public void Read(int image, long epoch, Span<float> destination)
        {
            var random = new Random(image + 1);
            for (var i = 0; i < 96; i++)
                destination[i] = random.NextSingle() - 0.5f;
        }
    }
}

using CsCheck;
using LiT.Compute;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>
/// However a batch is cut, into micro-batches of texts and pictures and over processes that meet at
/// <see cref="IBatchExchange"/>, the step's loss and gradients are those of the whole batch in one piece.
/// </summary>
public class AnySplitTests
{
    private sealed record Split(
        int Texts,
        int Pictures,
        int Processes,
        ContrastiveLossKind Kind,
        PositivePairs Positives,
        string Lock,
        int? ImageHead,
        int Depth,
        int[] Nested,
        double Structure,
        bool Taught
    );

    private static readonly int[][] Widths =
    [
        [],
        [3],
        [2, 4],
    ];

    private static readonly string[] Settings = ["Lu", "Uu", "UU", "LL"];

    private static readonly Gen<Split> Splits =
        from texts in Gen.Int[1, 18]
        from pictures in Gen.Int[1, 18]
        from processes in Gen.Int[2, 4]
        from kind in Gen.Enum<ContrastiveLossKind>()
        from positives in Gen.Enum<PositivePairs>()
        from setting in Gen.Int[0, 3]
        from head in Gen.Int[5, 7]
        from depth in Gen.Int[1, 5]
        from nested in Gen.Int[0, 2]
        from structure in Gen.Int[0, 1]
        from taught in Gen.Bool
        select new Split(
            texts,
            pictures,
            processes,
            kind,
            positives,
            Settings[setting],
            head,
            depth,
            Widths[nested],
            10 * structure,
            taught && kind != ContrastiveLossKind.Cosine
        );

    private static TinyRun Run(Split split, int texts, int pictures) =>
        new()
        {
            Lock = LockSetting.Parse(split.Lock),
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
            ImageHead = split.ImageHead,
            Depth = split.Depth,
            Pictures = () => new TinyRun.Colours(40),
            Options = TinyRun.Small with
            {
                MicroBatch = texts,
                ImageMicroBatch = pictures,
                Loss = split.Kind,
                Positives = split.Positives,
                Nested = split.Nested,
                Structure = split.Structure,
                StructureLevels = 2,
            },
        };

    [Fact]
    public void Any_split_into_micro_batches_and_processes_gives_the_loss_and_gradients_of_the_whole_batch() =>
        Splits.Sample(
            split =>
            {
                using var scope = NewDisposeScope();
                var (loss, whole) = Step(split, split.Texts, split.Pictures, new WholeBatch());
                var (expectedLoss, expected) = Step(split, 100, 100, new WholeBatch());
                Close(expectedLoss, expected, loss, whole);
                var meeting = new Meeting(split.Processes);
                var parts = new (double Loss, Dictionary<string, float[]> Gradients)[split.Processes];
                var threads = Enumerable
                    .Range(0, split.Processes)
                    .Select(place => new Thread(() =>
                        parts[place] = Step(split, split.Texts, split.Pictures, meeting.Of(place))
                    ))
                    .ToList();
                threads.ForEach(thread => thread.Start());
                threads.ForEach(thread => thread.Join());
                Assert.All(parts, part => Close(expectedLoss, expected, part.Loss, part.Gradients));
            },
            iter: 25,
            threads: 1
        );

    private static (double Loss, Dictionary<string, float[]> Gradients) Step(
        Split split,
        int texts,
        int pictures,
        IBatchExchange exchange
    )
    {
        using var scope = NewDisposeScope();
        using var run = Run(split, texts, pictures);
        using var towers = run.Towers();
        TuningTowers tuning = new(towers, run.Lock, run.Options.Optimizer);
        var pairs = split.Taught ? run.Pairs().SoftenedBy(new Likeness(), 0.5, 0.1) : run.Pairs();
        using var step = new TuningStep(tuning, pairs, run.Options, CPU, exchange);
        tuning.Train(true);
        var loss = step.Run(5, 0).Loss; // when a weight that rises is some
        return (
            loss,
            tuning
                .Parameters.Where(one => one.Tensor.grad is not null)
                .ToDictionary(one => one.Name, one => one.Tensor.grad!.data<float>().ToArray())
        );
    }

    private static void Close(
        double expectedLoss,
        Dictionary<string, float[]> expected,
        double loss,
        Dictionary<string, float[]> got
    )
    {
        Assert.Equal(expectedLoss, loss, 1e-5);
        Assert.Equal(expected.Keys.Order(), got.Keys.Order());
        foreach (var (name, gradient) in expected)
        {
            var (error, largest) = (
                gradient.Zip(got[name]).Max(pair => Math.Abs(pair.First - pair.Second)),
                gradient.Max(Math.Abs)
            );
            // What is cut is divided by the length that is left, and its rounding with it.
            Assert.True(error <= 5e-5f * Math.Max(0.1f, largest), $"{name}: {error:g3} of {largest:g3}");
        }
    }

    /// <summary>A teacher to whom pictures of one colour are near.</summary>
    private sealed class Likeness : ITeacherRows
    {
        public int Size => 3;

        public string Fingerprint => "colours";

        public void Read(int image, Span<float> row)
        {
            row.Clear();
            if (image % 7 != 0)
                row[image % 3] = 1;
        }
    }

    /// <summary>Threads that stand for processes.</summary>
    private sealed class Meeting(int processes)
    {
        private readonly Barrier barrier = new(processes);
        private readonly object?[] brought = new object?[processes];

        public IBatchExchange Of(int place) => new Part(this, place);

        /// <summary>What one makes of what all brought, while it is all there.</summary>
        private TResult Exchange<T, TResult>(int place, T own, Func<T[], TResult> made)
        {
            brought[place] = own;
            barrier.SignalAndWait();
            var result = made([.. brought.Cast<T>()]);
            barrier.SignalAndWait();
            return result;
        }

        private sealed class Part(Meeting meeting, int place) : IBatchExchange
        {
            public int Place => place;

            public int Processes => meeting.brought.Length;

            public bool InHalf => false;

            public Tensor Gather(Tensor own, IReadOnlyList<int> counts) => meeting.Exchange(place, own, all =>
                {
                    Assert.Equal(counts, all.Select(part => (int)part.shape[0]));
                    return cat(all);
                });

            public Tensor Deal(Tensor rows, IReadOnlyList<int> counts)
            {
                var from = counts.Take(place).Sum();
                return meeting.Exchange(place, rows, all =>
                    stack(all.Select(part => part.narrow(0, from, counts[place])))
                );
            }

            public void BeginSum(IReadOnlyList<Tensor> gradients)
            {
                var sums = meeting.Exchange(place, gradients, all =>
                    gradients.Select((_, i) => all.Select(part => part[i]).Aggregate((a, b) => a.Plus(b))).ToList()
                );
                foreach (var (gradient, sum) in gradients.Zip(sums))
                    gradient.copy_(sum);
            }

            public void EndSums() { }

            public IReadOnlyList<string> Gather(string own) => meeting.Exchange(place, own, all => all);

            public bool Any(bool own, bool patient) => meeting.Exchange(place, own, all => all.Contains(true));
        }
    }
}

using System.Threading.Channels;
using LiT.Data;
using LiT.Images;

namespace LiT.Pretraining;

/// <summary>
/// Decoded pictures of one step: values [Count, 3, H, W] (several views of a picture behind each other) and, for each
/// label column, the classes [Count].
/// </summary>
internal sealed record PictureBatch(long Step, int Count, float[] Values, long[][] Classes);

/// <summary>What becomes of a decoded picture: all values that a network is given of it.</summary>
internal delegate void PictureView(RgbImage image, ref Chance chance, Span<float> values);

/// <summary>
/// Makes the batches of a training run ahead of their use, on other threads. Which pictures are in a batch, in which
/// order and how they are changed follows from seed and step alone, never from how fast a thread was.
/// </summary>
internal sealed class PictureBatches(
    IReadOnlyList<LabelledPicture> pictures,
    int batch,
    DecodingOptions decoding,
    int valueCount,
    PictureView view,
    long seed,
    int threads
)
{
    private const int Ahead = 2;

    /// <summary>One view of each picture; without an augmentation, the picture as it is.</summary>
    public PictureBatches(
        IReadOnlyList<LabelledPicture> pictures,
        int batch,
        Preprocessing preprocessing,
        Augmentation? augmentation,
        long seed,
        int threads
    )
        : this(
            pictures,
            batch,
            preprocessing.Decoding,
            preprocessing.ValueCount,
            augmentation is null
                ? (image, ref _, values) => preprocessing.Apply(image, values)
                : (image, ref chance, values) => augmentation.Apply(image, preprocessing, ref chance, values),
            seed,
            threads
        ) { }

    private readonly ParallelOptions parallel = new() { MaxDegreeOfParallelism = Math.Max(1, threads) };

    /// <summary>Pictures in a batch; fewer than were asked for where there are fewer in all.</summary>
    public int BatchSize { get; } = Math.Min(batch, pictures.Count);

    /// <summary>Whole batches in an epoch. What is left over is another part in every epoch.</summary>
    public long StepsInEpoch => pictures.Count / BatchSize;

    /// <summary>The batches from one step up to another, in order.</summary>
    /// <param name="first">The first step.</param>
    /// <param name="end">The step after the last.</param>
    /// <param name="skip">Told of every picture that cannot be read or decoded; its batch goes on without it.</param>
    /// <param name="cancel">Stops.</param>
    public IEnumerable<PictureBatch> Shuffled(long first, long end, Action<Skipped> skip, CancellationToken cancel) =>
        Prefetched(Steps(first, end), skip, cancel);

    /// <summary>Every picture once, in order, as it is.</summary>
    /// <inheritdoc cref="Shuffled" path="/param"/>
    public IEnumerable<PictureBatch> InOrder(Action<Skipped> skip, CancellationToken cancel) =>
        Prefetched(
            Enumerable.Range(0, pictures.Count).Chunk(BatchSize).Select((chosen, step) => ((long)step, 0L, chosen)),
            skip,
            cancel
        );

    private IEnumerable<(long Step, long Epoch, int[] Chosen)> Steps(long first, long end)
    {
        var order = Array.Empty<int>();
        var ordered = -1L;
        for (var step = first; step < end; step++)
        {
            var (epoch, place) = Math.DivRem(step, StepsInEpoch);
            if (epoch != ordered)
            {
                order = Order(epoch);
                ordered = epoch;
            }
            yield return (step, epoch, order.AsSpan((int)place * BatchSize, BatchSize).ToArray());
        }
    }

    /// <summary>The order of an epoch (Fisher and Yates).</summary>
    private int[] Order(long epoch)
    {
        var order = Enumerable.Range(0, pictures.Count).ToArray();
        var chance = Chance.For(seed, epoch, -1);
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = chance.Below(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        return order;
    }

    private IEnumerable<PictureBatch> Prefetched(
        IEnumerable<(long Step, long Epoch, int[] Chosen)> steps,
        Action<Skipped> skip,
        CancellationToken cancel
    )
    {
        using var abandoned = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var made = Channel.CreateBounded<(PictureBatch Batch, List<Skipped> Skipped)>(Ahead);
        var making = Task.Run(
            async () =>
            {
                try
                {
                    foreach (var (step, epoch, chosen) in steps)
                        await made
                            .Writer.WriteAsync(Make(step, epoch, chosen, abandoned.Token), abandoned.Token)
                            .ConfigureAwait(false);
                    made.Writer.Complete();
                }
                catch (Exception trouble)
                {
                    made.Writer.Complete(trouble);
                }
            },
            CancellationToken.None
        );
        try
        {
            while (made.Reader.WaitToReadAsync(cancel).AsTask().GetAwaiter().GetResult())
            {
                while (made.Reader.TryRead(out var next))
                {
                    next.Skipped.ForEach(skip);
                    if (next.Batch.Count > 0)
                        yield return next.Batch;
                }
            }
        }
        finally
        {
            abandoned.Cancel();
            making.GetAwaiter().GetResult();
        }
    }

    private (PictureBatch, List<Skipped>) Make(long step, long epoch, int[] chosen, CancellationToken cancel)
    {
        var size = valueCount;
        var values = new float[chosen.Length * size];
        var troubles = new Skipped?[chosen.Length];
        Parallel.For(0, chosen.Length, parallel, i =>
        {
            cancel.ThrowIfCancellationRequested();
            var picture = pictures[chosen[i]];
            try
            {
                var image = Decoding.Decode(picture.ReadImage(), decoding, picture.Origin);
                var chance = Chance.For(seed, epoch, chosen[i]);
                view(image, ref chance, values.AsSpan(i * size, size));
            }
            catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
            {
                troubles[i] = new(picture.Origin, picture.Origin, trouble.Message);
            }
        });
        var kept = Enumerable.Range(0, chosen.Length).Where(i => troubles[i] is null).ToArray();
        if (kept.Length < chosen.Length)
        {
            for (var i = 0; i < kept.Length; i++)
                Array.Copy(values, kept[i] * size, values, i * size, size);
            Array.Resize(ref values, kept.Length * size);
        }
        var columns = pictures[0].Classes.Length;
        var classes = Enumerable
            .Range(0, columns)
            .Select(column => kept.Select(i => pictures[chosen[i]].Classes[column]).ToArray())
            .ToArray();
        return (new(step, kept.Length, values, classes), [.. troubles.OfType<Skipped>()]);
    }
}

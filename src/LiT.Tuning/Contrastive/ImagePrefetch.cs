using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>Reads the images of the step to come while the step at hand is computed.</summary>
internal sealed class ImagePrefetch : IDisposable
{
    private readonly TuningPairs pairs;
    private readonly int batch,
        from,
        count,
        each;
    private readonly float[] buffer;
    private (long Step, DrawnPairs Drawn, Task Reading)? ahead;

    /// <param name="pairs">What is drawn from.</param>
    /// <param name="batch">Pairs in a step.</param>
    /// <param name="from">The first of them whose image is read.</param>
    /// <param name="count">How many images are read.</param>
    internal ImagePrefetch(TuningPairs pairs, int batch, int from, int count)
    {
        (this.pairs, this.batch, this.from, this.count) = (pairs, batch, from, count);
        each = (int)pairs.Pictures.Shape.Aggregate(1L, (product, size) => product * size);
        if ((long)count * each > Array.MaxLength)
            throw new UsageException(
                $"--batch {batch}: {batch:N0} images of {each:N0} numbers are too many at once. Give at most {Array.MaxLength / each}."
            );
        buffer = new float[count * each];
    }

    /// <summary>The pairs of a step and their images, [count, …]; steps are expected one after the other.</summary>
    internal (DrawnPairs Drawn, Tensor Images) Take(long step)
    {
        if (ahead?.Step != step)
        {
            Dispose();
            Begin(step);
        }
        var (_, drawn, reading) = ahead!.Value;
        ahead = null;
        try
        {
            reading.Wait();
        }
        catch (AggregateException trouble) when (trouble.Flatten().InnerExceptions[0] is LitException expected)
        {
            throw new LitException(expected.Message, trouble);
        }
        var images = Images();
        Begin(step + 1);
        return (drawn, images);
    }

    /// <summary>
    /// A copy in memory that torch allocated: tensors made of managed arrays begin anywhere, and matrix products round
    /// differently with another alignment, so that a run would not be the same twice.
    /// </summary>
    private unsafe Tensor Images()
    {
        long[] shape = [count, .. pairs.Pictures.Shape];
        var images = empty(shape, ScalarType.Float32);
        buffer.CopyTo(new Span<float>(TensorMemory.Address(images), buffer.Length));
        return images;
    }

    private void Begin(long step)
    {
        var drawn = pairs.Draw(step, batch);
        ahead = (
            step,
            drawn,
            Task.Run(() =>
                Parallel.For(0, count, pair =>
                    pairs.Pictures.Read(
                        drawn.Images[from + pair],
                        drawn.Epochs[from + pair],
                        buffer.AsSpan(pair * each, each)
                    )
                )
            )
        );
    }

    /// <summary>Waits for what is being read, so that nobody reads from what is closed next.</summary>
    public void Dispose()
    {
        if (ahead is not { } last)
            return;
        ahead = null;
        try
        {
            last.Reading.Wait();
        }
        catch (AggregateException) { }
    }
}

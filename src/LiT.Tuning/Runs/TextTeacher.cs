using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>
/// What another text tower gives for what is said of pictures, by their keys: the texts of a run are to give the same.
/// </summary>
/// <param name="Name">Where it comes from, as the run's configuration says it.</param>
/// <param name="Rows">A row of unit length for each key.</param>
/// <param name="Size">Numbers of a row.</param>
internal sealed record TextTeacher(string Name, IReadOnlyDictionary<string, float[]> Rows, int Size)
{
    // As the temperature, which the gradient of the pictures is multiplied by, is at the start.
    private const double Weight = 10;

    /// <summary>The pairs with what is taught to their captions.</summary>
    /// <exception cref="LitException">
    /// The rows are of another size than the pictures', or name none of them.
    /// </exception>
    public TuningPairs Teach(TuningPairs pairs, TuningSource source, Action<string> say)
    {
        if (source.Width != Size)
            throw new LitException(
                Name,
                $"gives {Size} numbers, and a picture has {source.Width}: its pictures are read through a head",
                "Tune on the pictures alone, or on aligned captions alone"
            );
        string[] keys = [.. source.Keys];
        var taught = pairs.TaughtBy(
            image => Rows.TryGetValue(keys[image], out var row) ? row : ReadOnlyMemory<float>.Empty,
            Size,
            Weight
        );
        if (taught.Taught!.Count == 0)
            throw new LitException(
                Name,
                $"none of its {Rows.Count:N0} keys is a picture with a caption: '{Rows.Keys.First()}' is one",
                "Give aligned captions with the keys of the store"
            );
        say(
            $"{taught.Taught.Count} of {pairs.DistinctRows} distinct captions have an aligned one, whose row they learn"
        );
        return taught;
    }
}

using LiT.Classification;

namespace LiT.Tests.Calibration;

/// <summary>A world of concepts: pictures and captions lie around the direction of what they show.</summary>
internal sealed class Concepts
{
    private const int Size = 48;
    private readonly Random random = new(7);
    private readonly float[][] directions;

    public Concepts(int count) => directions = [.. Enumerable.Range(0, count).Select(_ => Draw())];

    /// <summary>Embeddings of unit length, each around its concept.</summary>
    public Embeddings Around(IReadOnlyList<int> concepts, double noise)
    {
        var values = new float[concepts.Count * Size];
        for (var i = 0; i < concepts.Count; i++)
        {
            var row = values.AsSpan(i * Size, Size);
            var stray = Draw();
            for (var j = 0; j < Size; j++)
                row[j] = directions[concepts[i]][j] + (float)noise * stray[j];
            var length = (float)Math.Sqrt(row.ToArray().Sum(value => (double)value * value));
            for (var j = 0; j < Size; j++)
                row[j] /= length;
        }
        return new(values, Size);
    }

    /// <summary>The background of a collection that shows some of the concepts, with a caption of its own for each picture.</summary>
    public Background Background(int pictures, int concepts)
    {
        int[] shown = [.. Enumerable.Range(0, pictures).Select(i => i % concepts)];
        return LiT.Classification.Background.Of(
            Around(shown, 1),
            Around(shown, 0.7),
            [.. Enumerable.Range(0, pictures).Select(i => new[] { i })],
            "a collection"
        );
    }

    private float[] Draw()
    {
        var values = Enumerable
            .Range(0, Size)
            .Select(_ => random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5)
            .ToArray();
        var length = Math.Sqrt(values.Sum(value => value * value));
        return [.. values.Select(value => (float)(value / length))];
    }
}

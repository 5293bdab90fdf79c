using LiT.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT;

/// <summary>Two towers in evaluation mode put to use: texts and stored representations in, plain unit vectors out.</summary>
internal static class TowerOutputs
{
    private const int TextsAtOnce = 256, RepresentationsAtOnce = 4096;

    /// <summary>ztxt of each text, in their order; equal texts go through the tower once.</summary>
    public static Embeddings Texts(TwoTowers towers, CaptionTokenizer tokenizer, IReadOnlyList<string> texts, Compute compute,
        IProgress<ProgressStep>? progress = null, CancellationToken cancel = default)
    {
        var distinct = texts.Distinct(StringComparer.Ordinal).ToList();
        var size = towers.EmbeddingSize;
        var values = new float[distinct.Count * size];
        var length = tokenizer.Layout.Length;
        for (var first = 0; first < distinct.Count; first += TextsAtOnce)
        {
            cancel.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var some = distinct.GetRange(first, Math.Min(TextsAtOnce, distinct.Count - first));
            var rows = new long[some.Count * length];
            tokenizer.Rows(some, rows);
            CopyOut(towers.EmbedTexts(tensor(rows, some.Count, length).to(compute.Device)), values.AsSpan(first * size));
            progress?.Report(new("reading", first + some.Count, distinct.Count, "texts"));
        }
        Embeddings unique = new(values, size);
        if (distinct.Count == texts.Count) return unique;
        var rowOf = distinct.Select((text, row) => (text, row)).ToDictionary(pair => pair.text, pair => pair.row, StringComparer.Ordinal);
        return unique.Select([.. texts.Select(text => rowOf[text])]);
    }

    /// <summary>zimg of each representation.</summary>
    public static Embeddings Images(TwoTowers towers, Embeddings representations, Compute compute)
    {
        var size = towers.EmbeddingSize;
        var values = new float[representations.Count * size];
        for (var first = 0; first < representations.Count; first += RepresentationsAtOnce)
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            var some = representations.ToTensor(first, Math.Min(RepresentationsAtOnce, representations.Count - first));
            CopyOut(towers.ProjectImages(some.to(compute.Device).to(compute.Type)), values.AsSpan(first * size));
        }
        return new(values, size);
    }

    private static void CopyOut(Tensor rows, Span<float> destination) =>
        rows.to(ScalarType.Float32).cpu().contiguous().data<float>().CopyTo(destination);
}

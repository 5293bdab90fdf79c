using LiT.Compute;
using LiT.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Bundles;

/// <summary>
/// Two towers in evaluation mode put to use: texts and stored representations in, plain unit vectors out.
/// </summary>
internal static class TowerOutputs
{
    private const int TextsAtOnce = 64,
        BatchesInChunk = 64,
        RepresentationsAtOnce = 256;

    /// <summary>
    /// ztxt of each text, in their order. Equal texts go through the tower once; texts of as many ids go together, so
    /// that a tower that masks padding has none to compute.
    /// </summary>
    public static Embeddings Texts(
        TwoTowers towers,
        CaptionTokenizer tokenizer,
        IReadOnlyList<string> texts,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default,
        TextCache? cache = null
    ) =>
        Texts(
            (towers.EmbedTexts, towers.EmbeddingSize, towers.Text.VocabularySize),
            tokenizer,
            texts,
            compute,
            progress,
            cancel,
            cache
        );

    /// <summary>
    /// What a text tower itself gives for each text, in their order, not of unit length; otherwise as <see
    /// cref="Texts(TwoTowers, CaptionTokenizer, IReadOnlyList{string}, ComputeDevice, IProgress{ProgressStep}?,
    /// CancellationToken, TextCache?)"/>.
    /// </summary>
    public static Embeddings Representations(
        TextTower tower,
        CaptionTokenizer tokenizer,
        IReadOnlyList<string> texts,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    ) => Texts((tower.call, tower.Width, tower.VocabularySize), tokenizer, texts, compute, progress, cancel, null);

    private static Embeddings Texts(
        (Func<Tensor, Tensor> Embed, int Size, int Vocabulary) side,
        CaptionTokenizer tokenizer,
        IReadOnlyList<string> texts,
        ComputeDevice compute,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel,
        TextCache? cache
    )
    {
        var (size, length) = (side.Size, tokenizer.Layout.Length);
        var distinct = texts.Distinct(StringComparer.Ordinal).ToArray();
        var ids = new long[distinct.Length * length];
        tokenizer.Rows(distinct, ids);
        if (ids.Length > 0 && Array.FindIndex(ids, id => id >= side.Vocabulary) is >= 0 and var beyond)
            throw new LitException(
                $"The text '{distinct[beyond / length]}' has a piece of the vocabulary (id {ids[beyond]}) "
                    + $"that the text tower has no row for: it knows {side.Vocabulary:N0}. Leave such "
                    + "marks out of the text."
            );
        var order = Enumerable
            .Range(0, distinct.Length)
            .OrderBy(row => Used(ids.AsSpan(row * length, length), tokenizer.Layout.Pad))
            .ToArray(); // stable

        var values = new float[distinct.Length * size];
        for (var first = 0; first < order.Length; first += TextsAtOnce * BatchesInChunk)
        {
            var rows = order.AsSpan(first, Math.Min(TextsAtOnce * BatchesInChunk, order.Length - first)).ToArray();
            string[]? chunk = cache is null ? null : [.. rows.Select(row => distinct[row])];
            var embedded = chunk is null ? null : cache!.Find(chunk, size);
            if (embedded is null)
            {
                embedded = Embedded(rows, first);
                if (chunk is not null)
                    cache!.Keep(chunk, embedded);
            }
            for (var i = 0; i < rows.Length; i++)
                embedded.AsSpan(i * size, size).CopyTo(values.AsSpan(rows[i] * size));
        }
        Embeddings unique = new(values, size);
        if (distinct.Length == texts.Count)
            return unique;
        var rowOf = distinct
            .Select((text, row) => (text, row))
            .ToDictionary(pair => pair.text, pair => pair.row, StringComparer.Ordinal);
        return unique.Select([.. texts.Select(text => rowOf[text])]);

        float[] Embedded(int[] rows, int done)
        {
            var into = new float[rows.Length * size];
            var (parts, read) = ((rows.Length + TextsAtOnce - 1) / TextsAtOnce, 0);
            InParts(compute.Device, parts, part =>
            {
                cancel.ThrowIfCancellationRequested();
                var (first, count) = (part * TextsAtOnce, Math.Min(TextsAtOnce, rows.Length - part * TextsAtOnce));
                var batch = new long[count * length];
                for (var i = 0; i < count; i++)
                    ids.AsSpan(rows[first + i] * length, length).CopyTo(batch.AsSpan(i * length));
                var embedded = side.Embed(tensor(batch, count, length).to(compute.Device));
                CopyOut(embedded, into.AsSpan(first * size));
                lock (into)
                    progress?.Report(new("reading", done + (read += count), distinct.Length, "texts"));
            });
            return into;
        }
    }

    /// <summary>zimg of each representation.</summary>
    public static Embeddings Images(TwoTowers towers, Embeddings representations, ComputeDevice compute)
    {
        var size = towers.EmbeddingSize;
        var values = new float[representations.Count * size];
        InParts(compute.Device, (representations.Count + RepresentationsAtOnce - 1) / RepresentationsAtOnce, part =>
        {
            var first = part * RepresentationsAtOnce;
            var count = Math.Min(RepresentationsAtOnce, representations.Count - first);
            var some = representations.ToTensor(first, count).to(compute.Device).to(compute.Type);
            CopyOut(towers.ProjectImages(some), values.AsSpan(first * size));
        });
        return new(values, size);
    }

    /// <summary>On the CPU each part is done on one thread, so that the number of threads changes no bit.</summary>
    private static void InParts(Device device, int parts, Action<int> embed)
    {
        void Embed(int part)
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            embed(part);
        }
        if (device.type == TorchSharp.DeviceType.CPU)
            Parts.Run(parts, Embed);
        else
            for (var part = 0; part < parts; part++)
                Embed(part);
    }

    /// <summary>Ids before the padding at the end of a row.</summary>
    private static int Used(ReadOnlySpan<long> row, long pad)
    {
        var used = row.Length;
        while (used > 0 && row[used - 1] == pad)
            used--;
        return used;
    }

    private static void CopyOut(Tensor rows, Span<float> destination) =>
        rows.to(ScalarType.Float32).cpu().contiguous().data<float>().CopyTo(destination);
}

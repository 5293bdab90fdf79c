using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// What texts are to give beside what their pictures ask of them: for rows of token ids the row that another text
/// tower gives for an aligned caption. Each pair's loss grows by weight x (1 - ztxt · row), half the squared distance
/// of unit vectors; a text without a row is left to its pictures. Plain data; safe for several threads.
/// </summary>
internal sealed class TaughtTexts
{
    private readonly Embeddings rows;
    private readonly double weight;

    /// <param name="rows">A row for each row of ids, of unit length; zeros where nothing is taught.</param>
    /// <param name="weight">Of this loss beside that of the pictures.</param>
    public TaughtTexts(Embeddings rows, double weight) => (this.rows, this.weight) = (rows, weight);

    /// <summary>Rows of ids that something is taught to.</summary>
    public int Count => Enumerable.Range(0, rows.Count).Count(IsTaught);

    /// <summary>The loss of a batch with what is taught added.</summary>
    /// <param name="result">Of the pictures and texts.</param>
    /// <param name="texts">Embeddings of this process's texts, [n, E], of unit length.</param>
    /// <param name="captions">Their rows of ids.</param>
    /// <param name="batch">Pairs in the whole batch.</param>
    public LossResult Added(LossResult result, Tensor texts, ReadOnlySpan<int> captions, int batch)
    {
        var values = new float[captions.Length * rows.Size];
        var taught = 0;
        for (var pair = 0; pair < captions.Length; pair++)
        {
            rows[captions[pair]].CopyTo(values.AsSpan(pair * rows.Size));
            taught += IsTaught(captions[pair]) ? 1 : 0;
        }
        var pairs = captions.Length;
        LossResult? added = null;
        // On one thread: libtorch cuts sums where its threads are.
        Parts.Run(1, _ =>
        {
            var target = tensor(values, pairs, rows.Size).On(texts.device);
            var missing = RowProducts.Of(texts, target).sum().TimesInPlace(-1).PlusInPlace((double)taught);
            added = result with
            {
                Loss = result.Loss.Plus(missing.TimesInPlace(weight / batch)),
                TextGradient = result.TextGradient.Plus(target.TimesInPlace(-weight / batch)),
            };
        });
        return added!;
    }

    private bool IsTaught(int row) => rows[row].ContainsAnyExcept(0f);
}

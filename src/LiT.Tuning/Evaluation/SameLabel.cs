using LiT.Compute;

namespace LiT.Evaluation;

/// <summary>
/// Retrieval judged by labels: a caption of another picture that shows the same is no mistake. For data in which many
/// pictures deserve each other's captions, and recall says little.
/// </summary>
internal static class SameLabel
{
    /// <summary>
    /// Share of images whose nearest text belongs to an image of their label, and of texts whose nearest image has the
    /// label of theirs; the mean of both, 0 to 1. What has no label asks nothing, and answers nothing right.
    /// </summary>
    /// <param name="images">N embeddings of unit length.</param>
    /// <param name="texts">M embeddings of unit length.</param>
    /// <param name="imageOf">The image that each text belongs to.</param>
    /// <param name="labels">The images' labels, null for none; one is there at least, of an image with a text.</param>
    public static double Share(
        Embeddings images,
        Embeddings texts,
        IReadOnlyList<int> imageOf,
        IReadOnlyList<string?> labels
    )
    {
        Tally toText = new(),
            toImage = new();
        Similarity.EachRow(images, texts, (image, row) =>
            toText.Ask(labels[image], labels[imageOf[Similarity.ArgMax(row)]])
        );
        Similarity.EachRow(texts, images, (text, row) =>
            toImage.Ask(labels[imageOf[text]], labels[Similarity.ArgMax(row)])
        );
        return (toText.Share + toImage.Share) / 2;
    }

    /// <summary>How often two images, drawn with their labels, have one label.</summary>
    public static double ByLuck(IReadOnlyList<string?> labels) =>
        labels.OfType<string>().CountBy(label => label).Sum(one => Math.Pow(one.Value / (double)labels.Count, 2));

    private sealed class Tally
    {
        private int right,
            asked;

        public double Share => right / (double)asked;

        public void Ask(string? label, string? found)
        {
            if (label is null)
                return;
            asked++;
            if (found == label)
                right++;
        }
    }
}

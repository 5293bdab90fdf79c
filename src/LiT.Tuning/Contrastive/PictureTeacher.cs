using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>Rows that a stronger image tower gave for the same pictures. Safe for several threads.</summary>
internal interface ITeacherRows
{
    /// <summary>Numbers of a row.</summary>
    int Size { get; }

    /// <summary>What tells these rows from others; part of what a run was begun with.</summary>
    string Fingerprint { get; }

    /// <summary>Writes the row of a picture, at unit length or all zero where there is none.</summary>
    /// <param name="image">The picture's number in the run.</param>
    /// <param name="row">Room for it.</param>
    void Read(int image, Span<float> row);
}

/// <summary>
/// Targets of a teacher (Hinton et al. 2015, arXiv 1503.02531): how like a picture is to the others of its batch for a
/// stronger tower says how much of its text may go to theirs. A share of the loss becomes the cross-entropy of the
/// logits, picture by picture and text by text, with the softmax over the teacher's cosines divided by a temperature. A
/// picture without a row has its own text alone as target, and is nobody else's. Plain data; safe for several threads.
/// </summary>
/// <param name="rows">The teacher's.</param>
/// <param name="share">Of the loss, 0 to 1.</param>
/// <param name="temperature">What cosines are divided by.</param>
internal sealed class PictureTeacher(ITeacherRows rows, double share, double temperature)
{
    private const long RowsAtOnce = 512;

    /// <summary>The loss with the teacher's share in it.</summary>
    /// <param name="result">The contrastive loss, with the gradients of this process's own rows.</param>
    /// <param name="z">Embeddings of the whole batch, of unit length, [B, E] each.</param>
    /// <param name="logTemperature">t: logits are exp(t) · zimg · ztxt.</param>
    /// <param name="images">The pictures of the batch.</param>
    /// <param name="own">Which rows are this process's.</param>
    public LossResult Shared(
        LossResult result,
        (Tensor Image, Tensor Text) z,
        Tensor logTemperature,
        IReadOnlyList<int> images,
        BatchShare own
    )
    {
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        var (likeness, present) = Likeness(images, z.Image);
        var scale = logTemperature.to_type(z.Image.dtype).exp().reshape(1);
        Asked asked = new(zeros_like(z.Image), zeros_like(z.Text), zeros([], ScalarType.Float64, z.Image.device));
        Ask(asked.Loss, (z.Image, asked.OfImages), (z.Text, asked.OfTexts), (likeness, present), scale);
        Ask(asked.Loss, (z.Text, asked.OfTexts), (z.Image, asked.OfImages), (likeness, present), scale);
        LossResult? mixed = null;
        Parts.Run(1, _ =>
        {
            // Both directions, and the temperature stands before every logit: sum over all of gradient times logit.
            var each = 0.5 * share / images.Count;
            var ofTemperature = RowProducts.Of(z.Text, asked.OfTexts).sum().TimesInPlace(each);
            mixed = result.Weighted(1 - share) with
            {
                ImageToText = result.ImageToText,
                TextToImage = result.TextToImage,
            };
            mixed.Loss.PlusInPlace(asked.Loss, each);
            mixed.LogTemperatureGradient.PlusInPlace(ofTemperature);
            mixed.TextGradient.PlusInPlace(asked.OfTexts.narrow(0, own.From, own.Count), each);
            mixed.ImageGradient?.PlusInPlace(asked.OfImages.narrow(0, own.From, own.Count), each);
        });
        return mixed!.MoveToOuterDisposeScope();
    }

    /// <summary>Adds one direction: every row of one side asks all rows of the other.</summary>
    private void Ask(
        Tensor loss,
        (Tensor Rows, Tensor Gradient) from,
        (Tensor Rows, Tensor Gradient) to,
        (Tensor Rows, Tensor Present) teacher,
        Tensor scale
    )
    {
        var size = from.Rows.shape[0];
        for (var first = 0L; first < size; first += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            Rows rows = new(first, Math.Min(RowsAtOnce, size - first));
            var (logits, alike) = (
                Products(rows.Of(from.Rows), to.Rows),
                Products(rows.Of(teacher.Rows), teacher.Rows)
            );
            Parts.Run(1, _ =>
            {
                var targets = Targets(alike, rows, teacher.Present);
                var shares = logits.mul_(scale).log_softmax(1);
                loss.sub_((targets * shares).sum(ScalarType.Float64));
                logits = shares.exp_().sub_(targets).mul_(scale);
            });
            Compute.Products.Add(rows.Of(from.Gradient), logits, to.Rows);
            Compute.Products.Add(to.Gradient, logits.t(), rows.Of(from.Rows));
        }
    }

    private static Tensor Products(Tensor some, Tensor all)
    {
        var products = empty([some.shape[0], all.shape[0]], some.dtype, some.device);
        Compute.Products.Write(products, some, all);
        return products;
    }

    /// <summary>What the teacher says of some pictures: shares of all, [n, B].</summary>
    private Tensor Targets(Tensor alike, Rows rows, Tensor present)
    {
        var own = Scalars.Numbers(rows.Count, ScalarType.Int64, alike.device).Plus(rows.From).unsqueeze(1);
        var all = Scalars.Numbers(alike.shape[1], ScalarType.Int64, alike.device).unsqueeze(0);
        var itself = own == all;
        var known = rows.Of(present).unsqueeze(1).logical_and(present.unsqueeze(0)).logical_or(itself);
        var nothing = Scalars.Filled(1, double.NegativeInfinity, alike.dtype, alike.device);
        return where(known, alike.TimesInPlace(1 / temperature), nothing).softmax(1);
    }

    /// <summary>The teacher's rows of a batch, [B, D], and which pictures have one, [B].</summary>
    private (Tensor Rows, Tensor Present) Likeness(IReadOnlyList<int> images, Tensor like)
    {
        var values = new float[images.Count * rows.Size];
        var present = new bool[images.Count];
        Parts.Run(images.Count, place =>
        {
            var row = values.AsSpan(place * rows.Size, rows.Size);
            rows.Read(images[place], row);
            present[place] = row.ContainsAnyExcept(0f);
        });
        return (
            new Embeddings(values, rows.Size).ToTensor().to_type(like.dtype).On(like.device),
            tensor(present).On(like.device)
        );
    }

    /// <summary>Sums over both directions, before they are shared out.</summary>
    private sealed record Asked(Tensor OfImages, Tensor OfTexts, Tensor Loss);
}

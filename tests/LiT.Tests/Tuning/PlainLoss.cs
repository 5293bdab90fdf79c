using LiT.Compute;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Tests.Tuning;

/// <summary>
/// The losses as one writes them down, over the whole matrix, with gradients by autograd: the oracle.
/// </summary>
internal sealed record PlainLoss(
    double Loss,
    Tensor ImageGradient,
    Tensor TextGradient,
    double LogTemperatureGradient,
    double BiasGradient
)
{
    // belongs: which image belongs with which text, [B, B].
    internal static PlainLoss Compute(
        Tensor zimg,
        Tensor ztxt,
        double logTemperature,
        double bias,
        bool[,] belongs,
        ContrastiveLossKind kind
    )
    {
        var (z, t) = (zimg.detach().clone().requires_grad_(), ztxt.detach().clone().requires_grad_());
        var (log, b) = (
            tensor(logTemperature, float64, requires_grad: true),
            tensor(bias, float64, requires_grad: true)
        );
        var loss = Of(z, t, (log, b), belongs, kind);
        loss.backward();
        return new(loss.item<double>(), z.grad!, t.grad!, log.grad!.item<double>(), b.grad?.item<double>() ?? 0);
    }

    /// <summary>The loss itself, within whatever graph its arguments stand in.</summary>
    internal static Tensor Of(
        Tensor z,
        Tensor t,
        (Tensor LogTemperature, Tensor Bias) learned,
        bool[,] belongs,
        ContrastiveLossKind kind
    )
    {
        var (log, b) = learned;
        var positive = tensor(belongs);
        var logits = log.exp() * z.matmul(t.t()).to_type(float64);
        var target = positive.to_type(float64);
        return kind switch
        {
            ContrastiveLossKind.Softmax => -(
                (target / target.sum(1, keepdim: true) * log_softmax(logits, 1))
                    .sum()
                    .Plus((target / target.sum(0, keepdim: true) * log_softmax(logits, 0)).sum())
            ).Over(2.0 * z.shape[0]),
            ContrastiveLossKind.Sigmoid => -logsigmoid(where(positive, logits + b, -(logits + b))).sum() / z.shape[0],
            _ => (1 - (z * t).sum(1)).sum() / z.shape[0] + 0 * log,
        };
    }

    /// <summary>The relation that equal captions and equal images make.</summary>
    internal static bool[,] Relation(long[] captions, long[] images)
    {
        var belongs = new bool[captions.Length, captions.Length];
        for (var i = 0; i < captions.Length; i++)
        for (var j = 0; j < captions.Length; j++)
            belongs[i, j] = i == j || captions[i] == captions[j] || images[i] == images[j];
        return belongs;
    }
}

using LiT.Compute;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// The paper's model (section 3): an image tower f and a text tower g, each followed by an optional head to a common
/// size E; both outputs are brought to unit length and compared, logits = exp(t) · zimg · ztxt (+ b).
/// </summary>
/// <remarks>The image tower may be absent: a locked one's representations can come from a store instead.</remarks>
internal sealed class TwoTowers : Module
{
    /// <summary>What <see cref="UnitLength"/> adds to a length before it divides by it.</summary>
    internal const double Epsilon = 1e-8; // big_vision two_towers.py: z / (|z| + 1e-8)

    private readonly ImageTower? image;
    private readonly Head? imageHead,
        textHead;
    private readonly TextTower text;
    private readonly Parameter t;
    private readonly Parameter? b;

    /// <param name="image">f, or null where its representations come from a store.</param>
    /// <param name="imageHead">Brings the image side to E; null where the representation has that size.</param>
    /// <param name="text">g.</param>
    /// <param name="textHead">Brings the text side to E; null where the representation has that size.</param>
    /// <param name="logTemperature">t; the paper starts at ln 10.</param>
    /// <param name="bias">b of the sigmoid loss, or null for the softmax loss.</param>
    public TwoTowers(
        ImageTower? image,
        Head? imageHead,
        TextTower text,
        Head? textHead,
        double logTemperature,
        double? bias = null
    )
        : base(nameof(TwoTowers))
    {
        (this.image, this.imageHead, this.text, this.textHead) = (image, imageHead, text, textHead);
        t = Scalar(logTemperature);
        if (bias is { } start)
            b = Scalar(start);
        RegisterComponents();
    }

    /// <summary>f, or null.</summary>
    public ImageTower? Image => image;

    /// <summary>The image side's head, or null.</summary>
    public Head? ImageHead => imageHead;

    /// <summary>g.</summary>
    public TextTower Text => text;

    /// <summary>The text side's head, or null.</summary>
    public Head? TextHead => textHead;

    /// <summary>t, the logarithm of what logits are multiplied by, [1].</summary>
    public Parameter LogTemperature => t;

    /// <summary>b of the sigmoid loss, [1], or null.</summary>
    public Parameter? Bias => b;

    /// <summary>E, the common size.</summary>
    public int EmbeddingSize => textHead?.Outputs ?? text.Width;

    /// <summary>exp(t).</summary>
    public double Temperature => Math.Exp(t.item<float>());

    /// <param name="pixels">Preprocessed pixels, [B, 3, H, W].</param>
    /// <returns>zimg of unit length, [B, E].</returns>
    public Tensor EmbedImages(Tensor pixels) =>
        ProjectImages(
            (image ?? throw new InvalidOperationException("These towers were made without an image tower.")).call(
                pixels
            )
        );

    /// <param name="representation">What the image tower gave, not of unit length, [B, D].</param>
    /// <returns>zimg of unit length, [B, E].</returns>
    public Tensor ProjectImages(Tensor representation) => UnitLength(imageHead?.call(representation) ?? representation);

    /// <param name="ids">Token ids, [B, L].</param>
    /// <returns>ztxt of unit length, [B, E].</returns>
    public Tensor EmbedTexts(Tensor ids)
    {
        var representation = text.call(ids);
        return UnitLength(textHead?.call(representation) ?? representation);
    }

    /// <param name="zimg">[N, E].</param>
    /// <param name="ztxt">[M, E].</param>
    /// <returns>exp(t) · zimg · ztxt (+ b), [N, M].</returns>
    public Tensor Logits(Tensor zimg, Tensor ztxt)
    {
        var logits = t.exp() * zimg.matmul(ztxt.t());
        return b is null ? logits : logits.Plus(b);
    }

    /// <summary>
    /// How probable every text is for each image: a softmax over the texts or, with a bias, each pair for itself.
    /// </summary>
    /// <param name="logits">[N images, M texts].</param>
    public Tensor ProbabilitiesOverTexts(Tensor logits) => b is null ? logits.softmax(1) : logits.sigmoid();

    /// <summary>
    /// How probable every image is for each text: a softmax over the images or, with a bias, each pair for itself.
    /// </summary>
    /// <param name="logits">[N images, M texts].</param>
    public Tensor ProbabilitiesOverImages(Tensor logits) => b is null ? logits.softmax(0) : logits.sigmoid();

    /// <summary>z / (|z| + 1e-8) along the last axis.</summary>
    public static Tensor UnitLength(Tensor z) => z / z.norm(-1, keepdim: true).Plus(Epsilon);

    private static Parameter Scalar(double value)
    {
        var scalar = Parameter(Scalars.Filled(1, value, ScalarType.Float32, CPU));
        scalar.DetachFromDisposeScope();
        return scalar;
    }
}

using LiT.Compute;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace LiT.Pretraining;

// Shapes: B pictures, V views of each (the first two are large and the teacher's), K outputs of the head.

/// <summary>What a step's loss was made of.</summary>
/// <param name="Loss">To be minimised, in nats.</param>
/// <param name="TeacherEntropy">Mean entropy of what the teacher says of a view, in nats; ln K where it says nothing, 0
/// where it always names one output.</param>
/// <param name="Information">How much what the teacher says tells about which view it was, in nats: entropy of the mean
/// less mean entropy. It is 0 for a teacher that says the same of everything, whatever that is.</param>
internal sealed record DinoTerms(Tensor Loss, double TeacherEntropy, double Information);

/// <summary>
/// The loss of DINO (Caron et al. 2021, arXiv 2104.14294, section 3.1 and algorithm 1): cross-entropy of the student's
/// views against the teacher's large ones, other views of the same picture only. The teacher is centred, then
/// sharpened; the centre is a moving mean of what it gave before that.
/// </summary>
internal sealed class DinoLoss : IDisposable
{
    private readonly double studentTemperature,
        centreMomentum;

    public DinoLoss(int outputs, double studentTemperature, double centreMomentum)
    {
        (this.studentTemperature, this.centreMomentum) = (studentTemperature, centreMomentum);
        Centre = zeros(1, outputs).DetachFromDisposeScope();
    }

    /// <summary>The mean that the teacher is centred with, [1, K].</summary>
    public Tensor Centre { get; }

    /// <param name="student">What the student's head gave, view after view, [V B, K].</param>
    /// <param name="teacher">What the teacher's gave for the two large views, [2 B, K]; takes no gradient.</param>
    /// <param name="views">V.</param>
    /// <param name="temperature">The teacher's.</param>
    public DinoTerms Of(Tensor student, Tensor teacher, int views, double temperature)
    {
        using var scope = NewDisposeScope();
        var K = teacher.shape[1];
        var logQ = log_softmax(teacher.detach().sub(Centre).Over(temperature), 1).view(2, -1, K); // [2, B, K]
        var q = logQ.exp();
        var logP = log_softmax(student.Over(studentTemperature), 1).view(views, -1, K); // [V, B, K]
        var all = logP.sum([0]); // [B, K]
        // Every view of the student but the one that the teacher looks at.
        var likelihood = q[0].mul(all.sub(logP[0])).Plus(q[1].mul(all.sub(logP[1]))).sum(1); // [B]
        var loss = likelihood.mean().Over(-2.0 * (views - 1));
        var entropy = -q.mul(logQ).sum(2).mean().item<float>();
        var mean = q.mean([0, 1]); // [K]
        var ofMean = -mean.mul(mean.With(1e-30, (x, least) => x.clamp_min(least)).log()).sum().item<float>();
        return new(loss.MoveToOuterDisposeScope(), entropy, Math.Max(0, ofMean - entropy));
    }

    /// <summary>Moves the centre towards the mean of what the teacher gave, as it gave it, [2 B, K].</summary>
    public void UpdateCentre(Tensor teacher)
    {
        using var unrecorded = no_grad();
        using var scope = NewDisposeScope();
        Centre.TimesInPlace(centreMomentum).PlusInPlace(teacher.mean([0], keepdim: true), 1 - centreMomentum);
    }

    public void Dispose() => Centre.Dispose();
}

using System.Security.Cryptography;
using System.Text;
using LiT.Checkpoints;
using LiT.Towers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Tuning;

/// <summary>
/// Two towers as tuning sees them: what moves, what is locked, and proof that the locked did not move. Names are those of
/// the model, <c>image.…</c>, <c>imageHead.…</c>, <c>text.…</c>, <c>textHead.…</c>, <c>t</c>, <c>b</c>.
/// </summary>
public sealed class TuningTowers
{
    private readonly HashSet<string> moving;
    private readonly List<(string Name, Module Module)> modules;
    private readonly bool tuneImage, tuneText;

    /// <param name="towers">The model; parameters that are locked take no gradient from now on.</param>
    /// <param name="tuneImage">Whether the image tower moves; its head does in any case.</param>
    /// <param name="tuneText">Whether the text tower moves; its head does in any case.</param>
    /// <param name="optimizer">Learning-rate rules of 0 lock single parameters.</param>
    public TuningTowers(TwoTowers towers, bool tuneImage, bool tuneText, OptimizerOptions optimizer)
    {
        (Towers, this.tuneImage, this.tuneText) = (towers, tuneImage, tuneText);
        modules = [.. towers.named_modules()];
        Parameters = [.. TunedParameter.Of(towers, "").Where(parameter => MayMove(parameter.Name)
            && ParameterRule.For(parameter.Name, optimizer.LearningRateRules)?.Multiplier is not 0)];
        moving = [.. Parameters.Select(parameter => parameter.Name)];
        foreach (var (name, parameter) in towers.named_parameters()) parameter.requires_grad = moving.Contains(name);
        ImageMoves = Moves("image");
        TextMoves = Moves("text");

        bool Moves(string side) => moving.Any(name => name.StartsWith(side, StringComparison.Ordinal));
    }

    /// <summary>The model.</summary>
    public TwoTowers Towers { get; }

    /// <summary>Everything that moves.</summary>
    public IReadOnlyList<TunedParameter> Parameters { get; }

    /// <summary>Whether anything on the image side moves.</summary>
    public bool ImageMoves { get; }

    /// <summary>Whether anything on the text side moves.</summary>
    public bool TextMoves { get; }

    /// <summary>Training or evaluation mode for what moves; the rest is in evaluation mode always.</summary>
    internal void Train(bool training)
    {
        Towers.train(training);
        foreach (var (name, module) in modules)
            // A norm whose weights are locked keeps its statistics too.
            if ((name is "image" or "text" && !MayMove(name + ".")) || IsLockedNorm(name, module)) module.eval();
    }

    /// <summary>What a checkpoint must keep: all parameters that move and the statistics beside them.</summary>
    internal IEnumerable<(string Name, Tensor Tensor)> Moving() => Tensors(moves: true);

    /// <summary>SHA-256 over everything that must not move.</summary>
    internal string LockedFingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in Tensors(moves: false).OrderBy(one => one.Name, StringComparer.Ordinal))
        {
            using var scope = NewDisposeScope();
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {tensor.dtype} [{string.Join(", ", tensor.shape)}]\n"));
            TensorBytes.ForEachPiece(tensor.detach().cpu().contiguous(), hash.AppendData);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private IEnumerable<(string Name, Tensor Tensor)> Tensors(bool moves)
    {
        foreach (var (name, parameter) in Towers.named_parameters())
            if (moving.Contains(name) == moves) yield return (name, parameter);
        var norms = modules.Where(one => IsLockedNorm(one.Name, one.Module)).Select(one => one.Name + ".").ToList();
        foreach (var (name, buffer) in Towers.named_buffers())
            if ((MayMove(name) && !norms.Any(norm => name.StartsWith(norm, StringComparison.Ordinal))) == moves) yield return (name, buffer);
    }

    private bool MayMove(string name) => name.StartsWith("image.", StringComparison.Ordinal) ? tuneImage
        : !name.StartsWith("text.", StringComparison.Ordinal) || tuneText;

    private bool IsLockedNorm(string name, Module module) =>
        module is BatchNorm && !moving.Any(parameter => parameter.StartsWith(name + ".", StringComparison.Ordinal));
}

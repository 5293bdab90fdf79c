using System.Security.Cryptography;
using System.Text;
using LiT.Towers;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using BatchNorm = TorchSharp.Modules.BatchNorm;
using OptimizerOptions = LiT.Tuning.Optimizers.OptimizerOptions;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Two towers as tuning sees them: what moves, what is locked, and proof that the locked did not move. Names are those
/// of the model, <c>image.…</c>, <c>imageHead.…</c>, <c>text.…</c>, <c>textHead.…</c>, <c>t</c>, <c>b</c>.
/// </summary>
internal sealed class TuningTowers
{
    private readonly HashSet<string> moving;
    private readonly Dictionary<string, long> unlockedAt;
    private readonly List<(string Name, Module Module)> modules;
    private readonly bool tuneImage,
        tuneText;
    private HashSet<string> held = [];
    private bool training;

    /// <param name="towers">The model; parameters that are locked take no gradient from now on.</param>
    /// <param name="tuneImage">Whether the image tower moves; its head does in any case.</param>
    /// <param name="tuneText">Whether the text tower moves; its head does in any case.</param>
    /// <param name="optimizer">Learning-rate rules of 0 lock single parameters; unlock rules hold some back until a
    /// step.</param>
    public TuningTowers(TwoTowers towers, bool tuneImage, bool tuneText, OptimizerOptions optimizer)
    {
        (Towers, this.tuneImage, this.tuneText) = (towers, tuneImage, tuneText);
        modules = [.. towers.named_modules()];
        Parameters =
        [
            .. TunedParameter
                .Of(towers, "")
                .Where(parameter =>
                    MayMove(parameter.Name)
                    && ParameterRule.For(parameter.Name, optimizer.LearningRateRules)?.Multiplier is not 0
                ),
        ];
        moving = [.. Parameters.Select(parameter => parameter.Name)];
        unlockedAt = moving
            .Select(name => (name, step: UnlockRule.For(name, optimizer.UnlockRules)))
            .Where(one => one.step > 0)
            .ToDictionary(one => one.name, one => one.step);
        foreach (var (name, parameter) in towers.named_parameters())
            parameter.requires_grad = moving.Contains(name);
        At(0);
        SeeWhatMoves();
    }

    /// <summary>The same for a setting of the paper.</summary>
    public TuningTowers(TwoTowers towers, LockSetting setting, OptimizerOptions optimizer)
        : this(
            towers,
            towers.Image is not null && setting.Image != TowerStart.Locked,
            setting.Text != TowerStart.Locked,
            optimizer
        ) { }

    /// <summary>The model.</summary>
    public TwoTowers Towers { get; }

    /// <summary>
    /// What embeddings are turned by before they are cut, [E, E]: that of a locked image side's rows
    /// (<see cref="LiT.Compute.PrincipalRotation"/>). Null where the image side learns to put first what says most.
    /// </summary>
    public Tensor? Rotation { get; init; }

    /// <summary>Everything that moves.</summary>
    public IReadOnlyList<TunedParameter> Parameters { get; }

    /// <summary>Whether anything on the image side moves now.</summary>
    public bool ImageMoves { get; private set; }

    /// <summary>Whether anything inside the image tower moves now; its head is not in it.</summary>
    public bool ImageTowerMoves { get; private set; }

    /// <summary>Whether anything on the text side moves now.</summary>
    public bool TextMoves { get; private set; }

    /// <summary>Whether anything inside the text tower moves now; its head is not in it.</summary>
    public bool TextTowerMoves { get; private set; }

    /// <summary>Sides whose tower stays what it is and whose head moves: the image's, the text's.</summary>
    public (bool Image, bool Text) HeadsAlone =>
        (ImageMoves && !ImageTowerMoves && Towers.ImageHead is not null, TextMoves && !TextTowerMoves);

    /// <summary>What moves now on one side, <c>image</c> or <c>text</c>, head and tower.</summary>
    internal IReadOnlyList<Tensor> MovingNow(string side) => [.. NamedNow(side).Select(one => one.Tensor)];

    /// <summary><see cref="MovingNow"/> with its names.</summary>
    internal IEnumerable<TunedParameter> NamedNow(string side) =>
        Parameters.Where(one => one.Name.StartsWith(side, StringComparison.Ordinal) && !held.Contains(one.Name));

    /// <summary>Unlocks what moves from this step on and holds back what does not yet.</summary>
    internal void At(long step)
    {
        if (unlockedAt.Count == 0)
            return;
        var now = unlockedAt.Where(one => one.Value > step).Select(one => one.Key).ToHashSet();
        if (now.SetEquals(held))
            return;
        held = now;
        foreach (var parameter in Parameters)
            parameter.Tensor.requires_grad = !held.Contains(parameter.Name);
        SeeWhatMoves();
        if (training)
            Train(true);
    }

    /// <summary>Training or evaluation mode for what moves; the rest is in evaluation mode always.</summary>
    internal void Train(bool training)
    {
        this.training = training;
        Towers.train(training);
        foreach (var (name, module) in modules)
            // A norm whose weights are locked keeps its statistics too.
            if ((name is "image" or "text" && !MayMove(name + ".")) || IsNormWithout(module, name, moving.Except(held)))
                module.eval();
    }

    /// <summary>Statistics of batch norms that a pass in training mode moves.</summary>
    internal IReadOnlyList<Tensor> MovingStatistics() =>
        [
            .. modules
                .Where(one => one.Module is BatchNorm && one.Module.training)
                .SelectMany(one => one.Module.named_buffers())
                .Select(one => one.buffer),
        ];

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
            TensorMemory.ForEachPiece(tensor.detach().cpu().contiguous(), hash.AppendData);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private IEnumerable<(string Name, Tensor Tensor)> Tensors(bool moves)
    {
        foreach (var (name, parameter) in Towers.named_parameters())
            if (moving.Contains(name) == moves)
                yield return (name, parameter);
        var norms = modules
            .Where(one => IsNormWithout(one.Module, one.Name, moving))
            .Select(one => one.Name + ".")
            .ToList();
        foreach (var (name, buffer) in Towers.named_buffers())
            if ((MayMove(name) && !norms.Any(norm => name.StartsWith(norm, StringComparison.Ordinal))) == moves)
                yield return (name, buffer);
    }

    private bool MayMove(string name) =>
        name.StartsWith("image.", StringComparison.Ordinal)
            ? tuneImage
            : !name.StartsWith("text.", StringComparison.Ordinal) || tuneText;

    private void SeeWhatMoves() =>
        (ImageMoves, ImageTowerMoves, TextMoves, TextTowerMoves) = (
            Moves("image"),
            Moves("image."),
            Moves("text"),
            Moves("text.")
        );

    private bool Moves(string side) => moving.Except(held).Any(name => name.StartsWith(side, StringComparison.Ordinal));

    private static bool IsNormWithout(Module module, string name, IEnumerable<string> parameters) =>
        module is BatchNorm && !parameters.Any(parameter => parameter.StartsWith(name + ".", StringComparison.Ordinal));
}

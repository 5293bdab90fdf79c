using System.Globalization;
using LiT.Towers;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;
using Block = TorchSharp.torch.nn.Module<TorchSharp.torch.Tensor, LiT.Compute.TokenRows?, TorchSharp.torch.Tensor>;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Cuts the way back through a text tower into a few stages, output side first, so that the gradients of a stage can
/// travel while those of the next are computed. Not one number differs from the way back in one piece. Passes on
/// several threads do not see each other's cuts.
/// </summary>
internal sealed class BackwardStages : IDisposable
{
    private const int Most = 4;

    [ThreadStatic]
    private static List<Tensor>? passed;

    private readonly List<Block.HookRemover> hooks = [];
    private readonly List<int> cuts = []; // the first block of each stage but the last, output side first
    private readonly TextStages? stages;

    /// <param name="tower">Its blocks tell when they have been passed, until this is disposed.</param>
    internal BackwardStages(TextTower tower)
    {
        if ((stages = tower.Stages) is null)
            return;
        var blocks = tower
            .named_modules()
            .Where(one => one.module is Block && BlockOf(one.name) is { } number && one.name == NameOf(number))
            .ToDictionary(one => BlockOf(one.name)!.Value, one => (Block)one.module);
        var count = Math.Min(Most, blocks.Count);
        for (var stage = count - 1; stage > 0; stage--)
        {
            cuts.Add(blocks.Count * stage / count);
            hooks.Add(Watch(blocks[cuts[^1] - 1]));
        }
    }

    /// <summary>Parameters of the text side, stage by stage; every stage is there, also where none is in it.</summary>
    internal IReadOnlyList<IReadOnlyList<Tensor>> Apart(IEnumerable<TunedParameter> parameters)
    {
        var of = parameters.ToLookup(one => StageOf(one.Name), one => one.Tensor);
        return [.. Enumerable.Range(0, cuts.Count + 1).Select(stage => (Tensor[])[.. of[stage]])];
    }

    private int StageOf(string name)
    {
        const string tower = "text.";
        if (stages is null || !name.StartsWith(tower, StringComparison.Ordinal))
            return 0;
        name = name[tower.Length..];
        if (BlockOf(name) is { } block)
            return cuts.Count(first => block < first);
        return stages.Before.Any(before => name.StartsWith(before + ".", StringComparison.Ordinal)) ? cuts.Count : 0;
    }

    /// <summary>Computes something and tells what passed between two stages of it, output side first.</summary>
    internal (Tensor Result, IReadOnlyList<Tensor> Cuts) Pass(Func<Tensor> compute)
    {
        passed = [];
        try
        {
            var result = compute();
            passed.Reverse();
            return (result, passed);
        }
        finally
        {
            passed = null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => hooks.ForEach(hook => hook.remove());

    // The tower goes on with an alias: what it lets go of as soon as it can is not what is kept.
    private static Block.HookRemover Watch(Block block) =>
        block.register_forward_hook(
            (_, _, _, states) =>
            {
                if (passed is null || !states.requires_grad)
                    return states;
                passed.Add(states.DetachFromDisposeScope());
                return states.alias();
            }
        );

    private string NameOf(int block) => string.Create(CultureInfo.InvariantCulture, $"{stages!.Blocks}.{block}");

    private int? BlockOf(string name)
    {
        if (!name.StartsWith(stages!.Blocks + ".", StringComparison.Ordinal))
            return null;
        var number = name[(stages.Blocks.Length + 1)..].Split('.')[0];
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var block) ? block : null;
    }
}

using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Tuning.Optimizers;

/// <summary>A tensor that tuning moves, by its full name in the two towers.</summary>
/// <param name="Name">As in <c>text.encoder.blocks.3.mlp.fc1.weight</c>; rules match it.</param>
/// <param name="Tensor">The parameter itself; belongs to its module.</param>
/// <param name="Decays">Whether weight decay applies where no rule says otherwise.</param>
internal sealed record TunedParameter(string Name, Tensor Tensor, bool Decays)
{
    /// <summary>
    /// Every parameter of a module. Kernels of linear layers and convolutions decay, as the reference's <c>.*/kernel$</c>;
    /// biases, norms, tables of tokens and positions and single vectors do not.
    /// </summary>
    /// <param name="module">A tower or a head.</param>
    /// <param name="prefix">Put before each name, with its dot: <c>text.</c>.</param>
    public static IEnumerable<TunedParameter> Of(Module module, string prefix)
    {
        var tables = module
            .named_modules()
            .Append((name: "", module))
            .Where(one => one.module is TorchSharp.Modules.Embedding)
            .Select(one => one.name.Length == 0 ? "weight" : one.name + ".weight")
            .ToHashSet();
        return module
            .named_parameters()
            .Select(one => new TunedParameter(
                prefix + one.name,
                one.parameter,
                one.parameter.dim() >= 2 && one.name.Split('.')[^1] == "weight" && !tables.Contains(one.name)
            ));
    }
}

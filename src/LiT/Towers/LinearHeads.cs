using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>The supervised heads of a tower by name: <c>heads.NAME.weight</c>, <c>heads.NAME.bias</c>.</summary>
internal sealed class LinearHeads : Module
{
    private readonly Dictionary<string, Dense> heads = [];

    public LinearHeads(int width, IReadOnlyList<HeadConfig> configs, Device? device)
        : base(nameof(LinearHeads))
    {
        foreach (var head in configs)
        {
            if (head.Name.Length == 0 || !head.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
                throw new LitException($"A head cannot be called '{head.Name}'. Use letters, digits, '-' and '_'.");
            if (head.ClassNames is { } names && names.Count != head.Classes)
                throw new LitException(
                    $"Head '{head.Name}' has {head.Classes} classes and {names.Count} names for them. "
                        + "Name every class once."
                );
            var linear = Layers.Dense(width, head.Classes, device);
            if (!heads.TryAdd(head.Name, linear))
                throw new LitException($"There are two heads called '{head.Name}'. Give each its own name.");
            register_module(head.Name, linear);
        }
        Names = [.. configs.Select(head => head.Name)];
    }

    public IReadOnlyList<string> Names { get; }

    /// <summary>Small weights, so that training starts from equal probabilities.</summary>
    public void Initialise(Generator random)
    {
        foreach (var linear in heads.Values)
        {
            Layers.Normal(linear.weight!, 0.01, random);
            init.zeros_(linear.bias!);
        }
    }

    /// <summary>[B, D] → [B, classes].</summary>
    public Tensor Logits(string head, Tensor representation) =>
        heads.TryGetValue(head, out var linear)
            ? linear.call(representation)
            : throw new ArgumentException(
                $"This tower has no head '{head}'. "
                    + (Names.Count == 0 ? "It has none at all." : $"Its heads are {string.Join(", ", Names)}."),
                nameof(head)
            );
}

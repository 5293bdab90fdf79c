using LiT.Compute;
using LiT.Compute.Locked;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>softmax(q · kᵀ / sqrt(head size)) · v for every head.</summary>
internal sealed class Attend : CompiledLayer
{
    private readonly int heads;
    private Attending? attending;

    public Attend(int heads, Device? device)
        : base(nameof(Attend), device)
    {
        this.heads = heads;
        RegisterComponents();
    }

    /// <summary>Every token sees every token.</summary>
    public override Tensor forward(Tensor states) => call(states, null);

    /// <inheritdoc cref="Attending.All"/>
    public Tensor call(Tensor states, TokenRows? rows) => attending!.All(states, rows);

    /// <inheritdoc cref="Attending.One"/>
    public Tensor One(Tensor query, Tensor states, TokenRows? rows) => attending!.One(query, states, rows);

    protected override void Compile(Target target) => attending = Attending.For(target, heads);
}

using LiT.Compute;
using LiT.Compute.Locked;
using LiT.Towers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>Who computes in a tower is chosen when it is made, locked, moved or cast, and never by a call.</summary>
public sealed class CompiledTowerTests
{
    private static readonly VitConfig Small = new()
    {
        Width = 32,
        Depth = 1,
        MlpDim = 64,
        AttentionHeads = 2,
        Patch = 8,
        ImageSize = 32,
    };

    private static IReadOnlyList<CompiledLayer> Layers(Tower tower) => [.. tower.modules().OfType<CompiledLayer>()];

    private static HashSet<Type> Products(Tower tower) =>
        [.. tower.modules().OfType<Dense>().Select(dense => dense.Product.GetType())];

    [Fact]
    public void Locking_moving_and_unlocking_compile_every_layer_again()
    {
        using var tower = Small.Create(seed: 1);
        tower.eval();
        Assert.Equal([typeof(PlainProduct)], Products(tower));
        tower.Lock();
        Assert.All(Layers(tower), layer => Assert.Equal(new(CPU, ScalarType.Float32, Constant: true), layer.Target));
        Assert.Equal([OneDnn.IsAvailable ? typeof(PackedProduct) : typeof(PlainProduct)], Products(tower));
        tower.to(ScalarType.BFloat16);
        Assert.All(Layers(tower), layer => Assert.Equal(new(CPU, ScalarType.BFloat16, Constant: true), layer.Target));
        Assert.Equal([typeof(LibtorchProduct)], Products(tower));
        tower.to(ScalarType.Float32);
        Assert.Equal([OneDnn.IsAvailable ? typeof(PackedProduct) : typeof(PlainProduct)], Products(tower));
        tower.Unlock();
        Assert.All(Layers(tower), layer => Assert.Equal(new(CPU, ScalarType.Float32), layer.Target));
        Assert.Equal([typeof(PlainProduct)], Products(tower));
    }

    [Fact]
    public void A_locked_text_tower_multiplies_its_weights_as_they_lie()
    {
        using var random = new Generator(1, CPU);
        using var tower = new TextTransformerConfig(32, 1, 2, 64, 100, 8).Create(random);
        tower.Lock();
        Assert.True(tower.Locked);
        Assert.DoesNotContain(tower.parameters(), weight => weight.requires_grad);
        Assert.Equal([typeof(PlainProduct)], Products(tower));
    }

    [Fact]
    public void What_a_layer_kept_for_its_old_weights_is_not_used_with_its_new_ones()
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var tower = Small.Create(seed: 1);
        tower.Lock();
        using var random = new Generator(2, CPU);
        var pictures = randn([2, 3, 32, 32], generator: random);
        var before = tower.call(pictures);
        foreach (var weight in tower.parameters())
            weight.mul_(tensor(1.1f));
        tower.to(ScalarType.Float64).to(ScalarType.Float32);
        var moved = tower.call(pictures);
        tower.Unlock();
        var expected = tower.call(pictures);
        Assert.True((moved - expected).abs().max().item<float>() < 1e-4);
        Assert.True((moved - before).abs().max().item<float>() > 1e-2);
    }

    [Fact]
    public void An_int8_tower_stays_where_bytes_are_multiplied()
    {
        using var loaded = ImageTowerLoader.Load("vit:mu/16,size=32,int8");
        loaded.Tower.to(ScalarType.Float32).to(CPU);
        Assert.Contains(
            "Load it without int8",
            Assert.Throws<LitException>(() => loaded.Tower.to(ScalarType.BFloat16)).Message,
            StringComparison.Ordinal
        );
        Assert.All(loaded.Tower.parameters(), weight => Assert.Equal(ScalarType.Float32, weight.dtype));
    }
}

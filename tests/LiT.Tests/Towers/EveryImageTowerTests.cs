using LiT.Compute;
using LiT.Images;
using LiT.Towers;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>What holds for image towers of every architecture, on tiny ones.</summary>
public sealed class EveryImageTowerTests : IDisposable
{
    private static readonly HeadConfig[] Heads = [new("animals", 3, ["cat", "dog", "frog"])];

    internal static readonly Dictionary<string, ImageTowerConfig> Tiny = new()
    {
        ["vit, class token"] = new VitConfig
        {
            Width = 16,
            Depth = 2,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Positions = VitPositions.LearnedWithClass,
            Heads = Heads,
        },
        ["vit, mean, fixed positions"] = new VitConfig
        {
            Width = 16,
            Depth = 1,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Pooling = VitPooling.Mean,
            Positions = VitPositions.SinCos2d,
            Heads = Heads,
        },
        ["vit, attention pooling, pre-logits"] = new VitConfig
        {
            Width = 16,
            Depth = 1,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Pooling = VitPooling.Map,
            PreLogits = 12,
            Heads = Heads,
        },
        ["cut"] = new ShortenedTowerConfig
        {
            Tower = new CifarResNetConfig { Blocks = 1, ImageSize = 32 },
            ImageSize = 32,
            Outputs = 12,
            Hidden = 8,
            Gated = true,
            Standardises = true,
            Heads = Heads,
        },
        ["bit"] = new BitConfig
        {
            Width = 32,
            Units = [1, 1],
            ImageSize = 32,
            Heads = Heads,
        },
        ["gn-resnet"] = new GroupNormResNetConfig
        {
            Width = 32,
            Units = [1, 1],
            ImageSize = 32,
            Heads = Heads,
        },
        ["mixer"] = new MixerConfig
        {
            Width = 16,
            Depth = 2,
            TokensMlpDim = 10,
            ChannelsMlpDim = 24,
            Patch = 8,
            ImageSize = 32,
            Heads = Heads,
        },
        ["dino"] = new DinoConfig
        {
            Width = 16,
            Depth = 1,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Heads = Heads,
        },
        ["dino v2"] = new DinoConfig
        {
            Width = 16,
            Depth = 1,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Registers = 2,
            LayerScale = true,
            Mlp = DinoMlp.SwiGlu,
            JoinPatchMean = true,
            Resampling = PositionResampling.BilinearAligned,
            Heads = Heads,
        },
        ["dino v3"] = new DinoConfig
        {
            Width = 16,
            Depth = 2,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Registers = 2,
            RopeBase = 100,
            NormEps = 1e-5,
            LayerScale = true,
            Heads = Heads,
        },
        ["vit, class token and mean patch token"] = new VitConfig
        {
            Width = 16,
            Depth = 2,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Positions = VitPositions.LearnedWithClass,
            JoinPatchMean = true,
            Heads = Heads,
        },
        ["hf-vit, class token and mean patch token"] = new HuggingFaceViTConfig
        {
            Width = 16,
            Depth = 1,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            JoinPatchMean = true,
            Heads = Heads,
        },
        ["clip-vit"] = new ClipViTConfig
        {
            Width = 16,
            Depth = 2,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Projection = 12,
            Heads = Heads,
        },
        ["clip-vit, class token and mean patch token"] = new ClipViTConfig
        {
            Width = 16,
            Depth = 1,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Activation = Activation.Gelu,
            JoinPatchMean = true,
            Heads = Heads,
        },
        ["hf-vit"] = new HuggingFaceViTConfig
        {
            Width = 16,
            Depth = 1,
            MlpDim = 24,
            AttentionHeads = 2,
            Patch = 8,
            ImageSize = 32,
            Pooler = true,
            Activation = Activation.GeluTanh,
            Heads = Heads,
        },
        ["resnet, bottleneck"] = new ResNetConfig
        {
            Width = 8,
            Units = [1, 1],
            Middle = 16,
            ImageSize = 32,
            Heads = Heads,
        },
        ["resnet, basic"] = new ResNetConfig
        {
            Width = 8,
            Units = [2, 1],
            Block = ResNetBlock.Basic,
            ImageSize = 32,
            Heads = Heads,
        },
        ["cifar-resnet"] = new CifarResNetConfig
        {
            Blocks = 1,
            Width = 4,
            Stages = 2,
            StemStride = 2,
            ImageSize = 32,
            Heads = Heads,
        },
    };

    private readonly string folder = Directory.CreateTempSubdirectory("lit-").FullName;

    public static IEnumerable<TheoryDataRow<string>> Names() =>
        Tiny.Keys.Select(name => new TheoryDataRow<string>(name));

    public void Dispose() => Directory.Delete(folder, recursive: true);

    // Filled with numbers of every weight, biases and scales too; Hugging Face's towers cannot be made from scratch.
    private static ImageTower Filled(string name)
    {
        using var random = new Generator(11, CPU);
        using var unrecorded = no_grad();
        var tower = Tiny[name].Build();
        foreach (var (weight, value) in tower.state_dict())
            if (value.is_floating_point())
                value
                    .normal_(0, 0.3, random)
                    .add_(weight.EndsWith("running_var", StringComparison.Ordinal) ? 2 : 0.05f);
        tower.eval();
        return tower;
    }

    private static Tensor Pictures(int count)
    {
        using var random = new Generator(3, CPU);
        return randn([count, 3, 32, 32], generator: random);
    }

    private static float[] Floats(Tensor t) => t.contiguous().data<float>().ToArray();

    private static double Difference(Tensor got, Tensor expected) =>
        ((got - expected).abs().max() / expected.square().mean().sqrt()).to(float64).item<double>();

    [Theory]
    [MemberData(nameof(Names))]
    public void A_saved_tower_comes_back_whole(string name)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder, "image.safetensors");
        var tower = Filled(name);
        ImageTowerFile.Save(path, tower, Preprocessing.LiT(32));
        using var read = ImageTowerLoader.Load(path);
        Assert.Equal(
            System.Text.Json.JsonSerializer.Serialize(Tiny[name]),
            System.Text.Json.JsonSerializer.Serialize(read.Tower.Config)
        );
        Assert.Equal(ImageTowerFile.Fingerprint(tower, Preprocessing.LiT(32)), read.Fingerprint);
        Assert.Equal(["cat", "dog", "frog"], read.Heads[0].ClassNames);
        tower.Lock();
        var representation = read.Tower.call(Pictures(2));
        Assert.Equal(Floats(tower.call(Pictures(2))), Floats(representation));
        Assert.Equal([2, read.Tower.Width], representation.shape);
        Assert.Equal([2, 3], read.Tower.Logits("animals", representation).shape);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Locking_changes_neither_the_representation_nor_what_would_be_saved(string name)
    {
        using var scope = NewDisposeScope();
        var tower = Filled(name);
        var (plain, weights) = (tower.call(Pictures(2)).detach(), tower.state_dict().Keys.ToList());
        tower.Lock();
        Assert.True(Difference(tower.call(Pictures(2)), plain) < 2e-5);
        Assert.Equal(weights, tower.state_dict().Keys);
        tower.to(ScalarType.Float64);
        Assert.True(Difference(tower.call(Pictures(2).to(float64)), plain.to(float64)) < 2e-5);
    }

    [Theory]
    [InlineData("bit")]
    [InlineData("gn-resnet")]
    [InlineData("resnet, bottleneck")]
    [InlineData("cifar-resnet")]
    public void What_follows_from_locked_weights_is_computed_once(string name)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var tower = Filled(name);
        tower.Lock();
        var first = Floats(tower.call(Pictures(2)));
        foreach (var (kernel, weight) in tower.named_parameters())
            if (weight.dim() == 4)
                weight.zero_();
        Assert.Equal(first, Floats(tower.call(Pictures(2))));
        tower.Lock();
        Assert.NotEqual(first, Floats(tower.call(Pictures(2))));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_picture_has_the_same_representation_in_every_batch_and_on_every_thread(string name)
    {
        using var scope = NewDisposeScope();
        var tower = Filled(name);
        tower.Lock();
        using var unrecorded = no_grad();
        var pictures = Pictures(4);
        var together = tower.call(pictures);
        var alone = Enumerable
            .Range(0, 4)
            .AsParallel()
            .AsOrdered()
            .WithDegreeOfParallelism(4)
            .Select(i =>
            {
                using var own = NewDisposeScope();
                return Floats(tower.call(pictures[i..(i + 1)]));
            })
            .ToList();
        Assert.True(Difference(tensor(alone.SelectMany(x => x).ToArray()).view(together.shape), together) < 1e-5);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_call_leaves_nothing_behind_but_its_result(string name)
    {
        using var scope = NewDisposeScope();
        var (tower, pictures) = (Filled(name), Pictures(2));
        tower.Lock();
        using var unrecorded = no_grad();
        tower.call(pictures).Dispose(); // folds what can be folded
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        for (var i = 0; i < 3; i++)
            tower.call(pictures).Dispose();
        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_weight_takes_part_and_can_be_trained(string name)
    {
        using var scope = NewDisposeScope();
        var tower = Filled(name);
        tower.Lock();
        tower.Unlock();
        tower.train();
        tower.Logits("animals", tower.call(Pictures(4))).square().sum().backward();
        Assert.All(tower.named_parameters(), weight =>
        {
            Assert.NotNull(weight.parameter.grad);
            Assert.True(weight.parameter.grad.isfinite().all().item<bool>(), weight.name);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void In_bfloat16_the_representation_is_near(string name)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder, "image.safetensors");
        ImageTowerFile.Save(path, Filled(name), Preprocessing.LiT(32));
        using var exact = ImageTowerLoader.Load(path);
        using var coarse = ImageTowerLoader.Load(
            path,
            new ImageTowerOptions { Compute = ComputeDevice.Cpu with { Type = ScalarType.BFloat16 } }
        );
        Assert.Equal(exact.Fingerprint, coarse.Fingerprint);
        var got = coarse.Tower.call(Pictures(2).to(bfloat16));
        Assert.Equal(ScalarType.BFloat16, got.dtype);
        Assert.True(Difference(got.to(float32), exact.Tower.call(Pictures(2))) < 0.2);
    }

    [Fact]
    public void Weight_names_and_shapes_are_as_approved()
    {
        var lines = Tiny.SelectMany(entry => Described(entry.Key, entry.Value));
        Approved.Check("image_tower_weights.txt", string.Join('\n', lines) + "\n");

        static IEnumerable<string> Described(string name, ImageTowerConfig config)
        {
            using var tower = config.Build(new Device(DeviceType.META));
            return
            [
                $"# {name}",
                .. tower.state_dict().Select(weight => $"{weight.Key} [{string.Join(", ", weight.Value.shape)}]"),
                "",
            ];
        }
    }
}

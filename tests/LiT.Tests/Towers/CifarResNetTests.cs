using LiT.Images;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public sealed class CifarResNetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static CifarResNetConfig Tiny =>
        new()
        {
            Blocks = 1,
            Width = 4,
            ImageSize = 32,
            Heads = [new("animals", 3, ["cat", "dog", "frog"]), new("colours", 2)],
        };

    private static Tensor Pictures(int count, long seed = 1)
    {
        using var random = new Generator((ulong)seed, CPU);
        return randn([count, 3, 32, 32], generator: random);
    }

    private static double Difference(Tensor got, Tensor expected) =>
        ((got - expected).abs().max() / expected.square().mean().sqrt()).item<float>();

    [Fact]
    public void A_locked_tower_folds_its_batch_norms_without_changing_its_representation()
    {
        using var scope = NewDisposeScope();
        var tower = Tiny.Create(seed: 0);
        using (no_grad())
            for (var i = 0; i < 5; i++)
                tower.call(Pictures(8, i)); // running statistics that are not 0 and 1
        tower.eval();
        var pictures = Pictures(3);
        var plain = tower.call(pictures);
        tower.Lock();
        Assert.True(Difference(tower.call(pictures), plain) < 1e-5);
        Assert.All(tower.parameters(), parameter => Assert.False(parameter.requires_grad));
        Assert.Equal([3, 16], tower.call(pictures).shape);
    }

    [Fact]
    public void An_unlocked_tower_forgets_what_was_folded()
    {
        using var scope = NewDisposeScope();
        var tower = Tiny.Create(seed: 0);
        tower.Lock();
        var before = tower.call(Pictures(2));
        tower.Unlock();
        using (no_grad())
            foreach (var weight in tower.parameters())
                weight.mul_(1.5);
        tower.Lock();
        Assert.True(Difference(tower.call(Pictures(2)), before) > 0.1);
    }

    [Fact]
    public void A_few_steps_of_training_lower_the_loss_of_a_head()
    {
        using var scope = NewDisposeScope();
        var tower = Tiny.Create(seed: 0);
        var labels = arange(12) % 3;
        var pictures = Pictures(12) + labels.view(-1, 1, 1, 1); // brighter by class
        var optimizer = optim.SGD(tower.parameters(), 0.1, momentum: 0.9);
        var losses = new List<float>();
        for (var step = 0; step < 15; step++)
        {
            using var one = NewDisposeScope();
            var loss = nn.functional.cross_entropy(tower.Logits("animals", tower.call(pictures)), labels);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            losses.Add(loss.item<float>());
        }
        Assert.True(losses[^1] < losses[0] / 2, string.Join(" ", losses));
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        using var scope = NewDisposeScope();
        string Print(long seed) => ImageTowerFile.Fingerprint(Tiny.Create(seed), Preprocessing.Cifar);
        Assert.Equal(Print(7), Print(7));
        Assert.NotEqual(Print(7), Print(8));
    }

    [Fact]
    public void A_saved_tower_comes_back_with_its_heads_their_classes_and_its_preprocessing()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder, "image.safetensors");
        var tower = Tiny.Create(seed: 3);
        using (no_grad())
            tower.call(Pictures(8));
        ImageTowerFile.Save(
            path,
            tower,
            Preprocessing.Cifar,
            new Dictionary<string, string> { ["made.by"] = "a test" }
        );
        tower.Lock();

        using var read = ImageTowerLoader.Load(path);
        Assert.Equal(["animals", "colours"], read.Tower.HeadNames);
        Assert.Equal(["cat", "dog", "frog"], read.Heads[0].ClassNames);
        Assert.Equal(Preprocessing.Cifar, read.Preprocessing);
        Assert.Equal(ImageTowerFile.Fingerprint(tower, Preprocessing.Cifar), read.Fingerprint);
        var representation = read.Tower.call(Pictures(2));
        Assert.Equal(tower.call(Pictures(2)).data<float>().ToArray(), representation.data<float>().ToArray());
        Assert.Equal(
            tower.Logits("colours", representation).data<float>().ToArray(),
            read.Tower.Logits("colours", representation).data<float>().ToArray()
        );
    }

    [Fact]
    public void A_fingerprint_depends_on_weights_and_preprocessing_and_not_on_heads()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder, "headless.safetensors");
        var tower = Tiny.Create(seed: 3);
        var own = ImageTowerFile.Fingerprint(tower, Preprocessing.Cifar);
        Assert.NotEqual(own, ImageTowerFile.Fingerprint(tower, Preprocessing.Cifar with { Width = 40 }));
        using (no_grad())
            ((Dense)tower.named_modules().Single(m => m.name == "heads.animals").module).weight!.add_(1);
        Assert.Equal(own, ImageTowerFile.Fingerprint(tower, Preprocessing.Cifar));
        using (no_grad())
            tower.parameters().First().view(-1)[0].add_(1e-3f);
        Assert.NotEqual(own, ImageTowerFile.Fingerprint(tower, Preprocessing.Cifar));
    }

    [Fact]
    public void Names_of_the_public_file_are_matched_to_a_tower_with_the_head_called_linear()
    {
        using var scope = NewDisposeScope();
        var tower = (Tiny with { Heads = [new("linear", 10)] }).Create(seed: 5);
        using var read = ImageTowerLoader.Load(new MemoryCheckpoint(AsPublished(tower)) { Path = "resnet8.th" });
        Assert.Equal(
            ("CIFAR ResNet (pytorch_resnet_cifar10)", "ResNet-8 in its CIFAR form, 3 stages of width 4, 8, 16"),
            (read.Family, read.Architecture)
        );
        Assert.Equal([new HeadConfig("linear", 10)], read.Heads);
        tower.Lock();
        Assert.Equal(
            tower.call(Pictures(2)).data<float>().ToArray(),
            read.Tower.call(Pictures(2)).data<float>().ToArray()
        );
    }

    // Our names turned into theirs, without the table that is tested.
    private static Dictionary<string, Tensor> AsPublished(ImageTower tower) =>
        tower
            .state_dict()
            .Where(entry => !entry.Key.EndsWith("num_batches_tracked", StringComparison.Ordinal))
            .ToDictionary(
                entry =>
                    "state_dict.module."
                    + System.Text.RegularExpressions.Regex.Replace(
                        entry
                            .Key.Replace("heads.linear", "linear", StringComparison.Ordinal)
                            .Replace("stem.norm", "bn1", StringComparison.Ordinal)
                            .Replace("stem", "conv1", StringComparison.Ordinal),
                        @"^blocks\.(\d)\.conv(\d)(\.norm)?",
                        match =>
                            $"layer{int.Parse(match.Groups[1].Value) + 1}.0."
                            + (match.Groups[3].Success ? "bn" : "conv")
                            + match.Groups[2].Value
                    ),
                entry => entry.Value
            );

    [Theory]
    [InlineData(
        "cifar-resnet:21",
        "There is no CIFAR ResNet of depth '21'. Write 6n+2, for example 20, 32, 44, 56 or 110."
    )]
    [InlineData("cifar-resnet:20,depth=5", "'depth=5' is not understood.")]
    public void A_spec_that_cannot_be_says_what_can(string spec, string message) =>
        Assert.Contains(
            message,
            Assert.ThrowsAny<UsageException>(() => ImageTowerLoader.Load(spec)).Message,
            StringComparison.Ordinal
        );
}

using System.Globalization;
using LiT.Data;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>The really pre-trained networks of shared/data/cifar10_resnet, as published.</summary>
public class PublishedCifarResNetTests
{
    [Theory]
    [InlineData("resnet20-12fca82f.th", "ResNet-20 in its CIFAR form", 269_722)]
    [InlineData("resnet32-d509ac18.th", "ResNet-32 in its CIFAR form", 464_154)]
    public void The_published_file_is_recognised_and_every_name_in_it_is_matched(
        string file,
        string architecture,
        long parameters
    )
    {
        using var tower = ImageTowerLoader.Load(SharedData.PathOf("cifar10_resnet", file));
        Assert.Equal((architecture, parameters), (tower.Architecture, tower.ParameterCount));
        Assert.Equal([new HeadConfig("linear", 10)], tower.Heads);
        Assert.Equal((64, 32), (tower.Tower.Width, tower.Preprocessing.Width));
        Assert.Empty(tower.Names!.Skipped);
        Assert.Contains("under 'state_dict.module.'", tower.Names.Source, StringComparison.Ordinal);
    }

    [Fact]
    public void ResNet_20_names_81_percent_of_the_lossy_test_pictures()
    {
        using var tower = ImageTowerLoader.Load(SharedData.PathOf("cifar10_resnet", "resnet20-12fca82f.th"));
        using var unrecorded = no_grad();
        var (right, pictures) = (0, new List<float>());
        var labels = new List<long>();
        var (values, count) = (tower.Preprocessing.ValueCount, 0);
        foreach (
            var sample in Samples
                .Open(SharedData.PathOf("cifar10", "cifar10-test.tar.gz"))
                .Read(skipped => Assert.Fail(skipped.Reason))
        )
        {
            var picture = new float[values];
            tower.Preprocessing.Apply(sample.ReadImage!(), picture);
            pictures.AddRange(picture);
            labels.Add(long.Parse(sample.Label!, CultureInfo.InvariantCulture));
            count++;
            if (labels.Count == 500)
                Batch();
        }
        if (labels.Count > 0)
            Batch();
        Assert.Equal(10_000, count);
        Assert.InRange(right / (double)count, 0.8095, 0.8105);

        void Batch()
        {
            using var scope = NewDisposeScope();
            var images = tensor(pictures.ToArray()).view(labels.Count, 3, 32, 32);
            var named = tower.Tower.Logits("linear", tower.Tower.call(images)).argmax(1);
            right += (int)named.eq(tensor(labels.ToArray())).sum().item<long>();
            pictures.Clear();
            labels.Clear();
        }
    }
}

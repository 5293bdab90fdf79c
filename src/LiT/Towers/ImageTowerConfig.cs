using System.Text.Json.Serialization;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// What has to be known to build an image tower: an architecture's sizes and choices, as JSON inside the project's own
/// files. A record: <c>with</c> makes a changed copy.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind")]
[JsonDerivedType(typeof(CifarResNetConfig), CifarResNetConfig.Kind)]
[JsonDerivedType(typeof(VitConfig), VitConfig.Kind)]
[JsonDerivedType(typeof(DinoConfig), DinoConfig.Kind)]
[JsonDerivedType(typeof(ClipViTConfig), ClipViTConfig.Kind)]
[JsonDerivedType(typeof(HuggingFaceViTConfig), HuggingFaceViTConfig.Kind)]
[JsonDerivedType(typeof(MixerConfig), MixerConfig.Kind)]
[JsonDerivedType(typeof(ResNetConfig), ResNetConfig.Kind)]
[JsonDerivedType(typeof(BitConfig), BitConfig.Kind)]
[JsonDerivedType(typeof(GroupNormResNetConfig), GroupNormResNetConfig.Kind)]
[JsonDerivedType(typeof(ShortenedTowerConfig), ShortenedTowerConfig.Kind)]
internal abstract record ImageTowerConfig
{
    /// <summary>Side of the pictures that the tower was made for, in pixels.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Their height, where they are not square; <see cref="ImageSize"/> then is their width.</summary>
    public int? ImageHeight { get; init; }

    /// <summary>The size of those pictures in words: "224" or "320 x 224".</summary>
    [JsonIgnore]
    internal string Pixels => ImageHeight is { } height ? $"{ImageSize} x {height}" : $"{ImageSize}";

    /// <summary>How many patches of a side those pictures hold.</summary>
    /// <exception cref="ArgumentException">Not one.</exception>
    internal (long Rows, long Columns) GridOf(int patch) =>
        Math.Min(ImageHeight ?? ImageSize, ImageSize) >= patch
            ? ((ImageHeight ?? ImageSize) / patch, ImageSize / patch)
            : throw new ArgumentException($"A picture of {Pixels} pixels holds no patch of {patch}.");

    /// <summary>Supervised heads: linear classifiers on the representation that come with the weights.</summary>
    public IReadOnlyList<HeadConfig> Heads { get; init; } = [];

    /// <summary>The architecture in words, such as "ViT-B/16".</summary>
    [JsonIgnore]
    public abstract string InWords { get; }

    /// <summary>Number of weights that training changes, heads included; found without allocating them.</summary>
    public long CountParameters()
    {
        using var scope = NewDisposeScope();
        using var tower = Build(new Device(TorchSharp.DeviceType.META));
        return tower.parameters().Sum(parameter => parameter.numel());
    }

    /// <summary>Blocks of all stages; a file that says more than it has tensors is not believed.</summary>
    [JsonIgnore]
    internal abstract int BlockCount { get; }

    /// <summary>
    /// The tower that ends after so many of this one's blocks, without heads; null where what blocks give has not one
    /// width, as in a ResNet.
    /// </summary>
    internal virtual ImageTowerConfig? EndingAfter(int blocks) => null;

    /// <summary>A tower of these sizes whose weights are allocated but not filled.</summary>
    /// <param name="device">Where the weights are to be; the meta device gives a tower without numbers.</param>
    internal abstract ImageTower Build(Device? device = null);

    /// <summary>
    /// A tower of these sizes in training mode, filled as its paper initialises one. The same seed gives the same
    /// weights.
    /// </summary>
    public ImageTower Create(long seed)
    {
        using var random = new Generator((ulong)seed, CPU);
        var tower = Build();
        tower.Initialise(random);
        return tower;
    }
}

/// <summary>A supervised head: a linear classifier on the representation.</summary>
/// <param name="Name">Its name among the tower's heads: letters, digits, '-' and '_'.</param>
/// <param name="Classes">How many classes it tells apart.</param>
/// <param name="ClassNames">What the classes are called, in order, where that is known.</param>
internal sealed record HeadConfig(string Name, int Classes, IReadOnlyList<string>? ClassNames = null);

using System.Globalization;
using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Classification;

/// <summary>A background beside the model that it belongs to.</summary>
internal sealed partial class Background
{
    /// <summary>The file's name inside a bundle.</summary>
    public const string FileName = "background.safetensors";

    private static readonly string[] Parts =
    [
        "pictures",
        "captions",
        "own.values",
        "own.shares",
        "random.values",
        "random.shares",
    ];

    /// <summary>Writes it into a bundle, whole or not at all.</summary>
    /// <exception cref="LitException">The folder cannot be written to.</exception>
    public void Save(string folder)
    {
        using var scope = NewDisposeScope();
        Tensor[] tensors =
        [
            Pictures.ToTensor(),
            Captions.ToTensor(),
            tensor(own.Values),
            tensor(own.Shares),
            tensor(random.Values),
            tensor(random.Shares),
        ];
        Safetensors.Write(
            Path.Combine(folder, FileName),
            Parts.Zip(tensors),
            new Dictionary<string, string>
            {
                ["fitting"] = Fitting.ToString("R", CultureInfo.InvariantCulture),
                ["collection"] = Collection,
            }
        );
    }

    /// <summary>Reads it from a bundle.</summary>
    /// <returns>Null where the bundle has none.</returns>
    /// <exception cref="LitException">The file is damaged.</exception>
    public static Background? Load(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        using var file = Checkpoint.Open(path);
        using var scope = NewDisposeScope();
        var read = Parts.Select(name => file.Read(name)).ToArray();
        LitException Damaged() => new($"{path}: damaged. Run 'lit calibrate' again.");
        if (
            read.Any(part => part.dtype != ScalarType.Float32 || part.numel() == 0)
            || read[..2].Any(part => part.dim() != 2 || part.shape[1] != read[0].shape[1])
            || read[2].numel() != read[3].numel()
            || read[4].numel() != read[5].numel()
            || !double.TryParse(
                file.Metadata.GetValueOrDefault("fitting"),
                CultureInfo.InvariantCulture,
                out var fitting
            )
        )
            throw Damaged();
        float[] Values(int part) => read[part].data<float>().ToArray();
        var size = (int)read[0].shape[1];
        return new(
            new(Values(0), size),
            new(Values(1), size),
            new(Values(2), Values(3)),
            new(Values(4), Values(5)),
            fitting,
            file.Metadata.GetValueOrDefault("collection", "")
        );
    }

    /// <summary>Removes it: a model that was tuned again has another background.</summary>
    internal static void Remove(string folder) => File.Delete(Path.Combine(folder, FileName));
}

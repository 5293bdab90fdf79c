using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Bundles;

/// <summary>
/// What a bundle's embeddings are turned by before they are cut to a smaller width, where its first numbers do not say
/// the most by themselves.
/// </summary>
internal static class RotationFile
{
    /// <summary>The file's name inside a bundle.</summary>
    public const string FileName = "rotation.safetensors";

    private const string Name = "rotation";

    /// <summary>Writes a rotation into a bundle's folder, or takes away the one that is there.</summary>
    /// <param name="folder">The bundle's.</param>
    /// <param name="rotation">[E, E], or null for none.</param>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public static void Write(string folder, Tensor? rotation)
    {
        var path = Path.Combine(folder, FileName);
        if (rotation is null)
            File.Delete(path);
        else
            Safetensors.Write(path, [(Name, rotation)]);
    }

    /// <summary>The rotation of a bundle, float32, [E, E]; null where it has none.</summary>
    /// <param name="folder">The bundle's.</param>
    /// <param name="size">E, the bundle's common size.</param>
    /// <exception cref="LitException">The file is damaged, or another model's.</exception>
    public static Tensor? Read(string folder, int size)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        using var file = Checkpoint.Open(path);
        return
            file.Tensors.TryGetValue(Name, out var stored)
            && stored.Shape.SequenceEqual([(long)size, size])
            && stored.Type == ScalarType.Float32
            ? file.Read(Name)
            : throw new LitException(path, $"is no rotation of {size} numbers", "Copy the bundle again");
    }
}

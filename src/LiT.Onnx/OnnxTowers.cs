using LiT.Towers;

namespace LiT.Onnx;

/// <summary>
/// Networks in ONNX as locked towers. A program calls <see cref="Use"/> when it starts; from then on a path to an
/// <c>.onnx</c> file is a tower wherever one is named, and a model that was tuned to one can be loaded.
/// </summary>
/// <remarks>ONNX Runtime's own library is the program's to bring: the package
/// <c>Microsoft.ML.OnnxRuntime</c>.</remarks>
public static class OnnxTowers
{
    private static int introduced;

    /// <summary>Makes ONNX networks known; again does nothing.</summary>
    public static void Use()
    {
        if (Interlocked.Exchange(ref introduced, 1) == 0)
        {
            ImageTowerLoader.Register(new OnnxForm());
            TextTowerLoader.Register(new OnnxTextForm());
        }
    }
}

/// <summary>
/// A <c>.onnx</c> file, or a folder as others publish them: <c>model.onnx</c> or <c>onnx/model.onnx</c> and no other
/// weights.
/// </summary>
internal sealed class OnnxForm : ITowerForm
{
    private static readonly string[] InFolders = ["model.onnx", Path.Combine("onnx", "model.onnx")];
    private static readonly string[] OtherWeights = [".safetensors", ".bin", ".npz", ".pth", ".pt"];

    /// <inheritdoc/>
    public bool Is(string path) => FileOf(path) is not null;

    /// <inheritdoc/>
    public LockedTower Load(string path, string given, string spec, ImageTowerOptions options)
    {
        if (!options.Locked)
            throw new LitException(
                spec,
                "a network in ONNX is a constant and cannot be trained",
                "Lock it (`Lock` Lu), or give the checkpoint that it was exported from"
            );
        if (options.Compute.Type != TorchSharp.torch.ScalarType.Float32)
            throw new LitException(
                spec,
                "a network in ONNX computes in its own type on the CPU",
                "Leave `ScalarType` at float32"
            );
        return OnnxTower.Load(FileOf(path)!, OnnxOptions.Parse(given, spec, options));
    }

    /// <summary>The network that a path means; null for none.</summary>
    internal static string? FileOf(string path)
    {
        if (path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
            return path;
        if (
            !Directory.Exists(path)
            || Directory.EnumerateFiles(path).Any(file => OtherWeights.Contains(Path.GetExtension(file)))
        )
            return null;
        return InFolders.Select(name => Path.Combine(path, name)).FirstOrDefault(File.Exists);
    }
}

/// <summary>The same files, where texts go in.</summary>
internal sealed class OnnxTextForm : ITextForm
{
    /// <inheritdoc/>
    public bool Is(string path) => OnnxForm.FileOf(path) is not null;

    /// <inheritdoc/>
    public bool ReadsTexts(string path) => OnnxTextInputs.IsFor(OnnxSource.Read(OnnxForm.FileOf(path)!).Source.File);

    /// <inheritdoc/>
    public ForeignRows RowsOf(string path, string given, string spec) =>
        OnnxText.RowsOf(OnnxForm.FileOf(path)!, OnnxTextOptions.Parse(given, spec));

    /// <inheritdoc/>
    public LoadedTextTower Load(string path, string given, string spec) =>
        OnnxText.Load(OnnxForm.FileOf(path)!, OnnxTextOptions.Parse(given, spec));
}

using LiT.Towers;
using Microsoft.ML.OnnxRuntime;
using static TorchSharp.torch;

namespace LiT.Benchmarks.Onnx;

/// <summary>
/// A network in ONNX Runtime in a tower's place: the same pipeline feeds it. One thread a call; the pipeline brings the
/// threads.
/// </summary>
internal sealed class OnnxTower : ImageTower
{
    private readonly InferenceSession session;

    public OnnxTower(ImageTowerConfig config, int width, bool int8)
        : base(nameof(OnnxTower))
    {
        Width = width;
        using SessionOptions options = new()
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        var path = Path.GetTempFileName(); // by way of a file: the library copies a model given as bytes
        try
        {
            File.WriteAllBytes(path, OnnxNetworks.Of(config, int8));
            session = new InferenceSession(path, options);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public override int Width { get; }

    public override Tensor forward(Tensor images)
    {
        using var input = OrtValue.CreateTensorValueFromMemory(
            images.contiguous().data<float>().ToArray(),
            images.shape
        );
        using RunOptions options = new();
        using var results = session.Run(options, ["pixels"], [input], session.OutputNames);
        return tensor(results[0].GetTensorDataAsSpan<float>().ToArray(), [images.shape[0], Width]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            session.Dispose();
        base.Dispose(disposing);
    }
}

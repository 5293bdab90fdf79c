// A model over the ResNet-18 of a .NET package, from pictures with captions:  dotnet run -- PICTURES RUN [STEPS]
using LiT;
using LiT.Onnx;

if (args is not [var pictures, var run, .. var rest])
{
    Console.Error.WriteLine("dotnet run -- PICTURES RUN [STEPS]");
    return 2;
}
try
{
    OnnxTowers.Use(); // from here on an .onnx file is a tower wherever one is named
    var models = Path.Combine(AppContext.BaseDirectory, "DnnImageModels");
    var network = Path.Combine(models, "ResNet18Onnx", "ResNet18.onnx"); // trained on ImageNet
    var before = Path.Combine(models, "ResNetPrepOnnx", "ResNetPreprocess.onnx");
    TuningSettings settings = new() { ImageTower = $"{network}:preprocess={before}" };
    if (rest is [var steps])
        settings = settings with { Steps = long.Parse(steps) };
    var plan = TuningPlan.For(pictures, settings);
    await foreach (var happened in plan.RunAsync(run))
        if (happened is TuningMeasured at)
            Console.WriteLine($"step {at.Step}: loss {at.Loss:F3}, {at.PairsPerSecond:F0} pairs/s");
        else if (happened is TuningSaved saved)
            Console.WriteLine($"{saved.Model}: loss {saved.Loss:F3} after {saved.Steps} steps");
    return 0;
}
catch (LitException trouble)
{
    Console.Error.WriteLine(trouble.Message);
    return 1;
}

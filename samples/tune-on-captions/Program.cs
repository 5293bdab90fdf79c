// A model from a store of pictures with captions:  dotnet run -- STORE RUN [STEPS]
using LiT;

if (args is not [var store, var run, .. var rest])
{
    Console.Error.WriteLine("dotnet run -- STORE RUN [STEPS]");
    return 2;
}
using CancellationTokenSource stop = new();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true; // a checkpoint is written, and the next run goes on there
    stop.Cancel();
};
try
{
    TuningSettings settings = new() { TextTower = "text:width=128,depth=2,heads=2" };
    if (rest is [var steps])
        settings = settings with { Steps = long.Parse(steps) };
    var plan = TuningPlan.For(store, settings, stop.Token);
    foreach (var (setting, words) in plan.Reasons) // every default is decided once, and says why
        Console.WriteLine($"{setting}: {words}");
    await foreach (var happened in plan.RunAsync(run, stop.Token))
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

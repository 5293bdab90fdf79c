using System.CommandLine;
using System.Globalization;
using LiT.Benchmarks;
using LiT.Compute;
using LiT.Towers;
using TorchSharp;

namespace LiT.Cli.Commands;

/// <summary>lit bench: the machine's own limit and this product's share of it.</summary>
internal static class BenchCommand
{
    public static Command Build()
    {
        Option<string> tower = new("--image-tower")
        {
            Description =
                "The tower to measure: a file, or one from scratch such as vit:B/16 or resnet:50; ':int8' "
                + "behind it for bytes.",
            DefaultValueFactory = _ => "vit:B/32",
        };
        Option<int> turns = new("--turns")
        {
            Description = "Turns that are counted; the median is given.",
            DefaultValueFactory = _ => 5,
        };
        Command command = new("bench", "Measure the machine's matrix products and a tower's share of them.")
        {
            tower,
            turns,
        };
        Limits.Positive(turns);
        command.Does(
            (parsed, cancel) =>
            {
                var spec = LitModel.ImageTowerOf(parsed.GetRequiredValue(tower));
                var compute = CommonOptions.ComputeOf(parsed);
                if (compute.Device.type != DeviceType.CPU || compute.Type != torch.ScalarType.Float32)
                    throw new UsageException(
                        "lit bench measures float32 on the CPU. Leave --device and --dtype out, or give --device cpu."
                    );
                using var locked = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = compute });
                TowerRemarks.Tell(locked, followed: false);
                Terminal.Say(
                    $"{spec}: "
                        + locked.Architecture
                        + (
                            locked.Architecture.Contains(" px", StringComparison.Ordinal)
                                ? ""
                                : $", {locked.Preprocessing.Width} px"
                        )
                        + ", "
                        + $"{Execution.Of(compute)}, {parsed.GetValue(turns)} turns"
                );
                var speed = TowerBench.Measure(locked, parsed.GetValue(turns), cancel);
                if (CommonOptions.IsJson(parsed))
                {
                    Terminal.Write(
                        new
                        {
                            Tower = spec,
                            locked.Architecture,
                            speed.Threads,
                            Execution = Execution.Of(compute),
                            LimitPicturesPerSecond = speed.Limit,
                            speed.GigaFlops,
                            LibtorchPicturesPerSecond = speed.LibtorchLimit,
                            TowerPicturesPerSecond = speed.Tower,
                            speed.Share,
                        }
                    );
                    return Task.FromResult(ExitCode.Done);
                }
                Terminal.Line(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"matrix products alone    {speed.Limit, 8:F2} pictures/s   1.00   "
                            + $"({speed.GigaFlops:F0} GFLOP/s in float32)"
                    )
                );
                Terminal.Line(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  by libtorch's own      {speed.LibtorchLimit, 8:F2} pictures/s   "
                            + $"{speed.LibtorchLimit / speed.Limit:F2}"
                    )
                );
                Terminal.Line(
                    FormattableString.Invariant(
                        $"{locked.Architecture, -24} {speed.Tower, 8:F2} pictures/s   {speed.Share:F2}"
                    )
                );
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }
}

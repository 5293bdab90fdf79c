using System.Globalization;
using System.Runtime.InteropServices;
using LiT.Compute;
using LiT.Drawings;
using LiT.Images;
using static TorchSharp.torch;

namespace LiT.Cli;

/// <summary>One thing that was looked at.</summary>
internal sealed record Finding(string What, bool Ok, string Found, string? Mend = null);

/// <summary>Looks at everything that the product needs of a machine by using it.</summary>
internal static class Doctor
{
    private const string NativeAdvice =
        "libLibTorchSharp.so asks for the symbol version GLIBCXX_3.4.32 (GCC 13). The build makes that "
        + "requirement weak in its "
        + "own copy (src/LiT/buildTransitive/LiT.targets); a copy made by hand lacks it. Build again with "
        + "'dotnet build -c Release', or install a newer libstdc++.";

    private static readonly byte[] OnePixelPng = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP438AAAAQBAYDFKhhdAAAAAElFTkSuQmCC"
    );

    public static IReadOnlyList<Finding> Examine(string? model = null) =>
        [
            new(
                "system",
                true,
                $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, .NET "
                    + $"{Environment.Version}"
            ),
            Cores(),
            Kernels(),
            Memory(),
            Room("free space for temporary files", Path.GetTempPath()),
            Room("free space here", Environment.CurrentDirectory),
            Try("tensors (libtorch)", NativeAdvice, () =>
            {
                using var scope = NewDisposeScope();
                var sum = ones(64, 64).matmul(ones(64, 64)).sum().item<float>();
                return sum == 64 * 64 * 64
                    ? $"libtorch works, {get_num_threads()} threads, "
                        + $"{(cuda.is_available() ? $"{cuda.device_count()} CUDA device(s)" : "no CUDA")}"
                    : throw new LitException($"64 x 64 ones multiplied gave a sum of {sum}");
            }),
            Try(
                "pictures (libvips)",
                "NetVips.Native for this platform is missing from the program's folder. Build again with "
                    + "'dotnet build -c Release'.",
                () =>
                {
                    var image = Decoding.Decode(OnePixelPng);
                    return "libvips "
                        + $"{NetVips.NetVips.Version(0)}.{NetVips.NetVips.Version(1)}.{NetVips.NetVips.Version(2)} "
                        + $"decodes, {image.Width} x {image.Height}";
                }
            ),
            Waiting(),
            Try(
                "what the built-in tower computes",
                "This machine or libtorch computes something else than where the tower was made: "
                    + "embeddings from here would not fit models from elsewhere. Build again, and report it with "
                    + "this output.",
                DrawnTower.Check
            ),
            .. model is null
                ? []
                : new[]
                {
                    Try(
                        $"what {model} computes",
                        "'lit verify' says more; copy the bundle again if a file was changed.",
                        () => Computed(model)
                    ),
                },
        ];

    private static string Computed(string model)
    {
        var check = ModelCheck.Run(model, ComputeDevice.Cpu);
        return check.Golden is { } golden
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"{golden.Texts} texts and {golden.Pictures} pictures within {golden.Largest:0.0e+0} of "
                    + $"their length ({golden.Allowed:0.0e+0} allowed)"
            )
            : "its files and tower are unchanged; it carries no golden vectors";
    }

    private static Finding Cores() => new("cores", true, $"{Environment.ProcessorCount}");

    private static Finding Kernels()
    {
        var here = string.Join(", ", Processor.Available.Select(Processor.NameOf));
        var forced = Environment.GetEnvironmentVariable(Processor.Variable) is { Length: > 0 } name
            ? $", because {Processor.Variable}={name}"
            : "";
        return new("instruction set", true, $"{Processor.Description}{forced}; this processor has {here}");
    }

    private static Finding Memory()
    {
        var available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var gib = available / (double)(1L << 30);
        return gib >= 2
            ? new("memory", true, $"{gib:F1} GiB")
            : new(
                "memory",
                false,
                $"{gib:F1} GiB",
                "2 GiB are needed; the quickstart takes about 1. Close other programs or take a larger machine."
            );
    }

    private static Finding Room(string what, string folder)
    {
        var free = new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace / (double)(1L << 30);
        return free >= 1
            ? new(what, true, $"{free:F1} GiB in {folder}")
            : new(
                what,
                false,
                $"{free:F2} GiB in {folder}",
                "Make room: stores and checkpoints need some; 1 GiB is a good start."
            );
    }

    private static Finding Waiting()
    {
        var policy = NativeEnvironment.Get("OMP_WAIT_POLICY");
        return string.Equals(policy, "passive", StringComparison.OrdinalIgnoreCase)
            ? new("waiting threads", true, "sleep (OMP_WAIT_POLICY=passive)")
            : new(
                "waiting threads",
                false,
                $"OMP_WAIT_POLICY={policy}",
                "Two threads that share a core slow each other down by 2.4 times when they spin. Set "
                    + "OMP_WAIT_POLICY=passive, or unset it."
            );
    }

    private static Finding Try(string what, string mend, Func<string> use)
    {
        try
        {
            return new(what, true, use());
        }
        catch (Exception trouble)
        {
            var cause = trouble;
            while (cause.InnerException is { } inner)
                cause = inner;
            return new(
                what,
                false,
                cause.Message.ReplaceLineEndings(" ") is { Length: > 160 } long_
                    ? long_[..160] + "…"
                    : cause.Message.ReplaceLineEndings(" "),
                mend
            );
        }
    }
}

using System.Reflection;
using System.Runtime.InteropServices;
using TorchSharp;

namespace LiT;

/// <summary>
/// The libraries of other languages that the work is done with. They belong to the program, not to this library; where
/// one is not at hand, that is said before its wrapper searches the machine for it and fails in words of its own.
/// </summary>
internal static class NativeLibraries
{
    /// <summary>The version of libtorch that TorchSharp was built against.</summary>
    public const string TorchVersion = "2.10.0";

    /// <summary>The version of libvips that the tests run with.</summary>
    public const string VipsVersion = "8.18.7";

    private static readonly Lazy<LitException?> Torch = new(() => TroubleWithTorch(CanLoad));

    /// <summary>Must come before the first use of a tensor.</summary>
    /// <exception cref="LitException">libtorch is not at hand; the message names the package.</exception>
    public static void RequireTorch()
    {
        if (Torch.Value is { } trouble)
            throw new LitException(trouble.Message, trouble);
    }

    /// <summary>Must come before the first picture.</summary>
    /// <exception cref="LitException">libvips is not at hand; the message names the package.</exception>
    public static void RequireVips()
    {
        if (!NetVips.ModuleInitializer.VipsInitialized)
            throw TroubleWithVips(NetVips.ModuleInitializer.Exception);
    }

    /// <summary>What is wrong with libtorch; null for nothing.</summary>
    /// <param name="canLoad">Whether a library of this name, without prefix and extension, can be loaded.</param>
    internal static LitException? TroubleWithTorch(Func<string, bool> canLoad)
    {
        if (!canLoad("torch_cpu"))
            return new(
                $"libtorch is not at hand. Add the package libtorch-cpu-{Platform()} {TorchVersion} "
                    + "to the program's project, "
                    + "beside LiT; docs/packages.md names the others."
            );
        return canLoad("LibTorchSharp")
            ? null
            : new(
                "libtorch is at hand, and TorchSharp's own library for it does not load. It takes that of the package "
                    + $"libtorch-cpu-{Platform()} {TorchVersion} and no other, such as the system's: "
                    + "add that package to the "
                    + "program's project, and LiT as a package, whose build step mends TorchSharp's library."
            );
    }

    /// <summary>What to say where libvips did not load.</summary>
    internal static LitException TroubleWithVips(Exception? reason) =>
        new(
            "libvips, which reads pictures, is not at hand. Add the package "
                + $"NetVips.Native.{Platform()} {VipsVersion} to the "
                + "program's project, beside LiT.",
            reason
        );

    /// <summary>As the names of native packages end: linux-x64, win-x64, osx-arm64.</summary>
    private static string Platform()
    {
        var system =
            OperatingSystem.IsWindows() ? "win"
            : OperatingSystem.IsMacOS() ? "osx"
            : "linux";
        return $"{system}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
    }

    private static bool CanLoad(string name) =>
        NativeLibrary.TryLoad(name, typeof(torch).Assembly, null, out _)
        || NativeLibrary.TryLoad(name, Assembly.GetExecutingAssembly(), null, out _);
}

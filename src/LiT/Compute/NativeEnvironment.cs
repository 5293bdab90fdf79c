using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace LiT.Compute;

/// <summary>
/// What native libraries are told before they load, by every program that uses this library: through their variables in
/// the environment, and glibc's memory through its own call. What the user has set stays. docs/processors.md has the
/// table.
/// </summary>
internal static partial class NativeEnvironment
{
    // Of mallopt, as malloc.h numbers them.
    private const int TrimThreshold = -1,
        MmapThreshold = -3;

    private const int Gibibyte = 1 << 30;

    /// <summary>Must run before libtorch is loaded, and does so with the first call into this library.</summary>
    [ModuleInitializer]
    [SuppressMessage(
        "Usage",
        "CA2255",
        Justification = "libtorch reads these when it loads; an application has no line of ours before that."
    )]
    internal static void Prepare()
    {
        // Windows keeps a copy of the environment for each C runtime; there they are set before the program starts.
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS())
            return;
        // OpenMP's threads spin while they wait; two that share a core take more than twice as long.
        Set("OMP_WAIT_POLICY", "passive");
        foreach (var (name, value) in Ceilings(Environment.GetEnvironmentVariable(Processor.Variable)))
            Set(name, value);
        if (OperatingSystem.IsLinux())
            KeepLargeBlocks();
    }

    /// <summary>
    /// How the libraries inside libtorch are kept to the instruction set that LIT_ISA asks for: oneDNN, libtorch's own
    /// kernels, and MKL. Nothing where it asks for the widest there is, or for none that there is.
    /// </summary>
    internal static IReadOnlyList<(string Name, string Value)> Ceilings(string? wanted) =>
        wanted switch
        {
            _ when !X86Base.IsSupported => [], // these names are of x64
            "portable" =>
            [
                ("ONEDNN_MAX_CPU_ISA", "SSE41"),
                ("ATEN_CPU_CAPABILITY", "default"),
                ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
            ],
            "avx2" =>
            [
                ("ONEDNN_MAX_CPU_ISA", AvxVnni.IsSupported ? "AVX2_VNNI" : "AVX2"),
                ("ATEN_CPU_CAPABILITY", "avx2"),
                ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
            ],
            _ => [],
        };

    /// <summary>A variable as native code sees it; null where it is not set.</summary>
    public static string? Get(string name) =>
        OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()
            ? Marshal.PtrToStringUTF8(GetNative(name))
            : Environment.GetEnvironmentVariable(name);

    // .NET's own SetEnvironmentVariable does not reach native code, so the C library is asked.
    private static void Set(string name, string value)
    {
        if (string.IsNullOrEmpty(Get(name)))
            SetNative(name, value, overwrite: 1);
    }

    // Large tensors come back to the same pages instead of being unmapped and zeroed again at every step. The C library
    // reads its variables when it starts, before any line of a program.
    private static void KeepLargeBlocks()
    {
        try
        {
            if (string.IsNullOrEmpty(Get("MALLOC_MMAP_THRESHOLD_")))
                SetMemory(MmapThreshold, Gibibyte);
            if (string.IsNullOrEmpty(Get("MALLOC_TRIM_THRESHOLD_")))
                SetMemory(TrimThreshold, Gibibyte);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library than glibc, which keeps its memory as it likes.
        }
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetNative(string name);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNative(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetMemory(int what, int value);
}

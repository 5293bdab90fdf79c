using System.Runtime.InteropServices;

namespace LiT.Cli;

/// <summary>Settings that native libraries read from the environment when they load.</summary>
internal static partial class NativeEnvironment
{
    private const int TrimThreshold = -1,
        MapThreshold = -3; // malloc.h: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
    private const int Large = 1 << 30;

    /// <summary>
    /// Sets what the script ./lit sets, for a program that was started without it. Must run before libtorch is loaded. What the
    /// user has set stays.
    /// </summary>
    public static void Prepare()
    {
        // Large tensors come back to the same pages instead of being unmapped and zeroed again at every step. The C library
        // reads these two variables when it starts, so it is told itself.
        if (OperatingSystem.IsLinux())
            try
            {
                if (Get("MALLOC_MMAP_THRESHOLD_") is null)
                    SetAllocation(MapThreshold, Large);
                if (Get("MALLOC_TRIM_THRESHOLD_") is null)
                    SetAllocation(TrimThreshold, Large);
            }
            catch (EntryPointNotFoundException)
            {
                // Another C library than glibc has its own ways.
            }
        // OpenMP's threads spin while they wait; two that share a core take more than twice as long.
        // .NET's own SetEnvironmentVariable does not reach native code, so the C library is asked.
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
            SetNative("OMP_WAIT_POLICY", "passive", overwrite: 0);
    }

    /// <summary>A variable as native code sees it; null where it is not set.</summary>
    public static string? Get(string name) =>
        OperatingSystem.IsLinux() || OperatingSystem.IsMacOS()
            ? Marshal.PtrToStringUTF8(GetNative(name))
            : Environment.GetEnvironmentVariable(name);

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetNative(string name);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetNative(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocation(int parameter, int value);
}

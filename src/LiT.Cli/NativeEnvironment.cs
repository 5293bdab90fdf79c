using System.Runtime.InteropServices;

namespace LiT.Cli;

/// <summary>Settings that native libraries read from the environment when they load.</summary>
internal static partial class NativeEnvironment
{
    /// <summary>Must run before libtorch is loaded. What the user has set stays.</summary>
    public static void Prepare()
    {
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
}

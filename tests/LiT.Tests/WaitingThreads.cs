using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace LiT.Tests;

/// <summary>
/// OpenMP threads that wait are told to sleep, as the command line tells them: where tests share cores they otherwise
/// spin, and the whole takes several times as long. libgomp reads this when libtorch is loaded, from the native
/// environment.
/// </summary>
internal static partial class WaitingThreads
{
    [ModuleInitializer]
    internal static void Sleep()
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsMacOS())
            _ = SetEnvironment("OMP_WAIT_POLICY", "passive", overwrite: 0);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}

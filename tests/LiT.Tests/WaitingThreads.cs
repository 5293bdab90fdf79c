using System.Runtime.CompilerServices;
using LiT.Compute;

namespace LiT.Tests;

/// <summary>
/// The library prepares the environment of native libraries with the first call into it; a test may call libtorch before
/// that, so it is called here.
/// </summary>
internal static class WaitingThreads
{
    [ModuleInitializer]
    internal static void Sleep() => NativeEnvironment.Prepare();
}

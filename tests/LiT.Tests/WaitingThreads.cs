using System.Runtime.CompilerServices;

namespace LiT.Tests;

/// <summary>
/// The library prepares the environment of native libraries with the first call into it; a test may call libtorch
/// before that, so that call is made here.
/// </summary>
internal static class WaitingThreads
{
    [ModuleInitializer]
    internal static void Sleep() => RuntimeHelpers.RunModuleConstructor(typeof(LitModel).Module.ModuleHandle);
}

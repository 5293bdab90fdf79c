using System.Runtime.CompilerServices;
using LiT.Onnx;
using LiT.TestSets;

namespace LiT.Tests;

internal static class Introductions
{
    [ModuleInitializer]
    internal static void Introduce()
    {
        TestSetForm.Introduce();
        OnnxTowers.Use();
    }
}

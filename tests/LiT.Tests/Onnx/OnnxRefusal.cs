namespace LiT.Tests.Onnx;

/// <summary>A network in ONNX that is refused, in one line.</summary>
internal static class OnnxRefusal
{
    /// <summary>What is said where the file is given as a tower.</summary>
    public static string Of(TemporaryFolder folder, byte[] bytes, Func<string, IDisposable> load)
    {
        var path = folder.Write("model.onnx", bytes);
        var refusal = Assert.Throws<LitException>(() => load(path)).Message;
        Assert.DoesNotContain('\n', refusal);
        Assert.EndsWith(".", refusal);
        return refusal;
    }

    /// <summary>Holds that what is said names the trouble and the remedy.</summary>
    public static void Says(string refusal, string what, string remedy)
    {
        Assert.Contains(what, refusal);
        Assert.Contains(remedy, refusal);
    }
}

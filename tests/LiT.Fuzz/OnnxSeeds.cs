using LiT.Tests.Onnx;

namespace LiT.Fuzz;

/// <summary>
/// Networks in ONNX as seeds: of tokens, of a convolution, with weights inside and beside, and as a bundle keeps them.
/// </summary>
internal static class OnnxSeeds
{
    /// <summary>
    /// A folder with the files, made when it is first asked for and kept for as long as the program runs.
    /// </summary>
    public static string Folder { get; } = Made();

    private static string Made()
    {
        LiT.Onnx.OnnxTowers.Use();
        var folder = Directory.CreateTempSubdirectory("lit-fuzz-onnx-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        using MemoryStream beside = new();
        void Write(string name, OnnxModel model) => File.WriteAllBytes(Path.Combine(folder, name), model.ToArray());
        Write("means.onnx", SmallNetworks.Means());
        Write("tokens.onnx", SmallNetworks.Tokens(classToken: true));
        Write("convolutional.onnx", SmallNetworks.Convolutional(batch: 1));
        Write("outside.onnx", SmallNetworks.Convolutional(beside: beside));
        Write(
            "kept.onnx",
            SmallNetworks
                .Means()
                .Note("lit.tower", """{"input":"pixels","output":"means","wholeNumbers":true,"beforeInput":"rgb"}""")
                .Note("lit.preprocessing", LiT.Onnx.OnnxPreprocessing.Plain(4).ToJson())
                .Note("lit.before", Convert.ToBase64String(SmallNetworks.CaffeWay().ToArray()))
        );
        File.WriteAllBytes(Path.Combine(folder, "weights.bin"), beside.ToArray());
        return folder;
    }

    /// <summary>The same of networks that take ids: a table, one with its weights beside, and as a bundle keeps
    /// it.</summary>
    public static string TextFolder { get; } = MadeOfTexts();

    private static string MadeOfTexts()
    {
        LiT.Onnx.OnnxTowers.Use();
        var folder = Directory.CreateTempSubdirectory("lit-fuzz-onnx-texts-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        using MemoryStream beside = new();
        void Write(string name, OnnxModel model) => File.WriteAllBytes(Path.Combine(folder, name), model.ToArray());
        Write("table.onnx", TextNetworks.Table());
        Write("sums.onnx", TextNetworks.Sums());
        Write("outside.onnx", TextNetworks.Table(beside: beside));
        Write(
            "kept.onnx",
            TextNetworks
                .Table()
                .Note(
                    "lit.text",
                    """{"input":"input_ids","output":"token_embeddings","mask":"attention_mask","poolings":["Mean"]}"""
                )
        );
        File.WriteAllBytes(Path.Combine(folder, "weights.bin"), beside.ToArray());
        return folder;
    }
}

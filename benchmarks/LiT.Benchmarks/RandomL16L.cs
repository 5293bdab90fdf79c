using LiT.Checkpoints;
using static TorchSharp.torch;

namespace LiT.Benchmarks;

/// <summary>
/// A file with the names and shapes of LiT-L16L.npz (ViT-L/16 and BERT-large, 638,443,521 weights) and random numbers.
/// </summary>
internal static class RandomL16L
{
    public static void Write(string path, bool deflated)
    {
        manual_seed(0);
        var tensors = Shapes().Select(entry => (entry.Name, 0.02f * randn(entry.Shape)));
        if (path.EndsWith(".npz", StringComparison.Ordinal))
            Npz.Write(path, Released(tensors), deflated);
        else
            Safetensors.Write(path, tensors.ToList());
    }

    private static IEnumerable<(string Name, Tensor Tensor)> Released(IEnumerable<(string Name, Tensor Tensor)> tensors)
    {
        foreach (var (name, tensor) in tensors)
        {
            yield return (name, tensor);
            tensor.Dispose();
        }
    }

    private static IEnumerable<(string Name, long[] Shape)> Shapes()
    {
        const long D = 1024,
            H = 16,
            M = 4096;
        static IEnumerable<(string, long[])> Both(string name, long[] kernel, long[] bias, string first = "kernel") =>
            [(name + "/" + first, kernel), (name + "/bias", bias)];
        static IEnumerable<(string, long[])> Norm(string name) => Both(name, [D], [D], "scale");
        List<(string, long[])> all =
        [
            ("t", [1]),
            ("img/cls", [1, 1, D]),
            ("img/Transformer/posembed_input/pos_embedding", [1, 197, D]),
        ];
        all.AddRange(Both("img/embedding", [16, 16, 3, D], [D]));
        all.AddRange(Norm("img/Transformer/encoder_norm"));
        for (var i = 0; i < 24; i++)
        {
            var block = $"img/Transformer/encoderblock_{i}/";
            all.AddRange(Norm(block + "LayerNorm_0"));
            foreach (var part in new[] { "query", "key", "value" })
                all.AddRange(Both($"{block}MultiHeadDotProductAttention_1/{part}", [D, H, D / H], [H, D / H]));
            all.AddRange(Both(block + "MultiHeadDotProductAttention_1/out", [H, D / H, D], [D]));
            all.AddRange(Norm(block + "LayerNorm_2"));
            all.AddRange(Both(block + "MlpBlock_3/Dense_0", [D, M], [M]));
            all.AddRange(Both(block + "MlpBlock_3/Dense_1", [M, D], [D]));
        }
        const string bert = "txt/BertEncoder_0/";
        foreach (var (kind, rows) in new[] { ("token", 30_522L), ("position", 512), ("segment", 2) })
            all.Add(($"{bert}embedder/embedders_{kind}_ids/embedding", [rows, D]));
        all.AddRange(Norm(bert + "layer_norm"));
        for (var i = 0; i < 24; i++)
        {
            var layer = $"{bert}encoder_block/layer_sequence/layers_{i}/";
            foreach (var part in new[] { "query", "key", "value" })
                all.AddRange(Both($"{layer}attention_block/attention_layer/{part}", [D, D], [D]));
            all.AddRange(Both(layer + "attention_block/dense_layer", [D, D], [D]));
            all.AddRange(Norm(layer + "attention_block/layer_norm"));
            all.AddRange(Both(layer + "mlp_block/mlp/dense_layer", [D, M], [M]));
            all.AddRange(Both(layer + "mlp_block/dense_layer", [M, D], [D]));
            all.AddRange(Norm(layer + "mlp_block/layer_norm"));
        }
        all.AddRange(Both("txt/head", [D, D], [D]));
        return all;
    }
}

namespace LiT.Tests.Onnx;

/// <summary>Networks that read ids, of a few steps whose answers can be checked by hand.</summary>
internal static class TextNetworks
{
    /// <summary>A table of five numbers an id, of which one is looked up for every token.</summary>
    public static OnnxModel Table(int seed = 0, MemoryStream? beside = null, string producer = "tests")
    {
        var random = new Random(seed);
        return new OnnxModel { Beside = beside, Producer = producer }
            .Input("input_ids", OnnxModel.Int64, -1, -1)
            .Input("attention_mask", OnnxModel.Int64, -1, -1)
            .Constant("table", [.. Enumerable.Range(0, 47 * 5).Select(_ => (float)(random.NextDouble() - 0.5))], 47, 5)
            .Node("Gather", ["table", "input_ids"], "states")
            .Node("Cast", ["attention_mask"], "seen", ("to", 1L))
            .Integers("last", 2)
            .Node("Unsqueeze", ["seen", "last"], "column")
            .Node("Mul", ["states", "column"], "token_embeddings")
            .Output("token_embeddings", OnnxModel.Float, -1, -1, 5);
    }

    /// <summary>The sum of the ids that are seen.</summary>
    public static OnnxModel Sums() =>
        new OnnxModel()
            .Input("input_ids", OnnxModel.Int64, -1, -1)
            .Input("attention_mask", OnnxModel.Int64, -1, -1)
            .Node("Mul", ["input_ids", "attention_mask"], "seen")
            .Node("Cast", ["seen"], "numbers", ("to", 1L))
            .Integers("sides", 1)
            .Node("ReduceSum", ["numbers", "sides"], "sentence_embedding")
            .Output("sentence_embedding", OnnxModel.Float, -1, 1);
}

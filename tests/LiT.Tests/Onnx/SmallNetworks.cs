namespace LiT.Tests.Onnx;

/// <summary>Networks of a few steps whose answers can be checked by hand.</summary>
internal static class SmallNetworks
{
    /// <summary>The mean of each channel: what a preprocessed picture is, in three numbers.</summary>
    public static OnnxModel Means(int type = OnnxModel.Float, long batch = -1, int size = 4) =>
        new OnnxModel()
            .Input("pixels", type, batch, 3, size, size)
            .Node("GlobalAveragePool", ["pixels"], "means")
            .Output("means", type, batch, 3, 1, 1);

    /// <summary>The same for [B, H, W, 3].</summary>
    public static OnnxModel MeansOfLastChannels(int size = 4) =>
        new OnnxModel()
            .Input("pixels", OnnxModel.Float, -1, size, size, 3)
            .Node("ReduceMean", ["pixels"], "means", ("axes", new long[] { 1, 2 }), ("keepdims", 0L))
            .Output("means", OnnxModel.Float, -1, 3);

    /// <summary>A convolution with random weights, rectified, pooled, and a dense layer of five.</summary>
    public static OnnxModel Convolutional(
        long batch = -1,
        int seed = 0,
        MemoryStream? beside = null,
        string producer = "tests",
        params long[] sides
    )
    {
        var random = new Random(seed);
        float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.5))];
        var (height, width) = sides is [var h, var w] ? (h, w) : (16, 16);
        return new OnnxModel { Beside = beside, Producer = producer }
            .Input("pixels", OnnxModel.Float, batch, 3, height, width)
            .Constant("kernel", Numbers(8 * 3 * 3 * 3), 8, 3, 3, 3)
            .Constant("dense", Numbers(8 * 5), 8, 5)
            .Constant("bias", Numbers(5), 5)
            .Node("Conv", ["pixels", "kernel"], "map", ("kernel_shape", new long[] { 3, 3 }))
            .Node("Relu", ["map"], "rectified")
            .Node("GlobalAveragePool", ["rectified"], "pooled")
            .Node("Flatten", ["pooled"], "features")
            .Node("Gemm", ["features", "dense", "bias"], "answers")
            .Output("answers", OnnxModel.Float, batch, 5);
    }

    /// <summary>
    /// Tokens of 2 x 2 patches of a 4 x 4 picture behind a class token of [7, 8, 9]: each patch is its first pixel.
    /// </summary>
    public static OnnxModel Tokens(bool classToken, long batch = -1)
    {
        var network = new OnnxModel()
            .Input("pixels", OnnxModel.Float, batch, 3, 4, 4)
            .Integers("from", 0, 0)
            .Integers("to", 4, 4)
            .Integers("axes", 2, 3)
            .Integers("by", 2, 2)
            .Node("Slice", ["pixels", "from", "to", "axes", "by"], "firsts")
            .Integers("rows", 0, 3, 4)
            .Node("Reshape", ["firsts", "rows"], "channels")
            .Node("Transpose", ["channels"], "patches", ("perm", new long[] { 0, 2, 1 }));
        if (!classToken)
            return network.Output("patches", OnnxModel.Float, batch, 4, 3);
        return network
            .Constant("token", [7, 8, 9], 1, 1, 3)
            .Node("Shape", ["pixels"], "shape", ("start", 0L), ("end", 1L))
            .Integers("one", 1, 3)
            .Node("Concat", ["shape", "one"], "wanted", ("axis", 0L))
            .Node("Expand", ["token", "wanted"], "tokens")
            .Node("Concat", ["tokens", "patches"], "last_hidden_state", ("axis", 1L))
            .Output("last_hidden_state", OnnxModel.Float, batch, 5, 3);
    }

    /// <summary>Prepares pictures as Caffe does: blue first, minus a number for each channel.</summary>
    public static OnnxModel CaffeWay(int size = 4) =>
        new OnnxModel()
            .Input("rgb", OnnxModel.Float, 1, 3, size, size)
            .Integers("order", 2, 1, 0)
            .Constant("mean", [104, 117, 123], 1, 3, 1, 1)
            .Node("Gather", ["rgb", "order"], "bgr", ("axis", 1L))
            .Node("Sub", ["bgr", "mean"], "centred")
            .Output("centred", OnnxModel.Float, 1, 3, size, size);
}

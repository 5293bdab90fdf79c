using LiT.Towers;

namespace LiT.Benchmarks.Onnx;

/// <summary>
/// The benchmarked networks as ONNX graphs with random weights of the right shapes. In int8 the products of dense
/// layers are quantised dynamically (DynamicQuantizeLinear, MatMulInteger), weights with a scale for each output, as
/// ONNX Runtime's own tool writes them.
/// </summary>
internal sealed class OnnxNetworks(bool int8)
{
    private readonly OnnxGraph graph = new();
    private readonly Random random = new(0);

    /// <summary>The network of a tower, [batch, 3, size, size] → [batch, width].</summary>
    public static byte[] Of(ImageTowerConfig config, bool int8) =>
        config switch
        {
            VitConfig vit => new OnnxNetworks(int8).Vit(vit),
            MixerConfig mixer => new OnnxNetworks(int8).Mixer(mixer),
            ResNetConfig net when !int8 => new OnnxNetworks(false).ResNet(net),
            _ => throw new ArgumentException(
                $"There is no ONNX form of {config.InWords}{(int8 ? " in int8" : "")} here.",
                nameof(config)
            ),
        };

    private byte[] Vit(VitConfig vit)
    {
        var (D, H, grid) = (vit.Width, vit.AttentionHeads, vit.ImageSize / vit.Patch);
        var L = grid * grid + 1;
        var x = Patches("pixels", vit.Patch, D);
        var batch = graph.Node("Shape", ["pixels"], ("start", 0L), ("end", 1L));
        var cls = graph.Node(
            "Expand",
            [Weight(0.02, 1, 1, D), graph.Node("Concat", [batch, graph.Integers(1, D)], ("axis", 0L))]
        );
        x = graph.Node("Add", [graph.Node("Concat", [cls, x], ("axis", 1L)), Weight(0.02, 1, L, D)]);
        for (var block = 0; block < vit.Depth; block++)
        {
            var parts = graph.Nodes("Split", [Dense(Norm(x, D), D, 3 * D)], 3, ("axis", 2L), ("num_outputs", 3L));
            string Heads(string part, params long[] order) =>
                graph.Node(
                    "Transpose",
                    [graph.Node("Reshape", [part, graph.Integers(0, L, H, D / H)])],
                    ("perm", order)
                );
            var scores = graph.Node("MatMul", [Heads(parts[0], 0, 2, 1, 3), Heads(parts[1], 0, 2, 3, 1)]);
            scores = graph.Node(
                "Softmax",
                [graph.Node("Mul", [scores, graph.Constant([1 / MathF.Sqrt(D / H)])])],
                ("axis", -1L)
            );
            var mixed = graph.Node(
                "Transpose",
                [graph.Node("MatMul", [scores, Heads(parts[2], 0, 2, 1, 3)])],
                ("perm", new long[] { 0, 2, 1, 3 })
            );
            x = graph.Node("Add", [x, Dense(graph.Node("Reshape", [mixed, graph.Integers(0, L, D)]), D, D)]);
            x = graph.Node("Add", [x, Mlp(Norm(x, D), D, vit.MlpDim)]);
        }
        var first = graph.Node("Gather", [Norm(x, D), graph.Integers(0)], ("axis", 1L));
        return Model(graph.Node("Reshape", [first, graph.Integers(0, D)]), vit.ImageSize, D);
    }

    private byte[] Mixer(MixerConfig mixer)
    {
        var (D, patches) = (mixer.Width, mixer.ImageSize / mixer.Patch * (mixer.ImageSize / mixer.Patch));
        var x = Patches("pixels", mixer.Patch, D);
        for (var block = 0; block < mixer.Depth; block++)
        {
            string Turned(string t) => graph.Node("Transpose", [t], ("perm", new long[] { 0, 2, 1 }));
            x = graph.Node("Add", [x, Turned(Mlp(Turned(Norm(x, D)), patches, mixer.TokensMlpDim))]);
            x = graph.Node("Add", [x, Mlp(Norm(x, D), D, mixer.ChannelsMlpDim)]);
        }
        return Model(graph.Node("ReduceMean", [Norm(x, D), graph.Integers(1)], ("keepdims", 0L)), mixer.ImageSize, D);
    }

    // Batch norms are folded into the convolutions, as every exporter does for inference.
    private byte[] ResNet(ResNetConfig net)
    {
        string Conv(string t, int from, int to, int kernel, int stride) =>
            graph.Node(
                "Conv",
                [t, Weight(Math.Sqrt(2.0 / (from * kernel * kernel)), to, from, kernel, kernel), Weight(0.01, to)],
                ("kernel_shape", new long[] { kernel, kernel }),
                ("strides", new long[] { stride, stride }),
                ("pads", new long[] { kernel / 2, kernel / 2, kernel / 2, kernel / 2 })
            );
        string Relu(string t) => graph.Node("Relu", [t]);
        var x = graph.Node(
            "MaxPool",
            [Relu(Conv("pixels", 3, net.Width, 7, 2))],
            ("kernel_shape", new long[] { 3, 3 }),
            ("strides", new long[] { 2, 2 }),
            ("pads", new long[] { 1, 1, 1, 1 })
        );
        var from = net.Width;
        for (var stage = 0; stage < net.Units.Count; stage++)
        for (var unit = 0; unit < net.Units[stage]; unit++, from = 4 * net.Width << stage)
        {
            var (middle, stride) = (net.Width << stage, unit == 0 && stage > 0 ? 2 : 1);
            var y = Conv(
                Relu(Conv(Relu(Conv(x, from, middle, 1, 1)), middle, middle, 3, stride)),
                middle,
                4 * middle,
                1,
                1
            );
            x = Relu(
                graph.Node("Add", [y, from == 4 * middle && stride == 1 ? x : Conv(x, from, 4 * middle, 1, stride)])
            );
        }
        return Model(graph.Node("Flatten", [graph.Node("GlobalAveragePool", [x])]), net.ImageSize, from);
    }

    private byte[] Model(string output, int size, int width) =>
        graph.Model(("pixels", [-1, 3, size, size]), (output, [-1, width]));

    private string Patches(string pixels, int patch, int width)
    {
        var x = graph.Node(
            "Conv",
            [pixels, Weight(0.02, width, 3, patch, patch), Weight(0.02, width)],
            ("kernel_shape", new long[] { patch, patch }),
            ("strides", new long[] { patch, patch })
        );
        return graph.Node(
            "Transpose",
            [graph.Node("Reshape", [x, graph.Integers(0, width, -1)])],
            ("perm", new long[] { 0, 2, 1 })
        );
    }

    private string Norm(string x, int width) =>
        graph.Node(
            "LayerNormalization",
            [x, Weight(0.1, width), Weight(0.1, width)],
            ("axis", -1L),
            ("epsilon", 1e-6f)
        );

    private string Mlp(string x, int width, int inside) =>
        Dense(graph.Node("Gelu", [Dense(x, width, inside)], ("approximate", "tanh")), inside, width);

    private string Dense(string x, int inputs, int outputs)
    {
        var bias = Weight(0.02, outputs);
        if (!int8)
            return graph.Node("Add", [graph.Node("MatMul", [x, Weight(0.02, inputs, outputs)]), bias]);
        var codes = new sbyte[inputs * outputs];
        for (var i = 0; i < codes.Length; i++)
            codes[i] = (sbyte)random.Next(-127, 128);
        var rows = graph.Nodes("DynamicQuantizeLinear", [x], 3);
        var sums = graph.Node("MatMulInteger", [rows[0], graph.Constant(codes, inputs, outputs), rows[2]]);
        var scales = graph.Node("Mul", [rows[1], graph.Constant([.. Enumerable.Repeat(0.0003f, outputs)], outputs)]);
        return graph.Node("Add", [graph.Node("Mul", [graph.Node("Cast", [sums], ("to", 1L)), scales]), bias]);
    }

    private string Weight(double deviation, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(deviation * 3.4 * (random.NextDouble() - 0.5));
        return graph.Constant(values, shape);
    }
}

using LiT.Checkpoints;
using TorchSharp;

namespace LiT.Tests.Onnx;

/// <summary>
/// A BERT of a fixture as an exporter writes it, step by step, so that what the reference code gave for its weights is
/// what the network has to give.
/// </summary>
internal sealed class BertNetwork : IDisposable
{
    private readonly Checkpoint weights;
    private readonly OnnxModel model = new();
    private readonly long heads;
    private int steps;

    private BertNetwork(string checkpoint, long heads)
    {
        (weights, this.heads) = (Checkpoint.Open(checkpoint), heads);
    }

    /// <summary>ids, mask and types in, the states of all tokens out.</summary>
    /// <param name="checkpoint">In Hugging Face's names.</param>
    /// <param name="heads">Of attention.</param>
    /// <param name="batch">-1 for any.</param>
    /// <param name="length">Ids in a row; -1 for any.</param>
    /// <param name="positions">Whether positions are an input.</param>
    /// <param name="ids">The type of the ids.</param>
    /// <param name="mask">The type of the mask.</param>
    /// <param name="names">Of ids, mask, types and positions.</param>
    public static OnnxModel Of(
        string checkpoint,
        long heads = 2,
        long batch = -1,
        long length = -1,
        bool positions = false,
        int ids = OnnxModel.Int64,
        int mask = OnnxModel.Int64,
        string[]? names = null
    )
    {
        using BertNetwork bert = new(checkpoint, heads);
        return bert.Made(
            batch,
            length,
            positions,
            ids,
            mask,
            names ?? ["input_ids", "attention_mask", "token_type_ids", "position_ids"]
        );
    }

    public void Dispose() => weights.Dispose();

    private OnnxModel Made(long batch, long length, bool positions, int ids, int mask, string[] names)
    {
        model.Input(names[0], ids, batch, length).Input(names[1], mask, batch, length);
        model.Input(names[2], ids, batch, length);
        var words = Step("Gather", Weight("embeddings.word_embeddings.weight"), names[0]);
        var types = Step("Gather", Weight("embeddings.token_type_embeddings.weight"), names[2]);
        var table = Weight("embeddings.position_embeddings.weight");
        string places;
        if (positions)
        {
            model.Input(names[3], ids, batch, length);
            places = Step("Gather", table, names[3]);
        }
        else
        {
            model.Integers("none", 0).Integers("first", 0);
            var whole = Step("Shape", ["input_ids"], ("start", 1L), ("end", 2L));
            places = Step("Slice", table, "first", whole, "none");
        }
        Scalar("one", 1);
        Scalar("half", 0.5f);
        Scalar("root", MathF.Sqrt(2));
        Scalar("eps", 1e-12f);
        Scalar("never", -1e9f);
        model.Integers("sides", 1, 2);
        var seen = Step("Cast", [Step("Unsqueeze", names[1], "sides")], ("to", 1L));
        var bias = Step("Mul", Step("Sub", "one", seen), "never");
        var x = Norm(Step("Add", Step("Add", words, places), types), "embeddings.LayerNorm");
        for (var layer = 0; weights.Tensors.ContainsKey($"encoder.layer.{layer}.output.dense.weight"); layer++)
            x = Block(x, bias, $"encoder.layer.{layer}.");
        return model
            .Node("Identity", [x], "last_hidden_state")
            .Output("last_hidden_state", OnnxModel.Float, batch, length, Width);
    }

    private long Width => weights.Tensors["embeddings.LayerNorm.weight"].Shape[0];

    private string Block(string x, string bias, string at)
    {
        if (at.Contains(".0.", StringComparison.Ordinal))
        {
            model.Integers("split", 0, 0, heads, Width / heads).Integers("joined", 0, 0, Width);
            Scalar("scale", 1 / MathF.Sqrt(Width / heads));
        }
        var (q, k, v) = (
            Heads(x, at + "attention.self.query", 0, 2, 1, 3),
            Heads(x, at + "attention.self.key", 0, 2, 3, 1),
            Heads(x, at + "attention.self.value", 0, 2, 1, 3)
        );
        var scores = Step("Add", Step("Mul", Step("MatMul", q, k), "scale"), bias);
        var attended = Step("MatMul", Step("Softmax", [scores], ("axis", -1L)), v);
        var rows = Step("Reshape", Step("Transpose", [attended], ("perm", new long[] { 0, 2, 1, 3 })), "joined");
        x = Norm(Step("Add", Dense(rows, at + "attention.output.dense"), x), at + "attention.output.LayerNorm");
        var inner = Dense(x, at + "intermediate.dense");
        var erf = Step("Add", Step("Erf", Step("Div", inner, "root")), "one");
        var gelu = Step("Mul", Step("Mul", inner, "half"), erf);
        return Norm(Step("Add", Dense(gelu, at + "output.dense"), x), at + "output.LayerNorm");
    }

    private string Heads(string x, string at, params long[] order) =>
        Step("Transpose", [Step("Reshape", Dense(x, at), "split")], ("perm", order));

    private string Dense(string x, string at) =>
        Step("Add", Step("MatMul", x, Weight(at + ".weight", transposed: true)), Weight(at + ".bias"));

    private string Norm(string x, string at)
    {
        var centred = Step("Sub", x, Step("ReduceMean", [x], ("axes", new long[] { -1 })));
        var variance = Step("ReduceMean", [Step("Mul", centred, centred)], ("axes", new long[] { -1 }));
        var unit = Step("Div", centred, Step("Sqrt", Step("Add", variance, "eps")));
        return Step("Add", Step("Mul", unit, Weight(at + ".weight")), Weight(at + ".bias"));
    }

    private string Weight(string name, bool transposed = false)
    {
        using var scope = torch.NewDisposeScope();
        var tensor = weights.Read(name).to(torch.ScalarType.Float32);
        tensor = (transposed ? tensor.t() : tensor).contiguous();
        model.Constant(name, tensor.data<float>().ToArray(), tensor.shape);
        return name;
    }

    private void Scalar(string name, float value) => model.Constant(name, [value], 1);

    private string Step(string type, params string[] inputs) => Step(type, inputs, []);

    private string Step(string type, string[] inputs, params (string, object)[] attributes)
    {
        var output = $"/{type}_{steps++}";
        model.Node(type, inputs, output, attributes);
        return output;
    }
}

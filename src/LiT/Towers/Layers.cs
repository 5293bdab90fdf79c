using LiT.Compute;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>
/// The layers that towers are built of, with their weights allocated but not filled: a tower is either read from a file
/// or initialised as its reference does, and drawing a large tower's numbers only to overwrite them takes seconds.
/// </summary>
internal static class Layers
{
    /// <summary>A number of attention heads in words; 0 stands for one that a file does not say.</summary>
    public static string HeadsInWords(int heads) => heads > 0 ? $"{heads} heads" : "heads not said by the file";

    /// <summary>Refuses to end a tower after more blocks than it has.</summary>
    /// <exception cref="UsageException">It has fewer.</exception>
    public static void CheckCount(int layers, int count, string spec)
    {
        if (layers > count)
            throw new UsageException($"'{spec}': layers={layers}, and this tower has {count}. Give 1 to {count}.");
    }

    /// <summary>Copies the weights that two modules have by one name.</summary>
    public static void CopyWeights(Module from, Module to)
    {
        using var unrecorded = no_grad();
        var theirs = from.state_dict();
        foreach (var (name, weight) in to.state_dict())
            weight.copy_(theirs[name]);
    }

    /// <summary>A dense layer; the weight is [outputs, inputs].</summary>
    public static Dense Dense(long inputs, long outputs, Device? device = null, bool bias = true) =>
        new(inputs, outputs, bias, device);

    /// <summary>A table of rows that ids choose from, [count, width].</summary>
    public static Embedding Table(long count, long width, Device? device = null)
    {
        var table = Embedding(1, 1); // made with its size, it would draw all its numbers first, on any device
        table.weight = Parameter(empty(count, width, device: device));
        return table;
    }

    /// <summary>
    /// A weight outside any layer. Unlike those in layers it would die with the scope it is made in, were it not
    /// detached.
    /// </summary>
    public static Parameter Weight(long[] shape, Device? device = null)
    {
        var weight = Parameter(empty(shape, device: device));
        weight.DetachFromDisposeScope();
        return weight;
    }

    /// <summary>The first token joined with the mean of those behind it, [B, L, D] → [B, 2 D].</summary>
    public static Tensor WithPatchMean(Tensor states) => cat([states[.., 0], states[.., 1..].mean([1])], 1);

    /// <summary>Dropout that costs nothing where it is off.</summary>
    public static Tensor Dropped(Tensor x, double probability, bool training)
    {
        if (!training || probability <= 0)
            return x;
        if (random is null)
            return functional.dropout(x, probability);
        using var scope = NewDisposeScope();
        var kept = empty_like(x, requires_grad: false).bernoulli_(1 - probability, random);
        return x.mul(kept.TimesInPlace(1 / (1 - probability))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Until it is disposed, what is random in layers on this thread follows from the seed, whatever other threads
    /// draw.
    /// </summary>
    public static IDisposable Seeded(long seed, Device device) => new Seed(seed, device);

    [ThreadStatic]
    private static Generator? random;

    private sealed class Seed : IDisposable
    {
        private readonly Generator? before = random;

        public Seed(long seed, Device device) => random = new Generator((ulong)seed, device);

        public void Dispose()
        {
            random?.Dispose();
            random = before;
        }
    }

    /// <summary>Glorot and Bengio 2010: uniform in ±sqrt(6 / (inputs + outputs)).</summary>
    public static void XavierUniform(Tensor weight, Generator? random)
    {
        var limit = Math.Sqrt(6.0 / (weight.shape[0] + weight.shape[1]));
        Fill(weight, w => w.uniform_(-limit, limit, random));
    }

    /// <summary>Normal with mean 0.</summary>
    public static void Normal(Tensor weight, double deviation, Generator? random) =>
        Fill(weight, w => w.normal_(0, deviation, random));

    /// <summary>Normal with mean 0, cut at two deviations.</summary>
    public static void TruncatedNormal(Tensor weight, double deviation, Generator? random) =>
        Fill(weight, w =>
            w.uniform_(-WithinTwo, WithinTwo, random).erfinv_().mul_(tensor(deviation * Math.Sqrt(2), w.dtype))
        );

    // erf(sqrt 2), the share of a normal within two deviations. TorchSharp 0.107's trunc_normal_ fills with one single
    // value.
    private const double WithinTwo = 0.95449973610364158;

    /// <summary>flax's lecun_normal: cut at two deviations, with a variance of 1 / inputs after the cut.</summary>
    public static void LecunNormal(Tensor weight, Generator? random) =>
        TruncatedNormal(weight, Math.Sqrt(1.0 / weight.shape[1]) / 0.87962566103423978, random);

    // torch.nn.init.uniform_ and normal_ of TorchSharp 0.107 pass over the generator; the tensors' own methods heed it.
    private static void Fill(Tensor weight, Func<Tensor, Tensor> fill)
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        fill(weight);
    }
}

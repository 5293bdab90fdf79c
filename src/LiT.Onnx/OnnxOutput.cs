using LiT.Images;
using LiT.Towers.Settings;
using static TorchSharp.torch;

namespace LiT.Onnx;

/// <summary>What a network gave for a first picture, and how a representation is made of it.</summary>
/// <param name="Shape">Of one picture's output: [D], [L, D] or [C, H, W].</param>
/// <param name="ChannelsLast">Whether a map is [H, W, C].</param>
/// <param name="Pooling">What becomes of tokens; null where there are none.</param>
/// <param name="Prefix">Tokens before the patches' own; -1 where they cannot be told apart.</param>
internal sealed record OnnxOutput(IReadOnlyList<long> Shape, bool ChannelsLast, TokenPooling? Pooling, int Prefix)
{
    private const int MostPrefixTokens = 16;

    // ImageNet's classes, without and with one for "nothing", and those of ImageNet-21k.
    private static readonly long[] ClassCounts = [1000, 1001, 21_841, 21_843];

    /// <summary>Length of the representation.</summary>
    public int Width =>
        Shape switch
        {
            [var width] => (int)width,
            [_, var width] => (int)width * (Pooling == TokenPooling.Both ? 2 : 1),
            [_, _, var last] when ChannelsLast => (int)last,
            _ => (int)Shape[0],
        };

    /// <summary>How the representation comes about, in words.</summary>
    public string InWords =>
        Shape switch
        {
            [_] => "as it is",
            [_, _] => Pooling switch
            {
                TokenPooling.ClassToken => $"the first of {Shape[0]} tokens",
                TokenPooling.MeanPatch => $"the mean of {Shape[0] - Prefix} patches",
                _ => $"the first of {Shape[0]} tokens joined with the mean of {Shape[0] - Prefix} patches",
            },
            [_, 1, 1] when !ChannelsLast => "as it is",
            [1, 1, _] when ChannelsLast => "as it is",
            _ => "the mean over the map's places",
        };

    /// <summary>
    /// Sends two pictures through, or one after the other where the network takes no two, and looks what comes.
    /// </summary>
    /// <exception cref="LitException">The network fails, or gives nothing that a representation can be made
    /// of.</exception>
    public static OnnxOutput Try(
        OnnxNetwork network,
        OnnxNetwork? before,
        OnnxWay way,
        Preprocessing preprocessing,
        OnnxOptions options
    )
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        var pixels = zeros(2, 3, preprocessing.Height, preprocessing.Width);
        Tensor first;
        try
        {
            first = way.Run(network, before, pixels);
        }
        catch (LitException) when (network.Batch == 0 || before?.Batch == 0)
        {
            network.TakeOneByOne();
            before?.TakeOneByOne();
            first = way.Run(network, before, pixels);
        }
        return Of(first.shape[1..], network, options, (preprocessing.Height, preprocessing.Width));
    }

    /// <summary>The representations in a batch's output.</summary>
    /// <param name="given">[B, …] as the network gave it.</param>
    /// <returns>[B, Width].</returns>
    public Tensor Pooled(Tensor given)
    {
        switch (Shape.Count)
        {
            case 1:
                return given;
            case 2:
                var patches =
                    Pooling == TokenPooling.ClassToken ? null : given.narrow(1, Prefix, Shape[0] - Prefix).mean([1]);
                return Pooling switch
                {
                    TokenPooling.ClassToken => given.select(1, 0),
                    TokenPooling.MeanPatch => patches!,
                    _ => cat([given.select(1, 0), patches!], 1),
                };
            default:
                return given.mean(ChannelsLast ? [1, 2] : [2, 3]);
        }
    }

    /// <summary>Says where an output looks like a classifier's answers and not like a representation.</summary>
    public void Tell(OnnxFile file, string output, SettingsReport report)
    {
        var maker = file.Nodes.FirstOrDefault(node => node.Outputs.Contains(output));
        if (Shape is not [var count] || (!ClassCounts.Contains(count) && maker?.Type is not ("Softmax" or "Sigmoid")))
            return;
        var before = maker;
        while (before is { Type: "Softmax" or "Sigmoid" or "Add" or "Reshape" or "Flatten" or "Squeeze" } step)
            before = file.Nodes.FirstOrDefault(node => step.Inputs.Any(input => node.Outputs.Contains(input)));
        var inside = before is { Type: "Gemm" or "MatMul" or "FusedGemm", Inputs: [var input, ..] }
            ? $" What goes into its last layer is :output={input}."
            : "";
        report.Warn(
            $"{output} of {file.Path} has {count} numbers and looks like a classifier's answers, which are a poor "
                + $"representation.{inside}"
        );
    }

    private static OnnxOutput Of(long[] shape, OnnxNetwork network, OnnxOptions options, (int Height, int Width) size)
    {
        var path = network.Path;
        if (shape.Length is < 1 or > 3 || shape.Max() > 1 << 24)
            throw new LitException(
                path,
                $"gives {network.Output.Name} of [{string.Join(", ", shape)}] for a picture",
                "Name an output of one, two or three sides, as in :output=NAME"
            );
        if (shape.Length != 2 && options.Pooling is not null)
            throw new UsageException(
                $"'{options.Spec}': {network.Output.Name} gives [{string.Join(", ", shape)}] for a picture, "
                    + "and no tokens to pool. Leave pool and patch-mean out."
            );
        if (shape.Length != 2)
            return new(shape, PixelLayout.Of(path, network.Input, null).IsLast, null, 0);
        var prefix = PrefixOf((int)shape[0], size);
        var pooling = options.Pooling ?? (prefix == 0 ? TokenPooling.MeanPatch : TokenPooling.ClassToken);
        return prefix < 0 && pooling != TokenPooling.ClassToken
            ? throw new LitException(
                path,
                $"gives {shape[0]} tokens for pictures of {size.Width} x {size.Height}, "
                    + "and which of them are patches cannot be told",
                "Leave pool and patch-mean out: the first token is taken then"
            )
            : new(shape, false, pooling, prefix);
    }

    // The patches are a grid over the picture; a class token and registers may stand before them.
    private static int PrefixOf(int tokens, (int Height, int Width) size)
    {
        var patches = Enumerable
            .Range(2, Math.Min(size.Height, size.Width))
            .Where(patch => size.Height % patch == 0 && size.Width % patch == 0)
            .Select(patch => size.Height / patch * (size.Width / patch))
            .Where(patches => patches <= tokens)
            .DefaultIfEmpty(0)
            .Max();
        return patches > 0 && tokens - patches <= MostPrefixTokens ? tokens - patches : -1;
    }
}

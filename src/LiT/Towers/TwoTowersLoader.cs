using LiT.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// Reads both towers out of one file: LiT's .npz (<c>img/</c>, <c>txt/</c>, <c>t</c>; heads or none; BERT or text
/// transformer) and SigLIP's (<c>params/</c> before, stacked blocks, <c>b</c>). Everything is recognised from names and
/// shapes.
/// </summary>
internal static class TwoTowersLoader
{
    /// <summary>Both towers with their heads, temperature and bias, in evaluation mode.</summary>
    /// <param name="spec">A path, with <c>:option,option</c> behind it where the file does not say enough: <c>size=</c>
    /// and <c>pool=</c> belong to the image tower, <c>heads=</c> to the text tower.</param>
    /// <param name="image">How the image tower is loaded; where and in what type both towers compute.</param>
    /// <param name="text">What the file does not say about the text tower.</param>
    /// <exception cref="LitException">There is no such file, it is damaged, or it does not hold two towers.</exception>
    public static LoadedTwoTowers Load(string spec, ImageTowerOptions? image = null, TextTowerOptions? text = null)
    {
        var (path, given) = TowerPath.Split(spec);
        if (!Path.Exists(path))
            throw TowerPath.Missing(path, "model", "LiT-B16B.npz");
        using var checkpoint = Checkpoint.Open(path);
        return Load(checkpoint, given, spec, image ?? new ImageTowerOptions(), text ?? new TextTowerOptions());
    }

    /// <summary>The same with the options behind a path, of which each tower takes its own.</summary>
    internal static LoadedTwoTowers Load(
        Checkpoint checkpoint,
        string given,
        string spec,
        ImageTowerOptions image,
        TextTowerOptions text
    )
    {
        var items = given
            .Split(',')
            .ToLookup(item =>
                item.StartsWith("heads=", StringComparison.Ordinal)
                || item.StartsWith("gelu=", StringComparison.Ordinal)
            );
        return Load(
            checkpoint,
            image.With(string.Join(',', items[false]), spec),
            text.With(string.Join(',', items[true]), spec)
        );
    }

    /// <summary>Whether a file holds two towers: a text side beside an image side, and their temperature.</summary>
    public static bool Holds(Checkpoint checkpoint) => RootOf(checkpoint) is not null || IsHuggingFace(checkpoint);

    // CLIP and SigLIP as transformers save them.
    private static bool IsHuggingFace(Checkpoint checkpoint) =>
        checkpoint.Tensors.ContainsKey("logit_scale")
        && checkpoint.Tensors.ContainsKey("vision_model.embeddings.patch_embedding.weight")
        && checkpoint.Tensors.ContainsKey("text_model.embeddings.token_embedding.weight");

    /// <summary>Both towers in an open checkpoint, in evaluation mode.</summary>
    /// <exception cref="LitException">It does not hold two towers.</exception>
    public static LoadedTwoTowers Load(
        Checkpoint checkpoint,
        ImageTowerOptions? image = null,
        TextTowerOptions? text = null
    )
    {
        var theirs = IsHuggingFace(checkpoint);
        var root = RootOf(checkpoint)
            ?? (theirs ? "" : null)
            ?? throw new LitException(
                checkpoint.Path,
                "holds no two towers: there is no temperature 't' beside 'img/…' and 'txt/…'",
                "Give a LiT or SigLIP .npz, or a CLIP or SigLIP of Hugging Face"
            );
        image ??= new ImageTowerOptions();
        if (theirs)
            CheckThatTheyMeet(checkpoint, image, text);
        var compute = image.Compute;
        var f = ImageTowerLoader.Load(checkpoint, image with { Heads = false });
        TwoTowers? towers = null;
        LoadedTextTower? g = null;
        try
        {
            g = TextTowerLoader.Load(checkpoint, text);
            var (imageHead, textHead) = HeadsIn(checkpoint, root, theirs, f.Tower.Width, g.Tower.Width);
            var (scale, bias) = theirs ? ("logit_scale", "logit_bias") : (root + "t", root + "b");
            towers = new(
                f.Tower,
                imageHead,
                g.Tower,
                textHead,
                Number(checkpoint, scale),
                checkpoint.Tensors.ContainsKey(bias) ? Number(checkpoint, bias) : null
            );
            var (e, other) = (towers.EmbeddingSize, imageHead?.Outputs ?? f.Tower.Width);
            if (e != other)
                throw new LitException(
                    checkpoint.Path,
                    $"its image side gives {other} numbers and its text side {e}",
                    "Check that the file is complete"
                );
            towers.to(compute.Type).to(compute.Device);
            if (image.Locked)
                towers.Image!.Lock();
            towers.eval();
            return new(towers, f, g);
        }
        catch
        {
            towers?.Dispose();
            g?.Dispose();
            f.Dispose();
            throw;
        }
    }

    // "params/" in "params/txt/…", where t, img/ and txt/ all are.
    private static string? RootOf(Checkpoint checkpoint) =>
        WeightSource
            .Holding(checkpoint, "t")
            .Select(source => source.Prefix)
            .FirstOrDefault(root =>
                new[] { "img/", "txt/" }.All(side =>
                    checkpoint.Tensors.Keys.Any(name => name.StartsWith(root + side, StringComparison.Ordinal))
                )
            );

    private static Head? HeadIn(Checkpoint checkpoint, string prefix, int inputs) =>
        HeadIn(new(checkpoint, prefix), "kernel", inputsAxis: 0, inputs, Head.Flax);

    // CLIP's have no bias, which is a bias of 0.
    private static Head? ProjectionIn(Checkpoint checkpoint, string prefix, int inputs) =>
        HeadIn(
            new(checkpoint, prefix),
            "weight",
            inputsAxis: 1,
            inputs,
            new WeightMap("a projection of CLIP or SigLIP")
            {
                { "weight", "linear.weight" },
                new WeightRow("bias", "linear.bias", Axes.Same, Optional: true),
            }
        );

    private static Head? HeadIn(WeightSource source, string weight, int inputsAxis, int inputs, WeightMap names)
    {
        if (source.Tensors.Count == 0)
            return null;
        var taken = source.Size(weight, inputsAxis);
        if (taken != inputs)
            throw new LitException(
                source.Checkpoint.Path,
                $"'{source.Prefix}{weight}' takes {taken} numbers, and its tower gives {inputs}",
                "Check where the file comes from"
            );
        var head = new Head(inputs, source.Size(weight, 1 - inputsAxis));
        try
        {
            using (no_grad())
                head.state_dict()["linear.bias"].zero_();
            names.Load(source, head);
        }
        catch
        {
            head.Dispose();
            throw;
        }
        return head;
    }

    private static void CheckThatTheyMeet(Checkpoint checkpoint, ImageTowerOptions image, TextTowerOptions? text)
    {
        if (image.JoinPatchMean || image.Projection || text?.Projection == true)
            throw new UsageException(
                checkpoint.Path,
                "two towers of one file meet through their own projections",
                "Leave patch-mean and projection out"
            );
    }

    private static (Head? Image, Head? Text) HeadsIn(
        Checkpoint checkpoint,
        string root,
        bool theirs,
        int image,
        int text
    ) =>
        theirs
            ? (
                ProjectionIn(checkpoint, "visual_projection.", image),
                ProjectionIn(checkpoint, "text_projection.", text) ?? ProjectionIn(checkpoint, "text_model.head.", text)
            )
            : (HeadIn(checkpoint, root + "img/head/", image), HeadIn(checkpoint, root + "txt/head/", text));

    private static double Number(Checkpoint checkpoint, string name)
    {
        using var scope = NewDisposeScope();
        return checkpoint.Tensors[name].Count == 1
            ? checkpoint.Read(name).to(ScalarType.Float64).item<double>()
            : throw new LitException(
                checkpoint.Path,
                $"'{name}' has the shape [{string.Join(", ", checkpoint.Tensors[name].Shape)}] where one number is "
                    + "expected",
                "Check where the file comes from"
            );
    }
}

/// <summary>Two towers of one file, and what it said of them.</summary>
/// <param name="Towers">Both towers with heads, temperature and bias; they belong to it.</param>
/// <param name="Image">The image tower with its preprocessing and fingerprint.</param>
/// <param name="Text">The text tower and how its names were matched.</param>
internal sealed record LoadedTwoTowers(TwoTowers Towers, LockedTower Image, LoadedTextTower Text) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Towers.Dispose();
}

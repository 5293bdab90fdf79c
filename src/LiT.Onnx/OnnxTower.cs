using LiT.Bundles;
using LiT.Compute;
using LiT.Files;
using LiT.Images;
using LiT.Towers;
using LiT.Towers.Settings;
using static TorchSharp.torch;

namespace LiT.Onnx;

/// <summary>
/// A network in ONNX as a locked tower, with the graph that prepares its pictures where there is one.
/// </summary>
internal sealed class OnnxTower : ForeignTower, ICutTower
{
    private readonly (OnnxSource Source, OnnxNetwork Network) main;
    private readonly (OnnxSource Source, OnnxNetwork Network)? before;
    private readonly OnnxWay way;
    private readonly OnnxOutput output;
    private readonly bool borrows; // the networks of another tower

    private OnnxTower(
        (OnnxSource Source, OnnxNetwork Network) main,
        (OnnxSource Source, OnnxNetwork Network)? before,
        OnnxWay way,
        OnnxOutput output,
        bool borrows = false
    )
        : base(nameof(OnnxTower))
    {
        (this.main, this.before, this.way, this.output, this.borrows) = (main, before, way, output, borrows);
        Cut = way.Cut?.ToHead(output.Width, main.Source.Path);
        Identity = string.Join(' ', "onnx", main.Network.Hash, way.ToJson(), before?.Network.Hash);
    }

    /// <inheritdoc/>
    public override int Width => Cut?.Outputs ?? output.Width;

    /// <inheritdoc/>
    public Head? Cut { get; }

    /// <inheritdoc/>
    public string FingerprintInFront(Preprocessing preprocessing)
    {
        using OnnxTower front = new(main, before, way with { Cut = null }, output, borrows: true);
        return ImageTowerFile.Fingerprint(front, preprocessing);
    }

    /// <inheritdoc/>
    internal override ForeignTower? CutBy(Head head) =>
        head.AsDense() is var (weights, bias) && head.Inputs == output.Width
            ? new OnnxTower(main, before, way with { Cut = OnnxCut.Of(weights, bias) }, output, borrows: true)
            : null;

    /// <inheritdoc/>
    internal override string Identity { get; }

    /// <inheritdoc/>
    internal override long WeightCount => main.Source.WeightCount;

    /// <summary>Opens a network with all that belongs to it.</summary>
    /// <exception cref="LitException">It is no locked image tower; the message says why.</exception>
    /// <exception cref="UsageException">An option that does not fit it.</exception>
    public static LockedTower Load(string path, OnnxOptions options)
    {
        List<OnnxNetwork> opened = [];
        try
        {
            var (source, bytes) = OnnxSource.Read(path);
            var notes = OnnxNotes.Of(source.File);
            var main = (
                source,
                Opened(source.Open(bytes, options.Input ?? notes?.Way.Input, options.Output ?? notes?.Way.Output))
            );
            (OnnxSource, OnnxNetwork)? before = null;
            if (BeforeOf(path, options, notes) is var (other, otherBytes))
                before = (other, Opened(other.Open(otherBytes, notes?.Way.BeforeInput, notes?.Way.BeforeOutput)));
            return Assembled(main, before, notes?.Completing(options) ?? options, notes?.Way.Cut);
        }
        catch
        {
            opened.ForEach(network => network.Dispose());
            throw;
        }

        OnnxNetwork Opened(OnnxNetwork network)
        {
            opened.Add(network);
            return network;
        }
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var pixels = images.cpu().to(ScalarType.Float32).contiguous();
        var (count, width) = (images.shape[0], output.Width);
        var rows = new float[count * width];
        // Cut at fixed places, one thread a part; where this is a part already, its own thread does it all.
        Parts.For(count, PicturesInPart, (from, to) =>
        {
            using var part = NewDisposeScope();
            using var unrecorded = no_grad();
            var given = way.Run(main.Network, before?.Network, pixels.narrow(0, from, to - from));
            output
                .Pooled(given)
                .contiguous()
                .data<float>()
                .CopyTo(rows.AsSpan((int)from * width, (int)(to - from) * width));
        });
        var whole = Cut is null ? tensor(rows, [count, width]) : Shortened(new(rows, width));
        return whole.to(images.device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    internal override string SaveIn(string folder, string stem, Preprocessing preprocessing)
    {
        var name = stem + ".onnx";
        var bytes = main.Source.Again(main.Network.Hash);
        byte[]? otherBytes = null;
        if (before is var (source, network))
        {
            using MemoryStream whole = new();
            OnnxWeights.WriteWhole(whole, source.Again(network.Hash), source.Path, new Dictionary<string, string>());
            otherBytes = whole.ToArray();
        }
        var notes = new OnnxNotes(way, preprocessing, otherBytes).ToNotes();
        AtomicFile.Write(Path.Combine(folder, name), to => OnnxWeights.WriteWhole(to, bytes, main.Source.Path, notes));
        return name;
    }

    // Cut at fixed places, as the network itself is.
    private Tensor Shortened(Embeddings rows)
    {
        var x = rows.ToTensor();
        var cut = empty([rows.Count, Width]);
        Parts.For(rows.Count, ImageBatch.Part, (from, to) =>
        {
            using var part = NewDisposeScope();
            using var unrecorded = no_grad();
            cut.narrow(0, from, to - from).copy_(Cut!.call(x.narrow(0, from, to - from)));
        });
        return cut;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Cut?.Dispose();
        if (disposing && !borrows)
        {
            main.Network.Dispose();
            before?.Network.Dispose();
        }
        base.Dispose(disposing);
    }

    private long PicturesInPart =>
        main.Network.Batch is var fixedBatch and > 0
            ? Math.Max(ImageBatch.Part / fixedBatch, 1) * fixedBatch
            : ImageBatch.Part;

    private static (OnnxSource Source, byte[] Bytes)? BeforeOf(string path, OnnxOptions options, OnnxNotes? notes)
    {
        if (options.Preprocess is { } given)
            return OnnxPreprocessing.IsGraph(given) ? OnnxSource.Read(OnnxPreprocessing.GraphOf(given, path)) : null;
        return notes?.Before is { } embedded && !options.SaysPreprocessing ? OnnxSource.Embedded(path, embedded) : null;
    }

    private static LockedTower Assembled(
        (OnnxSource Source, OnnxNetwork Network) main,
        (OnnxSource Source, OnnxNetwork Network)? before,
        OnnxOptions options,
        OnnxCut? cut
    )
    {
        var (path, first) = (main.Source.Path, (before ?? main).Network.Input);
        var layout = PixelLayout.Of((before ?? main).Source.Path, first, options.ChannelsLast);
        var plain = before is not null || first.Type == OnnxTypes.UInt8;
        SettingsReport report = new();
        var preprocessing = OnnxPreprocessing.Of(path, first, layout, options, plain, report);
        if (plain && (options.Mean is not null || options.Std is not null))
            throw new UsageException($"'{options.Spec}': pixels go in as they are. Leave mean and std out.");
        OnnxWay way = new()
        {
            Input = main.Network.Input.Name,
            Output = main.Network.Output.Name,
            ChannelsLast = layout.IsLast,
            Bgr = options.Bgr,
            WholeNumbers = OnnxPreprocessing.IsPlain(preprocessing),
            BeforeInput = before?.Network.Input.Name,
            BeforeOutput = before?.Network.Output.Name,
        };
        var output = OnnxOutput.Try(main.Network, before?.Network, way, preprocessing, options);
        output.Tell(main.Source.File, way.Output, report);
        OnnxTower tower = new(main, before, way with { Pooling = output.Pooling, Cut = cut }, output);
        tower.Lock();
        return new(
            tower,
            preprocessing,
            "ONNX",
            main.Source.InWords + (cut is null ? "" : $", cut to {cut.Width} numbers"),
            null,
            ImageTowerFile.Fingerprint(tower, preprocessing)
        )
        {
            Settings = [.. tower.InWords(), .. report.Followed],
            Warnings = report.Warnings,
        };
    }

    private IEnumerable<string> InWords()
    {
        if (before is var (source, network))
            yield return $"{Path.GetFileName(source.Path)}: prepares pictures, {network.Input} to {network.Output}";
        var layout = way.ChannelsLast ? "channels last" : "channels first";
        yield return $"{Path.GetFileName(main.Source.Path)}: input {main.Network.Input}, "
            + $"{layout}{(way.Bgr ? ", blue first" : "")}; "
            + $"output {way.Output} of [{string.Join(", ", output.Shape)}] a picture, {output.InWords}; "
            + (main.Network.Batch == 0 ? "any number of pictures at once" : $"{main.Network.Batch} at once");
    }
}

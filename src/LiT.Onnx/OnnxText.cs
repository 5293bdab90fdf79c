using LiT.Compute;
using LiT.Files;
using LiT.Towers;
using LiT.Towers.Settings;
using static TorchSharp.torch;

namespace LiT.Onnx;

/// <summary>A network in ONNX as a locked text tower: ids of texts in, one representation a text out.</summary>
internal sealed class OnnxText : ForeignText
{
    private const int TriedTokens = 8;

    private readonly OnnxSource source;
    private readonly OnnxNetwork network;
    private readonly OnnxTextInputs inputs;
    private readonly OnnxTextWay way;

    private OnnxText(
        OnnxSource source,
        OnnxNetwork network,
        OnnxTextInputs inputs,
        OnnxTextWay way,
        int width,
        ForeignRows rows
    )
        : base(nameof(OnnxText))
    {
        (this.source, this.network, this.inputs, this.way, Layout) = (source, network, inputs, way, rows);
        Width = width * Math.Max(1, way.Poolings?.Count ?? 1);
        VocabularySize = inputs.VocabularyOf(source.File) ?? int.MaxValue;
        Identity = string.Join(' ', "onnx-text", network.Hash, way.ToJson());
    }

    /// <inheritdoc/>
    public override int Width { get; }

    /// <inheritdoc/>
    public override int VocabularySize { get; }

    /// <inheritdoc/>
    internal override string Identity { get; }

    /// <inheritdoc/>
    internal override string InWords =>
        string.Join(
            ", ",
            [
                source.InWords,
                .. way.Poolings is { } poolings ? [TextTowerWords.Of(poolings)] : Array.Empty<string>(),
                .. way.UnitLength ? ["unit length"] : Array.Empty<string>(),
            ]
        );

    /// <inheritdoc/>
    internal override long WeightCount => source.WeightCount;

    /// <inheritdoc/>
    internal override ForeignRows Layout { get; }

    private protected override int RowsInPart =>
        network.Batch is var set and > 0 ? Math.Max(base.RowsInPart / set, 1) * set : base.RowsInPart;

    /// <summary>How rows of a network are to be laid out; ONNX Runtime is not asked.</summary>
    /// <exception cref="LitException">It is no text tower; the message says why.</exception>
    /// <exception cref="UsageException">An option that does not fit it.</exception>
    public static ForeignRows RowsOf(string path, OnnxTextOptions options)
    {
        var (source, _) = OnnxSource.Read(path);
        NoTower.Check(source.File);
        return RowsOf(path, OnnxTextInputs.Of(source.File, Completed(source.File, options)), options, new());
    }

    /// <summary>Opens a network.</summary>
    /// <exception cref="LitException">It is no locked text tower; the message says why.</exception>
    /// <exception cref="UsageException">An option that does not fit it.</exception>
    public static LoadedTextTower Load(string path, OnnxTextOptions options)
    {
        var (source, bytes) = OnnxSource.Read(path);
        NoTower.Check(source.File);
        if (OnnxWeights.IsTooMuchForOneFile(source.File, bytes.Length))
            throw new LitException(
                path,
                "has more than 2 GB of weights, and a text tower has to fit into one file beside what is tuned",
                "Give the .safetensors that it was exported from, or a smaller network"
            );
        var notes = OnnxTextWay.Of(source.File);
        options = Completed(source.File, options);
        var inputs = OnnxTextInputs.Of(source.File, options);
        var network = OnnxNetwork.Open(source.File, bytes, inputs.Ids, inputs.OutputOf(source.File, options.Output));
        try
        {
            SettingsReport report = new();
            OnnxTextWay bare = new()
            {
                Input = inputs.Ids.Name,
                Output = network.Output.Name,
                Mask = inputs.Mask?.Name,
                Types = inputs.Types?.Name,
                Positions = inputs.Positions?.Name,
            };
            var shape = Tried(network, inputs);
            var rows = RowsOf(path, inputs, options, report);
            var way = Pooled(path, bare, notes, options, shape, report);
            OnnxText tower = new(source, network, inputs, way, (int)shape[^1], rows);
            tower.Lock();
            return new(tower, "ONNX", null)
            {
                Settings = [tower.Told(), .. report.Followed],
                Warnings = report.Warnings,
            };
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    internal override string SaveIn(string folder, string stem)
    {
        var name = stem + ".onnx";
        var bytes = source.Again(network.Hash);
        AtomicFile.Write(Path.Combine(folder, name), to =>
            OnnxWeights.WriteWhole(to, bytes, source.Path, way.ToNotes())
        );
        return name;
    }

    /// <inheritdoc/>
    private protected override Tensor Represent(long[] ids, int count, int length, int tokens)
    {
        using var scope = NewDisposeScope();
        var places = inputs.Length ?? (inputs.Mask is null ? length : tokens);
        var batch = network.Batch == 0 ? count : network.Batch;
        List<Tensor> slices = [];
        for (var first = 0; first < count; first += batch)
        {
            var some = Math.Min(batch, count - first);
            // What a fixed batch lacks is filled with its last row, and its answers are dropped.
            var rows = new long[batch * places];
            Array.Fill(rows, Pad);
            for (var i = 0; i < batch; i++)
                ids.AsSpan((first + Math.Min(i, some - 1)) * length, Math.Min(length, places))
                    .CopyTo(rows.AsSpan(i * places));
            slices.Add(Run(network, inputs, rows, batch, places, tokens).narrow(0, 0, some));
        }
        var x = slices is [var one] ? one : cat([.. slices], 0);
        if (way.Poolings is { } poolings)
        {
            var seen = TokenStates(x, places, tokens);
            x = cat([.. poolings.Select(pooling => TokenRows.Whole(seen.select(2, 0)).Pool(seen, pooling))], 1);
        }
        if (way.UnitLength)
            x = x / x.norm(-1, keepdim: true).With(1e-12, (length, least) => length.clamp_min(least));
        return x.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            network.Dispose();
        base.Dispose(disposing);
    }

    private static OnnxTextOptions Completed(OnnxFile file, OnnxTextOptions options) =>
        OnnxTextWay.Of(file)?.Completing(options) ?? options;

    private static ForeignRows RowsOf(
        string path,
        OnnxTextInputs inputs,
        OnnxTextOptions options,
        SettingsReport report
    )
    {
        var folder = TowerPath.FolderOf(path);
        var prompts = SentencePrompts.In(folder, path, report);
        return new(inputs.Length, inputs.Mask is not null)
        {
            Prefix = options.Tower.Prefix ?? prompts.Chosen(options.Tower.Prompt, options.Spec),
            LowerCase = SentenceSettings.LowerCased(folder, path, report) ?? false,
        };
    }

    // What the library that made the folder does with the tokens' states.
    private static OnnxTextWay Pooled(
        string path,
        OnnxTextWay way,
        OnnxTextWay? notes,
        OnnxTextOptions options,
        long[] shape,
        SettingsReport report
    )
    {
        var given = options.Tower.Pooling;
        if (shape is [_, _])
            return given is null
                ? way with
                {
                    UnitLength = notes?.UnitLength ?? false,
                }
                : throw new UsageException(
                    $"'{options.Spec}': {way.Output} gives [{shape[1]}] for a text, and no tokens to pool. "
                        + "Leave pool out."
                );
        if (given is null && notes?.Output == way.Output && notes.Poolings is { Count: > 0 } kept)
            return way with { Poolings = kept, UnitLength = notes.UnitLength };
        var settings = SentenceSettings.Beside(TowerPath.FolderOf(path), (int)shape[2], given, report);
        if (settings?.Steps.FirstOrDefault(step => step.Outputs is not null) is { } dense)
            throw new LitException(
                path,
                $"gives tokens' states, and a layer follows their pooling ({dense.InWords}) that is not in it",
                "Export it with its output sentence_embedding, or give the folder's .safetensors"
            );
        IReadOnlyList<TextPooling> poolings =
            settings is { Poolings.Count: > 0 } ? settings.Poolings
            : given is { } own ? [own]
            : [TextPooling.Mean];
        if (poolings.Contains(TextPooling.Map))
            throw new UsageException($"'{options.Spec}': there is no such pooling of a network's output.");
        if (settings is not { Poolings.Count: > 0 } && given is null)
            report.Warn(
                $"nothing says how {way.Output} of {path} becomes one representation of a text: the mean over its "
                    + "tokens is taken. Write :pool=first, mean, max or last behind its path."
            );
        return way with { Poolings = poolings, UnitLength = settings?.Steps.Count > 0 };
    }

    // Two short texts, or one after the other where the network takes no two.
    private static long[] Tried(OnnxNetwork network, OnnxTextInputs inputs)
    {
        using var scope = NewDisposeScope();
        var places = inputs.Length ?? TriedTokens;
        Tensor Given(int batch) => Run(network, inputs, new long[batch * places], batch, places, places);
        Tensor first;
        try
        {
            first = Given(network.Batch is > 0 and var set ? set : 2);
        }
        catch (LitException) when (network.Batch == 0)
        {
            network.TakeOneByOne();
            first = Given(1);
        }
        var shape = first.shape;
        if (shape is not ([_, <= 1 << 24] or [_, _, <= 1 << 24]))
            throw new LitException(
                network.Path,
                $"gives {network.Output.Name} of [{string.Join(", ", shape[1..])}] for a text",
                "Name an output with one representation a text, or one state a token, as in :output=NAME"
            );
        if (shape is [_, var tokens, _] && tokens != places)
            throw new LitException(
                network.Path,
                $"gives {network.Output.Name} of [{string.Join(", ", shape[1..])}] for {places} ids, which is no "
                    + "state a token",
                "Name another output, as in :output=NAME"
            );
        return shape;
    }

    private static Tensor Run(OnnxNetwork network, OnnxTextInputs inputs, long[] ids, int batch, int places, int tokens)
    {
        List<(string, Tensor)> given = [(inputs.Ids.Name, As(inputs.Ids, tensor(ids, [batch, places])))];
        if (inputs.Mask is { } mask)
        {
            var seen = new long[batch * places];
            for (var i = 0; i < batch; i++)
                seen.AsSpan(i * places, Math.Min(tokens, places)).Fill(1);
            given.Add((mask.Name, As(mask, tensor(seen, [batch, places]))));
        }
        if (inputs.Types is { } types)
            given.Add((types.Name, As(types, zeros([batch, places], ScalarType.Int64))));
        if (inputs.Positions is { } positions)
            given.Add(
                (positions.Name, As(positions, Scalars.Numbers(places, ScalarType.Int64, CPU).expand(batch, places)))
            );
        return network.Run(given, batch, "texts");
    }

    private static Tensor As(OnnxValue input, Tensor x) =>
        x.to(
                input.Type switch
                {
                    OnnxTypes.Int32 => ScalarType.Int32,
                    OnnxTypes.Float => ScalarType.Float32,
                    OnnxTypes.Bool => ScalarType.Bool,
                    _ => ScalarType.Int64,
                }
            )
            .contiguous();

    private Tensor TokenStates(Tensor states, int places, int tokens) =>
        states.shape is [_, var given, _] && given == places
            ? states.narrow(1, 0, inputs.Mask is null ? places : Math.Min(tokens, places)).contiguous()
            : throw new LitException(
                network.Path,
                $"gives {network.Output.Name} of [{string.Join(", ", states.shape[1..])}] for {places} ids",
                "Name another output, as in :output=NAME"
            );

    private string Told()
    {
        string[] beside =
        [
            .. new[] { way.Mask, way.Types, way.Positions }.Where(name => name is not null).Select(name => name!),
        ];
        return $"{Path.GetFileName(source.Path)}: ids go into {inputs.Ids}"
            + (beside.Length > 0 ? $" beside {string.Join(", ", beside)}" : "")
            + $"; output {way.Output}"
            + (way.Poolings is { } poolings ? $", {TextTowerWords.Of(poolings)}" : "")
            + (way.UnitLength ? ", unit length" : "")
            + $" ({Width} numbers a text)";
    }
}

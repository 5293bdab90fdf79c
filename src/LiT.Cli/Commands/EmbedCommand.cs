using System.CommandLine;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;
using LiT.Images;
using LiT.Stores;
using LiT.TestSets;
using LiT.Towers;

namespace LiT.Cli.Commands;

/// <summary>lit embed: every picture through the locked tower once, into a store.</summary>
internal static class EmbedCommand
{
    public static Command Build()
    {
        Option<string> tower = new("--image-tower")
        {
            Description =
                "The locked image tower: a file (.npz, .safetensors, .pth, .th, .onnx), a name of 'lit models list', "
                + "or a run or bundle with its tuned tower.",
        };
        TextEmbedOptions texts = new();
        Option<string> store = new("--out")
        {
            Description = "The embedding store to write; run again, an interrupted one is continued.",
            Required = true,
        };
        Option<string> towerType = new("--tower-dtype")
        {
            Description =
                "What the tower multiplies: float32 (or what --dtype says), or int8: faster, and a tower "
                + "of its own; the same as ':int8' behind the tower.",
            DefaultValueFactory = _ => "float32",
        };
        towerType.AcceptOnlyFromAmong("float32", "int8");
        Option<StoredType?> type = new("--store-dtype")
        {
            Description = "How the numbers are stored; by default float16, or as the store has them.",
        };
        Option<int> batch = new("--batch")
        {
            Description = "Pictures through the tower at once.",
            DefaultValueFactory = _ => 64,
        };
        Option<int?> rowsPerShard = new("--rows-per-shard")
        {
            Description =
                "Rows in a file of the store, by default 2000; an interrupted run loses no more than the "
                + "file under way.",
        };
        Option<int> maxMegapixels = new("--max-megapixels")
        {
            Description = "Larger pictures are refused by their header and skipped.",
            DefaultValueFactory = _ => (int)(DecodingOptions.Default.MaxPixels / 1_000_000),
        };
        var decode = DecodeOption.Build(otherwise: null);
        Option<double> maxBad = new("--max-bad")
        {
            Description = "Stop when more than this share of the samples cannot be used.",
            DefaultValueFactory = _ => 0.5,
        };
        Option<string?> part = new("--part")
        {
            Description =
                "Make one part of the store, as i/n (2/4: the second of four); the parts may run at once, "
                + "in any order, on any machine that sees the folder. auto: the part that Slurm's array or Kubernetes' "
                + "Indexed Job gives.",
        };
        Option<bool> update = new("--update")
        {
            Description =
                "Bring a finished store to what the data is now: only pictures that are new or changed go "
                + "through the tower.",
        };
        Option<bool> retry = new("--retry-skipped") { Description = "Try what was skipped again." };
        Option<string[]> reuse = new("--reuse")
        {
            Description = "Another store of the same tower, whose pictures are not embedded again.",
            DefaultValueFactory = _ => [],
        };
        Option<string> crop = new("--crop")
        {
            Description =
                $"How pictures are cut, where not as the tower has it: {string.Join(", ", EvaluationCrop.Names)}.",
            DefaultValueFactory = _ => EvaluationCrop.Model,
        };
        crop.AcceptOnlyFromAmong([.. EvaluationCrop.Names]);
        Option<bool> exif = new("--honour-exif")
        {
            Description =
                "Turn pictures as their EXIF orientation says, which the references do not; the same as "
                + "':exif' behind the tower.",
        };
        ViewOptions views = new();
        DataOptions data = new() { TakesCaptions = true };

        Command command = new(
            "embed",
            "Embed every picture once with a locked image tower, or every caption with a locked text tower."
        )
        {
            tower,
            store,
            towerType,
            type,
            decode,
            crop,
            batch,
            rowsPerShard,
            maxMegapixels,
            maxBad,
            part,
            update,
            retry,
            reuse,
            exif,
        };
        texts.AddTo(command, [store, type, rowsPerShard, update], tower);
        views.AddTo(command);
        data.AddTo(command);
        Limits.Positive(batch, rowsPerShard, maxMegapixels);
        Limits.Share(maxBad);
        command.Does(
            (parsed, cancel) =>
            {
                if (texts.Of(parsed) is { } text)
                    return Task.FromResult(
                        EmbeddedTexts.Embed(
                            parsed,
                            text,
                            (data, parsed.GetRequiredValue(store)),
                            new()
                            {
                                Type = parsed.GetValue(type),
                                RowsPerShard = parsed.GetValue(rowsPerShard),
                                Update = parsed.GetValue(update),
                            },
                            cancel
                        )
                    );
                var spec = LitModel.ImageTowerOf(parsed.GetRequiredValue(tower));
                if (parsed.GetValue(exif))
                    spec = ImageTowerLoader.With(spec, "exif");
                var folder = parsed.GetRequiredValue(store);
                var share = parsed.GetValue(part) is { } given ? StorePart.Parse(given) : StorePart.Whole;
                var source = data.Open(parsed);
                var compute = CommonOptions.ComputeOf(parsed);
                using var loaded =
                    parsed.GetValue(towerType) == "int8"
                        ? Int8Of(ref spec, compute)
                        : ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = compute });
                var locked = loaded.With(EvaluationCrop.Apply(loaded.Preprocessing, parsed.GetValue(crop)!));
                Terminal.Say($"{spec}: {locked.Architecture}, {locked.Family}, {locked.Tower.Width} numbers a picture");
                TowerRemarks.Tell(locked);
                if (ImageTowerLoader.IsSpec(spec))
                    Terminal.Warn(
                        $"{spec} is a tower from scratch: its weights are random, and so are its embeddings. "
                            + "Name a file or a published tower (lit models list)."
                    );
                data.Say(parsed, SourceGlance.Of(source, cancel));

                EmbedResult result;
                using (ProgressLine progress = new())
                {
                    result = EmbedRun.Run(
                        locked,
                        spec,
                        source,
                        folder,
                        new EmbedOptions
                        {
                            BatchSize = parsed.GetValue(batch),
                            Type = parsed.GetValue(type),
                            RowsPerShard = parsed.GetValue(rowsPerShard),
                            MaxPixels = parsed.GetValue(maxMegapixels) * 1_000_000L,
                            Decode = parsed.GetValue(decode),
                            MaxBad = parsed.GetValue(maxBad),
                            Views = views.Of(parsed),
                            Part = share,
                            Update = parsed.GetValue(update),
                            RetrySkipped = parsed.GetValue(retry),
                            Reuse = parsed.GetValue(reuse)!,
                        },
                        compute,
                        progress,
                        cancel
                    );
                }
                Report(parsed, folder, locked, result);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    // Where a tower cannot be one of bytes, the run goes on in float32 and says so: the store names the tower that made
    // it.
    private static LockedTower Int8Of(ref string spec, ComputeDevice compute)
    {
        var locked = ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = compute });
        if (locked.Tower.IsInt8)
            return locked;
        if (Int8.WhyNot(locked.Tower, compute) is { } reason)
        {
            Terminal.Warn($"--tower-dtype int8: {reason}; the tower computes in float32.");
            return locked;
        }
        locked.Dispose();
        spec = ImageTowerLoader.With(spec, "int8");
        return ImageTowerLoader.Load(spec, new ImageTowerOptions { Compute = compute });
    }

    private static void Report(Asked parsed, string folder, LockedTower tower, EmbedResult result)
    {
        var counts = result.Counts;
        if (result.WasComplete)
            Terminal.Say(
                $"{folder} is complete already; nothing was embedded again. If the data has changed since, "
                    + "--update takes that in."
            );
        if (result.MissingShards > 0)
            Terminal.Say(
                $"{folder}: {result.MissingShards} files are still missing; the other parts make them, and "
                    + "the last of them finishes the store."
            );
        if (counts.Skipped > 0)
            Terminal.Warn(
                $"{counts.Skipped} of {counts.Found} samples were skipped; "
                    + $"{Path.Combine(folder, "skipped.jsonl")} names each with the reason."
            );
        (long Captioned, long Labelled)? words = null;
        if (result.MissingShards == 0)
            using (var store = EmbeddingStore.Open(folder))
            {
                words = store.Words();
                if (
                    store.Description?.Source is { } from
                    && NamedTestSets.Of(from) is { } set
                    && PublishedCount.Difference(set, store.Samples().Read(_ => { })) is { } remark
                )
                    Terminal.Warn(remark);
            }
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(
                new
                {
                    Store = folder,
                    counts.Found,
                    counts.Embedded,
                    counts.Skipped,
                    words?.Captioned,
                    words?.Labelled,
                    result.EmbeddedNow,
                    result.Reused,
                    result.Repeated,
                    Complete = result.MissingShards == 0,
                    EmbeddingSize = tower.Tower.Width,
                    tower.Fingerprint,
                    result.Seconds,
                    PicturesPerSecond = result.Seconds > 0 ? result.EmbeddedNow / result.Seconds : 0,
                }
            );
            return;
        }
        Terminal.Line(
            $"{folder}: {counts.Embedded} pictures of {counts.Found} found, {tower.Tower.Width} numbers each"
                + (words is var (captioned, labelled) ? $", {captioned} with captions, {labelled} with a label" : "")
                + (
                    result.WasComplete
                        ? ""
                        : (result.Reused > 0 ? $", {result.Reused} taken over" : "")
                            + (result.Repeated > 0 ? $", {result.Repeated} with the bytes of another" : "")
                            + ", "
                            + $"{result.EmbeddedNow} embedded now in {result.Seconds:F1} s "
                            + $"({result.EmbeddedNow / Math.Max(result.Seconds, 1e-9):F0} pictures/s)"
                )
        );
    }
}

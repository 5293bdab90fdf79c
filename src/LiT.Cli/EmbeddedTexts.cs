using System.Globalization;
using LiT.Bundles;
using LiT.Data;
using LiT.Embedding;
using LiT.Stores;
using LiT.Tuning.Runs;

namespace LiT.Cli;

/// <summary>What 'lit embed --texts' and 'lit verify' of its store do and print.</summary>
internal static class EmbeddedTexts
{
    private const int TextsCompared = 64;

    public static int Embed(
        Asked parsed,
        (string Tower, string? Tokenizer, int? Length) text,
        (DataOptions Data, string Folder) places,
        TextOptions options,
        CancellationToken cancel
    )
    {
        var source = places.Data.Open(parsed);
        using var tower = TextTowers.Load(
            text.Tower,
            text.Tokenizer,
            text.Length,
            CommonOptions.ComputeOf(parsed),
            Terminal.Say
        );
        Terminal.Say(
            $"{text.Tower}: {tower.Tower.GetName()}, {tower.Tower.Width} numbers a text, "
                + $"{tower.Tokenizer.Layout.Length} ids at most"
        );
        TextResult result;
        using (ProgressLine progress = new())
            result = TextRun.Run(
                tower,
                source,
                places.Folder,
                options with
                {
                    Tokenizer = text.Tokenizer,
                    TokenLength = text.Length,
                    Samples = places.Data.OptionsOf(parsed),
                },
                CommonOptions.ComputeOf(parsed),
                progress,
                cancel
            );
        foreach (var remark in (source as CaptionedSource)?.Remarks ?? [])
            Terminal.Say(remark);
        Report(parsed, places.Folder, tower, result);
        return ExitCode.Done;
    }

    private static void Report(Asked parsed, string folder, LockedText tower, TextResult result)
    {
        if (result.WasComplete)
            Terminal.Say(
                $"{folder} is complete already; no text was read again. If the captions have changed since, --update "
                    + "takes that in."
            );
        if (result.Skipped > 0)
            Terminal.Warn($"{result.Skipped} samples of {result.File.Source} could not be read and gave no text.");
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(
                new
                {
                    Store = folder,
                    Texts = result.File.Rows,
                    result.File.Pictures,
                    result.Added,
                    result.Removed,
                    EmbeddedNow = result.Embedded,
                    result.Skipped,
                    EmbeddingSize = tower.Tower.Width,
                    tower.Fingerprint,
                    result.Seconds,
                    TextsPerSecond = result.Seconds > 0 ? result.Embedded / result.Seconds : 0,
                }
            );
            return;
        }
        Terminal.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{folder}: {result.File.Rows} texts of {result.File.Pictures} pictures, "
                    + $"{tower.Tower.Width} numbers each"
            )
                + (
                    result.WasComplete
                        ? ""
                        : string.Create(
                            CultureInfo.InvariantCulture,
                            $", {result.Added} new{(result.Removed > 0 ? $", {result.Removed} gone" : "")}; "
                                + $"{result.Embedded} different ones embedded now in {result.Seconds:F1} s "
                                + $"({result.Embedded / Math.Max(result.Seconds, 1e-9):F0} texts/s)"
                        )
                )
        );
    }

    /// <summary>Proves a text store, and says what it is.</summary>
    public static void Verify(Asked parsed, string folder, string? given, CancellationToken cancel)
    {
        using var store = TextStore.Open(folder);
        var file = store.File;
        var compute = CommonOptions.ComputeOf(parsed);
        using var tower = TextTowers.Load(given ?? file.Tower, file.Tokenizer, file.TokenLength, compute, _ => { });
        var proved = TextCheck.Run(store, tower, TextsCompared, compute, cancel);
        if (CommonOptions.IsJson(parsed))
            Terminal.Write(
                new
                {
                    Ok = true,
                    Kind = "texts",
                    file.Tower,
                    tower.Fingerprint,
                    proved.Rows,
                    file.Pictures,
                    file.EmbeddingSize,
                    Dtype = file.Type.Word(),
                    file.Language,
                    proved.Compared,
                    proved.LowestCosine,
                }
            );
        else
            Terminal.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{folder}: texts read by {file.Tower}, fingerprint {tower.Fingerprint}; {proved.Rows} rows of "
                        + $"{file.EmbeddingSize} numbers ({file.Type.Word()}) of {file.Pictures} pictures sound, "
                        + $"{proved.Compared} texts read again with a cosine of {proved.LowestCosine:F5} or more"
                )
            );
    }
}

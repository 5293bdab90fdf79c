using System.CommandLine;
using LiT.Images;
using LiT.Towers;
using LiT.Tuning;

namespace LiT.Cli.Commands;

/// <summary>lit tune: teach a text tower to read the locked image tower, or any other of the paper's settings.</summary>
internal static class TuneCommand
{
    public static Command Build()
    {
        DataOptions data = new();
        Option<string?> imageTower = new("--image-tower") { Description = "The image tower: a file, or from scratch (vit:Ti/16) with --lock uu; a store names its own." };
        Option<string?> textTower = new("--text-tower") { Description = "A text tower from scratch (text:width=256,depth=4,heads=4, bert:small), or a file to start from." };
        Option<string> run = new("--out") { Description = "The run's folder; run again, an interrupted run goes on.", Required = true };
        Option<string?> locks = new("--lock") { Description = "Lu, LU, Uu, UU, uu or LL: image tower then text tower, L locked, U pre-trained, u from scratch. Default: LU where --text-tower is a file, else Lu." };
        Option<string?> tokenizer = new("--tokenizer") { Description = "A tokenizer's file or folder; by default a vocabulary is made from the captions." };
        Option<int> vocabulary = new("--vocabulary") { Description = "Pieces of a vocabulary made from the captions.", DefaultValueFactory = _ => 8000 };
        Option<int?> tokenLength = new("--token-length") { Description = "Ids in a row of text; by default 16 with a tokenizer that is given, 24 with a vocabulary made from the captions." };
        Option<string> imageHead = new("--image-head") { Description = "SIZE[:mlp[=WIDTH]]: a head on the image side to this common size; by default the representation is read as it is.", DefaultValueFactory = _ => "none" };
        Option<string> textHead = new("--text-head") { Description = "linear, mlp, SIZE[:mlp[=WIDTH]] or none: the head on the text side.", DefaultValueFactory = _ => "linear" };
        Option<bool> fromPixels = new("--from-pixels") { Description = "Let a locked image tower read the pictures at every step, with --augment, in place of embedding them once." };
        Option<string?> augment = new("--augment") { Description = "Random changes of pictures read at every step: none, or crop[=SMALLEST], flip, shift, jitter, randaug[=COUNT,STRENGTH] with + between. Default: crop=0.25+flip for a tower that is tuned." };
        Option<string?> validation = new("--val") { Description = "Pictures with captions to validate on (retrieval)." };
        Option<BundleTower> bundle = new("--bundle-tower") { Description = "Whether the image tower goes into the bundle.", DefaultValueFactory = _ => BundleTower.Auto };
        TuneChoices choices = new();

        Command command = new("tune", "Tune two towers contrastively; by default a text tower to a locked image tower (the paper's Lu).")
        {
            run, imageTower, textTower, locks, tokenizer, vocabulary, tokenLength, imageHead, textHead, fromPixels, augment, validation, bundle,
        };
        data.AddTo(command);
        choices.AddTo(command);
        Limits.Positive(vocabulary, tokenLength);
        command.SetAction((parsed, cancel) =>
        {
            TuneRequest request = new()
            {
                Data = data.PathOf(parsed),
                Samples = data.OptionsOf(parsed),
                ImageTower = parsed.GetValue(imageTower),
                TextTower = parsed.GetValue(textTower),
                Tokenizer = parsed.GetValue(tokenizer),
                VocabularySize = parsed.GetValue(vocabulary),
                TokenLength = parsed.GetValue(tokenLength),
                Out = parsed.GetRequiredValue(run),
                Lock = LockSetting.Parse(parsed.GetValue(locks) ?? (parsed.GetValue(textTower) is { } text && !TextTowerSpec.Is(text) ? "LU" : "Lu")),
                ImageHead = HeadSpec.Parse(parsed.GetValue(imageHead)!, imageHead.Name),
                TextHead = HeadSpec.Parse(parsed.GetValue(textHead)!, textHead.Name),
                FromPixels = parsed.GetValue(fromPixels),
                Augmentation = parsed.GetValue(augment) is { } changes ? Augmentation.Parse(changes) : null,
                Validation = parsed.GetValue(validation),
                BundleTower = parsed.GetValue(bundle),
                Seed = CommonOptions.SeedOf(parsed),
                Compute = CommonOptions.ComputeOf(parsed),
            };
            choices.Check(parsed, request.Lock);
            TuneResult result;
            using (ProgressLine progress = new())
                result = TuneRun.Run(request, pairs => choices.Choose(parsed, pairs, request.Lock, Terminal.Say), Terminal.Say, progress, cancel);
            var report = LiT.Reports.TuningReport.Write(request.Out);
            var last = result.Outcome.Last;
            if (CommonOptions.IsJson(parsed))
                Terminal.Write(new
                {
                    result.Model,
                    Report = report,
                    result.Outcome.Steps,
                    result.Pairs,
                    result.Captions,
                    result.DistinctCaptions,
                    result.TruncatedShare,
                    last.Loss,
                    result.Outcome.Temperature,
                    result.Outcome.Bias,
                    last.I2tAccuracy,
                    last.T2iAccuracy,
                    last.PairsPerSecond,
                    last.Seconds,
                    last.Val,
                });
            else
                Terminal.Line(FormattableString.Invariant(
                    $"{result.Model}: {result.Outcome.Steps} steps on {result.Pairs} pairs in {last.Seconds:F0} s, loss {last.Loss:F3}, temperature {result.Outcome.Temperature:F1}; {report} shows how it went"));
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace LiT.Cli;

/// <summary>
/// The library names settings by member (<c>`MaxBad`</c>) and methods by their type (<c>`EmbedRun(Views: 2)`</c>);
/// here, and nowhere else, they become what a user types: <c>--max-bad</c> and <c>'lit embed --views 2'</c>.
/// </summary>
internal static partial class Wording
{
    // Members whose option is the member's own name, in small letters with hyphens.
    private static readonly string[] SameName =
    [
        "Again",
        "AllowUrlImages",
        "ApiKey",
        "AtOnce",
        "AverageViews",
        "Batch",
        "Bias",
        "BundleTower",
        "CaptionColumn",
        "CaptionNoise",
        "Captions",
        "CaptionsAtOnce",
        "CentreMomentum",
        "CheckpointEvery",
        "Classes",
        "Count",
        "Crop",
        "Data",
        "Decode",
        "Device",
        "Distinct",
        "Doctor",
        "DropFirst",
        "Epochs",
        "FreezeLastLayer",
        "FromPixels",
        "GlobalScale",
        "Head",
        "HeadBottleneck",
        "HeadHidden",
        "HeadOutputs",
        "HoldOut",
        "Host",
        "ImageColumn",
        "ImageHead",
        "ImageMicroBatch",
        "ImageRoot",
        "ImageScratch",
        "ImageTower",
        "KeepBest",
        "LabelColumn",
        "LabelSmoothing",
        "Labels",
        "Language",
        "Like",
        "LocalCrops",
        "LocalParts",
        "LocalScale",
        "LocalSize",
        "Lock",
        "Loss",
        "LossOver",
        "LookAlikes",
        "MaxBad",
        "MaxBody",
        "MaxMegapixels",
        "MicroBatch",
        "Minus",
        "Mirror",
        "Momentum",
        "Neighbours",
        "Nested",
        "OnlyIds",
        "Open",
        "Order",
        "Out",
        "Pairs",
        "Part",
        "Pictures",
        "Port",
        "Positives",
        "Queue",
        "Replace",
        "RetrySkipped",
        "Reuse",
        "Rows",
        "Seed",
        "Seeds",
        "Sentences",
        "Steps",
        "Structure",
        "StructureLevels",
        "StudentTemperature",
        "TeacherMomentum",
        "TeacherTemperature",
        "TeacherTemperatureStart",
        "TeacherTemperatureWarmup",
        "TeacherWeight",
        "Temperature",
        "Templates",
        "TextHead",
        "TextInit",
        "TextTower",
        "Texts",
        "Timeout",
        "Timescale",
        "TokenLength",
        "Tokenizer",
        "TrainingStore",
        "Update",
        "UrlColumn",
        "Vary",
        "Views",
        "Warmup",
        "WeightDecay",
        "WeightDecayEnd",
        "Where",
        "Width",
        "Without",
    ];

    // Members that the command line calls otherwise.
    private static readonly Dictionary<string, string> OtherName = new()
    {
        ["Augmentation"] = "--augment",
        ["AverageDecay"] = "--ema",
        ["CaptionLanguage"] = "--language",
        ["ClipNorm"] = "--clip",
        ["CooldownSteps"] = "--cooldown",
        ["LastLearningRate"] = "--min-lr",
        ["LearningRate"] = "--lr",
        ["LearningRateRules"] = "--lr-mult",
        ["LowestTemperature, HighestTemperature"] = "--temperature-bounds",
        ["ScalarType"] = "--dtype",
        ["StudyPlan"] = "--file",
        ["TeacherStore"] = "--teacher",
        ["TestSet"] = "--dataset",
        ["TuneRecipe"] = "--recipe",
        ["UnlockRules"] = "--unlock-after",
        ["Validation"] = "--val",
        ["ValidationClasses"] = "--val-classes",
        ["WarmupSteps"] = "--warmup",
        ["WeightDecayRules"] = "--wd-mult",
    };

    private static readonly Dictionary<string, string> Options = OtherName
        .Concat(SameName.Select(member => KeyValuePair.Create(member, Hyphened(member))))
        .ToDictionary();

    // What the library does, and the verb that does it.
    private static readonly Dictionary<string, string> Verbs = new()
    {
        ["BackgroundMeasurement"] = "lit calibrate",
        ["BundleLanguages"] = "lit language add",
        ["EmbedRun"] = "lit embed",
        ["StoreIndex"] = "lit index build",
        ["TextRun"] = "lit embed",
        ["ModelConversion"] = "lit models convert",
    };

    /// <summary>A sentence of the library in the words of the command line.</summary>
    public static string Of(string sentence) =>
        sentence.Contains('`') ? Quoted().Replace(sentence, match => Said(match) ?? match.Value) : sentence;

    /// <summary>Every name that is known here, with what becomes of it.</summary>
    internal static IEnumerable<KeyValuePair<string, string>> Known => Options.Concat(Verbs);

    // `Member`, `Doing` or `Doing(argument, Member, Member: value)`; whatever else stands in backticks is not ours.
    private static string? Said(Match match)
    {
        var (name, arguments) = (match.Groups["name"].Value, match.Groups["arguments"]);
        if (!arguments.Success && Options.TryGetValue(name, out var option))
            return option;
        if (!Verbs.TryGetValue(name, out var verb))
            return null;
        return arguments.Success
            ? $"'{verb} {string.Join(' ', arguments.Value.Split(", ").Select(Argument))}'"
            : $"'{verb}'";
    }

    private static string Argument(string argument) =>
        argument.Split(": ", 2) switch
        {
            [var member, var value] when Options.TryGetValue(member, out var option) => $"{option} {value}",
            [var member] when Options.TryGetValue(member, out var option) => option,
            _ => argument,
        };

    private static string Hyphened(string member) => "--" + JsonNamingPolicy.KebabCaseLower.ConvertName(member);

    [GeneratedRegex(@"`(?<name>[A-Z]\w*(, [A-Z]\w*)*)(\((?<arguments>[^`]*)\))?`", RegexOptions.ExplicitCapture)]
    private static partial Regex Quoted();
}

/// <summary>Writes the strings of an answer in the words of the command line.</summary>
internal sealed class WordingConverter : JsonConverter<string>
{
    /// <inheritdoc/>
    public override string? Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        reader.GetString();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteStringValue(Wording.Of(value));

    /// <inheritdoc/>
    public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        reader.GetString()!;

    /// <inheritdoc/>
    public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value);
}

using System.Text.Json;
using LiT.Files;

namespace LiT.Towers.Settings;

/// <summary>
/// What sentence-transformers lays beside a text tower: modules.json, the pooling's config.json and
/// sentence_bert_config.json (sentence_transformers: SentenceTransformer.py, models/Pooling.py).
/// </summary>
/// <param name="Pooling">How the model makes one representation of a text.</param>
/// <param name="LowerCase">Whether texts lose their capitals first.</param>
internal sealed record SentenceSettings(TextPooling? Pooling, bool LowerCase)
{
    private const string Modules = "modules.json",
        Sentence = "sentence_bert_config.json";

    private static readonly (string Key, TextPooling? Means, string Word)[] Modes =
    [
        ("pooling_mode_cls_token", TextPooling.First, "cls"),
        ("pooling_mode_mean_tokens", TextPooling.Mean, "mean"),
        ("pooling_mode_max_tokens", TextPooling.Max, "max"),
        ("pooling_mode_lasttoken", TextPooling.Last, "lasttoken"),
        ("pooling_mode_mean_sqrt_len_tokens", null, "mean_sqrt_len_tokens"),
        ("pooling_mode_weightedmean_tokens", null, "weightedmean"),
    ];

    /// <summary>The settings, or null where there are none.</summary>
    /// <param name="path">The checkpoint; it may lie in a folder 0_Transformer of the model's.</param>
    /// <param name="width">Of the tower.</param>
    /// <param name="given">The pooling that the user wrote, which goes before the file's.</param>
    /// <param name="report">Told what was followed.</param>
    /// <exception cref="LitException">A file is broken, or says a pooling that is not built here.</exception>
    public static SentenceSettings? Beside(string path, int width, TextPooling? given, SettingsReport report)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".";
        var lowerCase = LowerCased(folder, path, report);
        if (Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)).StartsWith("0_", StringComparison.Ordinal))
            folder = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))) ?? folder;
        var list = Path.Combine(folder, Modules);
        var pooling = "1_Pooling";
        if (!SettingsFile.IsAt(list))
        {
            if (!SettingsFile.IsAt(Path.Combine(folder, pooling, "config.json")))
                return lowerCase is null ? null : new(null, lowerCase.Value);
        }
        else if (PoolingFolder(list, path, report) is { } named)
            pooling = named;
        else
            return new(null, lowerCase ?? false);
        return new(PoolingOf(folder, pooling, path, width, given, report), lowerCase ?? false);
    }

    private static bool? LowerCased(string folder, string path, SettingsReport report)
    {
        var said = SettingsFile.In(path, Sentence, Path.Combine(folder, Sentence));
        if (!said.IsThere)
            return null;
        var lowerCase = said.Flag("do_lower_case");
        said.Settled("max_seq_length"); // rows have `TokenLength` ids, and never more than the tower's positions
        report.Close(said, KnownSettings.Sentences);
        return lowerCase ?? false;
    }

    // Null where the model has no pooling of its own.
    private static string? PoolingFolder(string list, string path, SettingsReport report)
    {
        var json = SettingsFile.Read(list);
        if (json.ValueKind != JsonValueKind.Array)
            throw new LitException(
                $"{Modules} beside {path}: is no list of modules. Give the file as it was published."
            );
        string? folder = null;
        foreach (var entry in json.EnumerateArray())
        {
            var module = new SettingsFile(path, entry, Modules, "a module's ");
            var type = (module.Word("type") ?? "").Split('.')[^1];
            switch (type)
            {
                case "Transformer" or "Normalize" or "Dropout":
                    break; // the weights; every embedding gets unit length; nothing is dropped after training
                case "Pooling" when folder is null:
                    folder = module.Word("path") ?? "";
                    if (
                        Path.IsPathRooted(folder)
                        || folder.Split('/', '\\').Contains("..")
                        || folder.Contains('\0', StringComparison.Ordinal)
                    )
                        throw module.Wrong("path", "a folder beside");
                    break;
                default:
                    report.Warn(
                        $"{Modules} beside {path}: the module "
                            + $"{(type.Length == 0 ? "without a type" : type)} is not read; the "
                            + "representation is what comes before it."
                    );
                    break;
            }
        }
        return folder;
    }

    private static TextPooling? PoolingOf(
        string folder,
        string pooling,
        string path,
        int width,
        TextPooling? given,
        SettingsReport report
    )
    {
        var name = pooling.Length == 0 ? "config.json" : $"{pooling}/config.json";
        var said = SettingsFile.In(path, name, Path.Combine(folder, pooling, "config.json"));
        if (!said.IsThere)
            throw new LitException(
                $"{Modules} beside {path}: names the pooling {name}, which is not there. Bring the "
                    + "whole model, or write the pooling behind the path, as in :pool=mean."
            );
        var chosen = Modes.Where(mode => said.Flag(mode.Key) ?? false).ToList();
        if (said.Word("pooling_mode") is { } word)
            chosen = [.. Modes.Where(mode => mode.Word == word)];
        said.Expect("word_embedding_dimension", width, "the weights have");
        said.Expect("embedding_dimension", width, "the weights have");
        if (given is null && chosen is not [{ Means: not null }])
            throw new LitException(
                $"{name} beside {path}: the pooling "
                    + (chosen.Count == 0 ? "that it names" : string.Join(" with ", chosen.Select(mode => mode.Word)))
                    + " "
                    + "is not built here. Write one behind the path: pool=first, mean, max or last."
            );
        report.Close(said, KnownSettings.Sentences);
        if (given is { } own && (chosen is not [{ Means: { } theirs }] || theirs != own))
            report.Warn($"{name} beside {path}: the pooling behind the path goes before the one that it says.");
        return given ?? chosen[0].Means;
    }
}

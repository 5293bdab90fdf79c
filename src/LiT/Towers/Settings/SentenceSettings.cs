using LiT.Files;

namespace LiT.Towers.Settings;

/// <summary>
/// What sentence-transformers lays beside a text tower: modules.json, the pooling's config.json, dense layers,
/// sentence_bert_config.json and config_sentence_transformers.json (sentence_transformers: SentenceTransformer.py and
/// its
/// modules).
/// </summary>
/// <param name="Poolings">How the model makes one representation of a text's tokens; none where it does not say it.
/// </param>
/// <param name="LowerCase">Whether texts lose their capitals first.</param>
internal sealed record SentenceSettings(IReadOnlyList<TextPooling> Poolings, bool LowerCase)
{
    private const string Sentence = "sentence_bert_config.json";

    private static readonly (string Key, TextPooling Means, string Word)[] Modes =
    [
        ("pooling_mode_cls_token", TextPooling.First, "cls"),
        ("pooling_mode_max_tokens", TextPooling.Max, "max"),
        ("pooling_mode_mean_tokens", TextPooling.Mean, "mean"),
        ("pooling_mode_mean_sqrt_len_tokens", TextPooling.MeanOverRoot, "mean_sqrt_len_tokens"),
        ("pooling_mode_weightedmean_tokens", TextPooling.WeightedMean, "weightedmean"),
        ("pooling_mode_lasttoken", TextPooling.Last, "lasttoken"),
    ];

    /// <summary>What follows the pooling.</summary>
    public IReadOnlyList<SentenceStep> Steps { get; private init; } = [];

    /// <summary>The files of the dense layers among the steps, in order.</summary>
    public IReadOnlyList<string> Weights { get; private init; } = [];

    /// <summary>The prefixes of texts by name, and the name of the one that is put before every text.</summary>
    public SentencePrompts Prompts { get; private init; } = SentencePrompts.None;

    /// <summary>The settings, or null where there are none.</summary>
    /// <param name="path">The checkpoint; it may lie in a folder 0_Transformer of the model's.</param>
    /// <param name="width">Of the tower.</param>
    /// <param name="given">The pooling that the user wrote, which goes before the file's.</param>
    /// <param name="report">Told what was followed.</param>
    /// <exception cref="LitException">A file is broken or missing, or says something that is not built
    /// here.</exception>
    public static SentenceSettings? Beside(string path, int width, TextPooling? given, SettingsReport report)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".";
        var lowerCase = LowerCased(folder, path, report);
        folder = ModelFolder(folder);
        var modules = SentenceModules.In(folder, path);
        var prompts = SentencePrompts.In(folder, path, report);
        var pooling = modules is null ? "1_Pooling" : modules.Pooling;
        if (modules is null && !SettingsFile.IsAt(Path.Combine(folder, pooling!, "config.json")))
            return lowerCase is null ? null : new([], lowerCase.Value) { Prompts = prompts };
        IReadOnlyList<TextPooling> poolings = pooling is null
            ? given is { } own
                ? [own]
                : []
            : PoolingsOf(folder, pooling, path, width, given, prompts, report);
        var behind = width * Math.Max(1, poolings.Count);
        List<SentenceStep> steps = [];
        List<string> weights = [];
        foreach (var below in modules?.Steps ?? [])
        {
            if (below is null)
            {
                steps.Add(new());
                continue;
            }
            var (step, file) = SentenceModules.Dense(folder, below, path, behind, report);
            steps.Add(step);
            weights.Add(file);
            behind = step.Outputs!.Value;
        }
        return new(poolings, lowerCase ?? false)
        {
            Steps = steps,
            Weights = weights,
            Prompts = prompts,
        };
    }

    /// <summary>The folder with modules.json: that of the weights, or the one above a 0_Transformer.</summary>
    internal static string ModelFolder(string folder)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        return Path.GetFileName(full).StartsWith("0_", StringComparison.Ordinal)
            ? Path.GetDirectoryName(full) ?? folder
            : folder;
    }

    /// <summary>Whether texts lose their capitals first; null where nothing says it.</summary>
    internal static bool? LowerCased(string folder, string path, SettingsReport report)
    {
        var said = SettingsFile.In(path, Sentence, Path.Combine(folder, Sentence));
        if (!said.IsThere)
            return null;
        var lowerCase = said.Flag("do_lower_case");
        said.Settled("max_seq_length"); // rows have `TokenLength` ids, and never more than the tower's positions
        report.Close(said, KnownSettings.Sentences);
        return lowerCase ?? false;
    }

    private static IReadOnlyList<TextPooling> PoolingsOf(
        string folder,
        string pooling,
        string path,
        int width,
        TextPooling? given,
        SentencePrompts prompts,
        SettingsReport report
    )
    {
        var name = pooling.Length == 0 ? "config.json" : $"{pooling}/config.json";
        var said = SettingsFile.In(path, name, Path.Combine(folder, pooling, "config.json"));
        if (!said.IsThere)
            throw new LitException(
                $"modules.json beside {path}: names the pooling {name}, which is not there. Bring the "
                    + "whole model, or write the pooling behind the path, as in :pool=mean."
            );
        var chosen = Chosen(said);
        said.Expect("word_embedding_dimension", width, "the weights have");
        said.Expect("embedding_dimension", width, "the weights have");
        if (said.Flag("include_prompt") == false && prompts.Default is not null)
            throw said.NotBuilt("include_prompt", "true where a prompt is put before every text");
        if (given is null && chosen.Count == 0)
            throw new LitException(
                $"{name} beside {path}: the pooling that it names is not built here. Write one behind the path: "
                    + "pool=first, mean, max, last, mean-over-root or weighted-mean."
            );
        report.Close(said, KnownSettings.Sentences);
        if (given is not { } own)
            return chosen;
        if (chosen is not [var theirs] || theirs != own)
            report.Warn($"{name} beside {path}: the pooling behind the path goes before the one that it says.");
        return [own];
    }

    // One word, a list of words in the order in which they are joined, or a yes or no for each.
    private static IReadOnlyList<TextPooling> Chosen(SettingsFile said)
    {
        var flags = Modes.Where(mode => said.Flag(mode.Key) ?? false).Select(mode => mode.Means).ToList();
        if (said.Any("pooling_mode") is not { } value)
            return flags.Count > 0 || !Modes.Any(mode => said.Has(mode.Key)) ? flags : [TextPooling.Mean];
        var words =
            value.ValueKind == System.Text.Json.JsonValueKind.Array
                ? said.Words("pooling_mode")
                : [said.Word("pooling_mode")!];
        var means = words
            .SelectMany(word => Modes.Where(mode => mode.Word == word))
            .Select(mode => mode.Means)
            .ToList();
        return means.Count == words.Count ? means : [];
    }
}

/// <summary>Prefixes that a sentence model was trained with, such as "query: " and "passage: ".</summary>
/// <param name="ByName">Every prefix by its name.</param>
/// <param name="Default">The name of the one that is put before every text, or null.</param>
internal sealed record SentencePrompts(IReadOnlyDictionary<string, string> ByName, string? Default)
{
    private const string Name = "config_sentence_transformers.json";

    /// <summary>A model without any.</summary>
    public static SentencePrompts None { get; } = new(new Dictionary<string, string>(), null);

    /// <summary>Those of a model's folder.</summary>
    /// <exception cref="LitException">The file is broken.</exception>
    public static SentencePrompts In(string folder, string path, SettingsReport report)
    {
        var said = SettingsFile.In(path, Name, Path.Combine(folder, Name));
        if (!said.IsThere)
            return None;
        var prompts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (said.Any("prompts") is { } value)
        {
            if (value.ValueKind != System.Text.Json.JsonValueKind.Object)
                throw said.Wrong("prompts", "an object of names and texts");
            var part = said.Part("prompts");
            foreach (var key in part.Keys)
                prompts[key] = part.Word(key) ?? "";
        }
        var given = said.Word("default_prompt_name");
        if (given is not null && !prompts.ContainsKey(given))
            throw said.Wrong("default_prompt_name", "the name of one of its prompts");
        report.Close(said, KnownSettings.Sentences);
        return new(prompts, given);
    }

    /// <summary>The prefix that was asked for by name, else the one for every text, else nothing.</summary>
    /// <param name="name">The name behind the path, or null.</param>
    /// <param name="path">The model, for messages.</param>
    /// <exception cref="UsageException">There is no prefix of that name.</exception>
    public string Chosen(string? name, string path) =>
        (name ?? Default) is not { } wanted ? ""
        : ByName.TryGetValue(wanted, out var text) ? text
        : throw new UsageException(
            path,
            $"has no prompt of the name '{wanted}'",
            ByName.Count == 0
                ? $"Its {Name} names none: write the prefix itself, as in ':prefix=query: '"
                : $"Choose one of {string.Join(", ", ByName.Keys)}, or write the prefix itself, as in ':prefix=query: '"
        );
}

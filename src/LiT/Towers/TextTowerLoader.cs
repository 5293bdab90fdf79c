using LiT.Checkpoints;
using LiT.Towers.Settings;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>Where text towers come from: a string that describes one from scratch, or a file.</summary>
internal static class TextTowerLoader
{
    private static readonly List<ITextForm> Forms = [];

    /// <summary>
    /// Adds a form of text towers that this room does not read itself, such as networks of another runtime.
    /// </summary>
    internal static void Register(ITextForm form) => Forms.Add(form);

    /// <summary>
    /// The registered form that a file or folder is of; null for a checkpoint, and for what is not there.
    /// </summary>
    internal static ITextForm? FormOf(string path) => Forms.FirstOrDefault(form => form.Is(path));

    /// <summary>Whether a name means a tower that can only be locked.</summary>
    /// <param name="spec">A path with what stands behind its colon, or anything else.</param>
    internal static bool IsForeign(string spec) =>
        FormOf((TowerPath.IsThere(spec) ? TowerPath.Split(spec) : TowerPath.AtColon(spec)).Path) is not null;

    /// <summary>A text tower from scratch, in training mode. The same arguments give the same weights.</summary>
    /// <param name="spec">What <see cref="TextTowerSpec"/> reads.</param>
    /// <param name="vocabularySize">Ids of the tokenizer.</param>
    /// <param name="tokenLength">Ids in a row.</param>
    /// <param name="seed">Of the random weights.</param>
    /// <param name="padding">The id that fills rows.</param>
    /// <exception cref="UsageException">The string does not say a tower.</exception>
    public static TextTower Create(string spec, int vocabularySize, int tokenLength, long seed, int padding = 0)
    {
        var config = TextTowerSpec.Parse(spec, vocabularySize, tokenLength, padding);
        using var random = new Generator((ulong)seed, CPU);
        return config.Create(random);
    }

    /// <summary>
    /// The text tower in a file of any container, in evaluation mode: recognised from names and shapes.
    /// </summary>
    /// <param name="spec">A path, with <c>:option,option</c> behind it where the file does not say enough
    /// (<see cref="TextTowerOptions"/>).</param>
    /// <param name="options">What is not given behind the path.</param>
    /// <exception cref="LitException">There is no such file, it is damaged, or it holds no text tower.</exception>
    public static LoadedTextTower Load(string spec, TextTowerOptions? options = null)
    {
        var (path, given) = TowerPath.Split(spec);
        if (!Path.Exists(path))
            throw TowerPath.Missing(path, "text tower", "bert:small or text:width=256,depth=4,heads=4");
        if (FormOf(path) is { } form)
            return form.Load(path, given, spec);
        using var checkpoint = Checkpoint.Open(SentenceModules.WeightsOf(path));
        return Load(checkpoint, (options ?? new TextTowerOptions()).With(given, spec));
    }

    /// <summary>The text tower in an open checkpoint, in evaluation mode.</summary>
    /// <exception cref="LitException">It holds no text tower.</exception>
    public static LoadedTextTower Load(Checkpoint checkpoint, TextTowerOptions? options = null)
    {
        options ??= new TextTowerOptions();
        var found = RecognisedText.In(checkpoint, options);
        var tower = Built(found);
        try
        {
            var names = found.Fill(tower);
            tower = Ended(tower, options.Layers, checkpoint.Path);
            tower.eval();
            return new LoadedTextTower(tower, found.Family, names)
            {
                Settings = found.Settings.Followed,
                Warnings = found.Settings.Warnings,
            };
        }
        catch
        {
            tower.Dispose();
            throw;
        }
    }

    // A tower of another depth is built beside the whole one, whose first blocks it takes over.
    private static TextTower Ended(TextTower tower, int? layers, string path)
    {
        if (layers is not { } blocks || tower.Config is not { } config)
            return tower;
        var count = config.BlockCount();
        if (blocks == count)
            return tower;
        Layers.CheckCount(blocks, count, path);
        var ended = config.EndingAfter(blocks).Build();
        Layers.CopyWeights(tower, ended);
        tower.Dispose();
        return ended;
    }

    // The config of a file may say anything: it is tried without memory first.
    private static TextTower Built(RecognisedText found)
    {
        var path = found.Source.Checkpoint.Path;
        try
        {
            using var sizes = found.Config.Build(META);
            var (wanted, there) = (
                (found.Layers is not null && sizes is SentenceTower whole ? whole.Encoder : sizes)
                    .parameters()
                    .Sum(weight => weight.numel()),
                found.Source.Tensors.Values.Sum(tensor => tensor.Count)
            );
            if (wanted / 2 > there)
                throw new LitException(
                    path,
                    $"says that its text tower has {wanted} weights, and holds {there}",
                    "Check that the file is complete"
                );
            return found.Config.Build();
        }
        catch (ArgumentException wrong)
        {
            throw new LitException(
                path,
                $"{wrong.Message.Split(" (Parameter", 2)[0]} Check where the file comes from",
                null,
                wrong
            );
        }
    }
}

/// <summary>A text tower and where its weights came from.</summary>
/// <param name="Tower">In evaluation mode.</param>
/// <param name="Family">Whose weights they are, in words: "BERT (Hugging Face)".</param>
/// <param name="Names">How names in the file were matched; null where another runtime reads it.</param>
internal sealed record LoadedTextTower(TextTower Tower, string Family, MatchedNames? Names) : IDisposable
{
    /// <summary>What was followed of the settings that stand beside the weights, a line a file.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What is to be told of those settings, a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>
    /// What there is to say of those settings before long work begins, a sentence each; warnings begin with that word.
    /// </summary>
    public IEnumerable<string> Remarks =>
        Settings.Select(line => $"followed {line}").Concat(Warnings.Select(line => $"warning: {line}"));

    /// <inheritdoc/>
    public void Dispose() => Tower.Dispose();
}

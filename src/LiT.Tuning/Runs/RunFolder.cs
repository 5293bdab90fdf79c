using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Files;
using LiT.Stores;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>The folder of a tuning run: what a run may be begun in, and what may go on there.</summary>
internal static class RunFolder
{
    private const string ConfigurationFile = "config.json",
        Remedy = "Go on with the same command, or tune into another folder";

    // Data, tokenizer and the tuning options are compared with the checkpoint itself.
    private static readonly (string Member, string Words)[] Decisive =
    [
        ("textTower", "`TextTower`"),
        ("lock", "`Lock`"),
        ("imageHead", "`ImageHead`"),
        ("textHead", "`TextHead`"),
        ("augmentation", "`Augmentation`"),
        ("holdOut", "`HoldOut`"),
        ("pictures", "`Pictures`"),
        ("texts", "`Texts`"),
        ("teacherStore", "`TeacherStore`"),
        ("fingerprint", "the image tower"),
    ];

    /// <summary>A text store beside the run: what a locked text tower gave for its captions.</summary>
    public const string Texts = "texts";

    /// <summary>Refuses a place that cannot be a run's folder, or that holds something else.</summary>
    /// <exception cref="LitException">It is a file, an embedding store, or a folder with other files.</exception>
    public static void Check(string folder)
    {
        if (File.Exists(folder))
            throw new LitException(folder, "is a file, where a run needs a folder", "Choose another name");
        if (EmbeddingStore.IsStore(folder))
            throw new LitException(folder, "is an embedding store", "Tune into a folder of the run's own");
        if (
            !Directory.Exists(folder)
            || Directory.Exists(Path.Combine(folder, "checkpoints"))
            || Directory.Exists(Path.Combine(folder, "store"))
            || Directory.Exists(Path.Combine(folder, Texts))
        )
            return;
        if (Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.')))
            throw new LitException(folder, "holds files that are no tuning run", "Choose a new or empty folder");
    }

    /// <summary>Refuses to go on with a run that was begun by another command.</summary>
    /// <exception cref="LitException">What is different.</exception>
    public static void CheckSame(string folder, JsonObject wanted)
    {
        var path = Path.Combine(folder, ConfigurationFile);
        if (!File.Exists(path) || !Directory.EnumerateDirectories(Path.Combine(folder, "checkpoints"), "step-*").Any())
            return;
        JsonNode? begun;
        try
        {
            begun = JsonTrouble.Parse(File.ReadAllText(path));
        }
        catch (JsonException damage)
        {
            throw new LitException(path, $"damaged ({JsonTrouble.Words(damage)})", "Tune into another folder", damage);
        }
        foreach (var (member, words) in Decisive)
            if (!JsonNode.DeepEquals(begun?[member], wanted[member]))
                throw new LitException(
                    folder,
                    $"this run was begun with {words} {Words(begun?[member])}, not {Words(wanted[member])}",
                    $"{Remedy}"
                );
    }

    /// <summary>Writes down what the run is.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public static void Write(string folder, JsonObject configuration) =>
        AtomicFile.WriteAllText(
            Path.Combine(folder, ConfigurationFile),
            configuration.ToJsonString(TuningOptions.Json) + "\n"
        );

    /// <summary>Writes down what the training doctor found.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public static void WriteFindings(string folder, IReadOnlyList<Finding> findings) =>
        AtomicFile.WriteAllText(
            Path.Combine(folder, "doctor.json"),
            JsonSerializer.Serialize(findings, TuningOptions.Json) + "\n"
        );

    /// <summary>Bytes that are free where a folder is or will be.</summary>
    public static long Free(string folder)
    {
        try
        {
            var full = Path.GetFullPath(folder);
            return DriveInfo
                .GetDrives()
                .Where(drive => full.StartsWith(drive.Name, StringComparison.Ordinal))
                .MaxBy(drive => drive.Name.Length)
                ?.AvailableFreeSpace
                ?? long.MaxValue;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            return long.MaxValue;
        }
    }

    private static string Words(JsonNode? value) =>
        value?.ToString() is { } words
            ? words.Length == 64
                ? words[..12]
                : words
            : "none";
}

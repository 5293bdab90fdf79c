namespace LiT.Bundles;

/// <summary>
/// Where downloaded models lie: <c>models/NAME/FILE</c> in the folder that <c>LIT_CACHE</c> names, by default the user's
/// own cache folder. Nothing here opens a connection: what is missing has to be pulled by the user.
/// </summary>
internal static class ModelCache
{
    /// <summary>The folder of all downloaded models.</summary>
    public static string Folder => Path.Combine(Root, "models");

    /// <summary>The folder of one model, whether it is there or not.</summary>
    public static string FolderOf(CataloguedModel model) => Path.Combine(Folder, model.Name);

    /// <summary>What is opened to load the model: its folder where a config.json belongs to it, else its file of weights.</summary>
    public static string PathOf(CataloguedModel model, string? folder = null) =>
        model.IsFolder ? folder ?? FolderOf(model) : Path.Combine(folder ?? FolderOf(model), model.Files[0].Name);

    /// <summary>Whether every file of the model is there; files get their names when they are whole.</summary>
    public static bool Has(CataloguedModel model) =>
        model.Files.All(file => File.Exists(Path.Combine(FolderOf(model), file.Name)));

    /// <summary>The path to load, of a model that was downloaded.</summary>
    /// <exception cref="LitException">It is not there; the message says how to get it.</exception>
    public static string Require(CataloguedModel model) =>
        Has(model)
            ? PathOf(model)
            : throw new LitException(
                $"{model.Name}: this published model is not in {FolderOf(model)}. Run 'lit models pull {model.Name}' to download it."
            );

    private static string Root
    {
        get
        {
            if (Environment.GetEnvironmentVariable("LIT_CACHE") is { Length: > 0 } given)
                return Path.GetFullPath(given);
            if (OperatingSystem.IsWindows())
                return Path.Combine(
                    Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData),
                    "lit",
                    "cache"
                );
            var caches = Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg
                ? xdg
                : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".cache");
            return Path.Combine(caches, "lit");
        }
    }
}

using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using LiT.Bundles;
using LiT.Checkpoints;
using LiT.Files;

namespace LiT.Catalogue;

/// <summary>One file of a model that was asked for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Url">Where it came from.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Its hash, computed here.</param>
/// <param name="Checked">What it was held against, in words; null where neither source nor server states a
/// hash.</param>
/// <param name="WasThere">Whether it was there already.</param>
internal sealed record PulledFile(string Name, Uri Url, long Bytes, string? Sha256, string? Checked, bool WasThere);

/// <summary>A model that was downloaded.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Path">What to load: a file, or a folder with a config.json.</param>
/// <param name="Licence">Its licence.</param>
/// <param name="Files">Its files.</param>
internal sealed record PulledModel(string Name, string Path, string Licence, IReadOnlyList<PulledFile> Files);

/// <summary>
/// Downloads published models, all files of one at a time, the only code here that opens a connection for towers. A
/// file gets its name when it is whole, its hash is right and weights can be opened; <c>source.json</c> beside them
/// says where they came from.
/// </summary>
internal static class ModelPull
{
    private const string LockFile = ".pull.lock",
        SourceFile = "source.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <param name="model">What to download.</param>
    /// <param name="folder">Where to; null for its place in the cache, where its name is understood.</param>
    /// <param name="mirror">Where from, in place of the source.</param>
    /// <param name="options">How patient it is.</param>
    /// <param name="say">Told of every file.</param>
    /// <param name="progress">Told of every piece.</param>
    /// <param name="cancel">Stops; the same call goes on later.</param>
    /// <exception cref="LitException">A file cannot be had or is not what it should be, or another process is pulling
    /// the same model.</exception>
    public static async Task<PulledModel> RunAsync(
        CataloguedModel model,
        string? folder = null,
        Mirror? mirror = null,
        DownloadOptions? options = null,
        Action<string>? say = null,
        IProgress<ProgressStep>? progress = null,
        CancellationToken cancel = default
    )
    {
        options ??= new DownloadOptions();
        var place = folder ?? ModelCache.FolderOf(model);
        using var turn = Lock(place, model.Name);
        using Connection connection = new(options, say);
        Download download = new(connection, options, say);
        using PackageFiles packages = new(place, say);
        List<PulledFile> files = [];
        foreach (var file in model.Files)
        {
            var target = Path.Combine(place, file.Name);
            var url = mirror?.AddressOf(model, file) ?? file.Url;
            if (File.Exists(target))
            {
                say?.Invoke($"{target} is there already");
                files.Add(new(file.Name, url, Linked.Length(target), null, null, true));
                continue;
            }
            var isPackage = url.Scheme == PackageFiles.Scheme;
            if (!isPackage)
                say?.Invoke($"downloading {url}");
            var published = file.Sha256 is { } sha
                ? new ExpectedHash("sha256", sha.ToLowerInvariant(), "published with the model")
                : null;
            var got = isPackage
                ? await packages.RunAsync(url, target, published, cancel).ConfigureAwait(false)
                : await download.RunAsync(url, target, published, progress, cancel).ConfigureAwait(false);
            var hash = got.Checked is { Algorithm: "sha256" } known ? known.Value : HashOf(target);
            RequireReadable(target, url);
            say?.Invoke(
                got.Checked is { } by
                    ? $"{target}: {got.Bytes:N0} bytes, {by.Algorithm} right ({by.From})"
                    : $"{target}: {got.Bytes:N0} bytes; neither its source nor the server states a hash to "
                        + "hold it against"
            );
            files.Add(
                new(
                    file.Name,
                    url,
                    got.Bytes,
                    hash,
                    got.Checked is { } right ? $"{right.Algorithm}, {right.From}" : null,
                    false
                )
            );
        }
        if (files.Exists(file => !file.WasThere))
            AtomicFile.WriteAllText(
                Path.Combine(place, SourceFile),
                JsonSerializer.Serialize(
                    new
                    {
                        model.Name,
                        model.Licence,
                        model.Source,
                        Files = files,
                    },
                    Json
                ) + "\n"
            );
        return new(model.Name, ModelCache.PathOf(model, place), model.Licence, files);
    }

    private static FolderLock Lock(string folder, string name) =>
        FolderLock.Take(
            folder,
            new()
            {
                File = LockFile,
                Stays = true,
                Taken = $"another process is downloading {name} just now",
                Remedy = "Wait until it is done",
            }
        );

    private static string HashOf(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    /// <summary>A page of words in place of a checkpoint must not stay under the checkpoint's name.</summary>
    private static void RequireReadable(string path, Uri url)
    {
        if (Path.GetExtension(path) is not (".npz" or ".safetensors" or ".pth" or ".bin" or ".tar"))
            return;
        try
        {
            using var checkpoint = Checkpoint.Open(path);
        }
        catch (LitException wrong)
        {
            File.Delete(path);
            throw new LitException(
                url.ToString(),
                $"what arrived is no checkpoint and was deleted ({wrong.Message.TrimEnd('.')})",
                "Try again, or another `Mirror`",
                wrong
            );
        }
    }
}

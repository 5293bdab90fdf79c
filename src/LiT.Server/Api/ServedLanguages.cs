using LiT.Bundles;
using LiT.Classification;

namespace LiT.Server.Api;

/// <summary>
/// The languages in which a model can be asked. Its own is there from the start; a text tower for another is opened
/// when somebody asks in it, and opened anew, or let go, when the bundle holds another one for it, or none.
/// </summary>
/// <param name="own">The model in its own language.</param>
/// <param name="settings">Where the bundle is, and how it is opened.</param>
/// <param name="measures">Are told.</param>
internal sealed class ServedLanguages(ServedModel own, ServerSettings settings, Measures measures) : IAsyncDisposable
{
    private readonly SemaphoreSlim opening = new(1);
    private readonly Dictionary<string, (DateTime Written, ServedModel Model)> open = [];

    /// <summary>All of them, the model's own first; null where it has its own alone.</summary>
    public IReadOnlyList<LanguageInfo>? Known()
    {
        var others = Others();
        if (others.Count == 0)
            return null;
        return
        [
            new(own.Model.Language, own.Background is not null),
            .. others.Select(code => new LanguageInfo(
                code,
                File.Exists(Path.Combine(FolderOf(code), Background.FileName))
            )),
        ];
    }

    /// <summary>Has something answered in a language; null is the model's own.</summary>
    /// <exception cref="RefusedException">The model has no text tower for it, or has none any more.</exception>
    public async Task<T> AskAsync<T>(string? language, Func<ServedModel, Task<T>> ask, CancellationToken cancel)
    {
        if (language is null || language.Equals(own.Model.Language, StringComparison.OrdinalIgnoreCase))
            return await ask(own).ConfigureAwait(false);
        var model = await HoldAsync(language, cancel).ConfigureAwait(false);
        try
        {
            return await ask(model).ConfigureAwait(false);
        }
        catch (Exception trouble) when (trouble is not OperationCanceledException && Find(language) is null)
        {
            throw NotThere(language); // its files went meanwhile
        }
        finally
        {
            await model.ReleaseAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var (_, model) in open.Values)
            await model.ReleaseAsync().ConfigureAwait(false);
        open.Clear();
        opening.Dispose();
    }

    private async Task<ServedModel> HoldAsync(string language, CancellationToken cancel)
    {
        await opening.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            var found = Find(language);
            var code = found?.Code ?? open.Keys.FirstOrDefault(one => IsSame(one, language));
            if (code is not null && open.TryGetValue(code, out var known))
            {
                if (known.Written == found?.Written)
                    return known.Model.Hold();
                open.Remove(code);
                await known.Model.ReleaseAsync().ConfigureAwait(false);
            }
            if (found is not { } there)
                throw NotThere(language);
            var model = await OpenAsync(there.Code, cancel).ConfigureAwait(false);
            open.Add(there.Code, (there.Written, model));
            return model.Hold();
        }
        finally
        {
            opening.Release();
        }
    }

    private async Task<ServedModel> OpenAsync(string code, CancellationToken cancel)
    {
        LitModel? model = null;
        try
        {
            model = await LitModel
                .LoadAsync(settings.Model, settings.Session with { Language = code }, cancel)
                .ConfigureAwait(false);
            _ = model.UnseenWords(""); // read now, while its file is there
            return new(model, settings, measures, own);
        }
        catch (Exception trouble)
        {
            model?.Dispose();
            if (trouble is not OperationCanceledException && Find(code) is null)
                throw NotThere(code);
            throw;
        }
    }

    /// <summary>
    /// The text side that speaks a language, as a code that it is opened by, and when it came; null where there is
    /// none.
    /// </summary>
    private (string Code, DateTime Written)? Find(string language)
    {
        if (!LanguageCode.Is(language) || Others().FirstOrDefault(one => IsSame(one, language)) is not { } code)
            return null;
        FileInfo description = new(Path.Combine(FolderOf(code), ModelDescription.FileName));
        return description.Exists ? (description.Directory!.Name, description.LastWriteTimeUtc) : null;
    }

    /// <summary>
    /// What the bundle holds besides its own. Whoever adds one, or replaces one, may be at it: nothing is mended here.
    /// </summary>
    private IReadOnlyList<string> Others()
    {
        try
        {
            return own.Model.Folder is { } bundle ? BundleLanguages.AsTheyAre(bundle) : [];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private string FolderOf(string code) => BundleLanguages.FolderOf(own.Model.Folder!, code);

    private RefusedException NotThere(string language)
    {
        string[] all = [.. new[] { own.Model.Language }.Concat(Others()).OfType<string>()];
        return RefusedException.TooMuch(
            "language",
            LanguageCode.Is(language)
                ? $"the model has no text tower for '{language}'"
                : "is no code of a language, such as de or pt-BR",
            all.Length == 0 ? "Leave it out" : $"Leave it out, or give one of {string.Join(", ", all)}"
        );
    }

    private static bool IsSame(string one, string other) => one.Equals(other, StringComparison.OrdinalIgnoreCase);
}

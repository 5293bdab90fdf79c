using System.CommandLine;
using System.Globalization;
using LiT.Evaluation;
using LiT.Stores;

namespace LiT.Cli.Commands;

/// <summary>lit teach: a word of one's own from a few pictures.</summary>
internal static class TeachCommand
{
    private const int NamedAtMost = 5;

    public static Command Build()
    {
        Option<string> model = new("--model")
        {
            Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
            Required = true,
        };
        Option<string?> word = new("--word")
        {
            Description = "The word, or the words: a label or a query that is exactly this is what the pictures show.",
        };
        Argument<string[]> pictures = new("pictures")
        {
            Description = "Five pictures or more, 5 to 50 being usual: files, folders, or keys of --data.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        Option<string?> data = new("--data")
        {
            Description =
                "A store of the model's tower: its pictures are what the word is told from, and may be named by key. "
                + "Default: the pictures of the model's calibration, or the store that it was tuned on.",
        };
        Option<bool> again = new("--again") { Description = "In the place of the same word, taught before." };
        Option<bool> list = new("--list") { Description = "List what the model was taught." };
        Option<string?> remove = new("--remove") { Description = "Take a taught word out of the model." };
        var language = LanguageOption.Build();
        Command command = new("teach", "Teach a model a new word from a few pictures, without tuning any tower.")
        {
            pictures,
            model,
            word,
            data,
            again,
            list,
            remove,
            language,
        };
        command.Validators.Add(result =>
        {
            bool Has(Symbol symbol) =>
                symbol is Option option
                    ? result.GetResult(option) is { Implicit: false }
                    : result.GetResult(pictures) is { Tokens.Count: > 0 };
            if (new Symbol[] { word, list, remove }.Count(Has) != 1)
                result.AddError("Give one of --word WORDS with pictures, --list, and --remove WORDS.");
            else if (!Has(word) && (Has(pictures) || Has(data) || Has(again)))
                result.AddError("Pictures, --data and --again belong to --word: leave them out.");
        });
        command.Does(
            async (parsed, cancel) =>
            {
                using var lit = await LitModel
                    .LoadAsync(
                        parsed.GetRequiredValue(model),
                        CommonOptions.SessionOf(parsed) with
                        {
                            Language = parsed.GetValue(language),
                        },
                        cancel
                    )
                    .ConfigureAwait(false);
                if (parsed.GetValue(list))
                    List(lit, CommonOptions.IsJson(parsed));
                else if (parsed.GetValue(remove) is { } gone)
                    Removed(await lit.ForgetAsync(gone, cancel).ConfigureAwait(false), CommonOptions.IsJson(parsed));
                else
                    Taught(
                        await TeachAsync(
                                lit,
                                parsed.GetValue(word)!,
                                parsed.GetValue(pictures) ?? [],
                                parsed.GetValue(data),
                                parsed.GetValue(again),
                                cancel
                            )
                            .ConfigureAwait(false),
                        CommonOptions.IsJson(parsed)
                    );
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static async Task<TaughtWord> TeachAsync(
        LitModel lit,
        string word,
        string[] pictures,
        string? data,
        bool again,
        CancellationToken cancel
    )
    {
        string[] files = [.. PictureFiles.Of(pictures, Terminal.Say)];
        if (data is null && !lit.IsCalibrated)
            data = TrainingStores.Of(lit, _ => { });
        if (data is null)
            return await lit.TeachAsync(word, files, again, cancel).ConfigureAwait(false);
        if (!EmbeddingStore.IsStore(data))
            throw new LitException(data, "is no embedding store", "Give a store that 'lit embed' wrote");
        await using var store = await PictureStore.OpenAsync(data, lit, cancel).ConfigureAwait(false);
        return await store.TeachAsync(word, files, again, cancel).ConfigureAwait(false);
    }

    private static void Taught(TaughtWord word, bool json)
    {
        if (word.Skipped.Count > 0)
            Terminal.Warn(
                $"{word.Skipped.Count} of {word.Pictures + word.Skipped.Count} pictures could not be read: "
                    + string.Join(
                        "; ",
                        word.Skipped.Take(NamedAtMost).Select(one => $"{one.Picture}: {one.Reason.TrimEnd('.')}")
                    )
                    + (word.Skipped.Count > NamedAtMost ? " …" : "")
            );
        if (json)
            Terminal.Write(word);
        else
            Terminal.Line(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"taught '{word.Word}' from {word.Pictures} pictures, told from {word.Others:N0} others"
                )
            );
    }

    private static void List(LitModel lit, bool json)
    {
        if (json)
            Terminal.Write(
                lit.TaughtWords.Select(one => new
                {
                    one.Word,
                    one.Pictures,
                    one.Others,
                })
            );
        else if (lit.TaughtWords.Count == 0)
            Terminal.Line("no word was taught");
        else
            Terminal.Table(
                ["word", "pictures", "told from"],
                lit.TaughtWords.Select(one =>
                    new[]
                    {
                        one.Word,
                        one.Pictures.ToString(CultureInfo.InvariantCulture),
                        one.Others.ToString("N0", CultureInfo.InvariantCulture),
                    }
                )
            );
    }

    private static void Removed(TaughtWord word, bool json)
    {
        if (json)
            Terminal.Write(new { Removed = word.Word, word.Pictures });
        else
            Terminal.Line($"removed '{word.Word}'");
    }
}

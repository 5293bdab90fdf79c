using System.CommandLine;

namespace LiT.Cli;

/// <summary>The options of 'lit embed' that make it embed captions.</summary>
internal sealed class TextEmbedOptions
{
    private readonly Option<bool> texts = new("--texts")
    {
        Description = "Embed the captions of --data with --text-tower, a row each, and no picture.",
    };
    private readonly Option<string?> tower = new("--text-tower")
    {
        Description =
            "With --texts: the locked text tower, a file, a sentence-transformers folder, a name of 'lit models list', "
            + "a run or a bundle.",
    };
    private readonly Option<string?> tokenizer = new("--tokenizer")
    {
        Description = "With --texts: the tower's vocabulary, where it does not stand beside it.",
    };
    private readonly Option<int?> tokenLength = new("--token-length")
    {
        Description = "With --texts: ids in a row of text. Default: what the tower was trained with.",
    };

    /// <param name="command">lit embed.</param>
    /// <param name="shared">Options that mean the same for texts; the others are for pictures.</param>
    /// <param name="image">The image tower, which pictures need.</param>
    public void AddTo(Command command, Option[] shared, Option image)
    {
        Option[] others = [.. command.Options.Except(shared)];
        foreach (Option option in new Option[] { texts, tower, tokenizer, tokenLength })
            command.Options.Add(option);
        Limits.Positive(tokenLength);
        command.Validators.Add(result =>
        {
            var ofTexts = result.GetValue(texts);
            if (ofTexts && result.GetResult(tower) is null)
                result.AddError("--texts needs a locked text tower. Name it with --text-tower.");
            if (!ofTexts && result.GetResult(image) is null)
                result.AddError(
                    "Option '--image-tower' is required. (Or embed captions with --texts and --text-tower.)"
                );
            foreach (var given in ofTexts ? others : [tower, tokenizer, tokenLength])
                if (result.GetResult(given) is { Implicit: false })
                {
                    result.AddError(
                        ofTexts
                            ? $"{given.Name} is for pictures, and --texts embeds captions. Leave it out."
                            : $"{given.Name} is for captions. Give it with --texts."
                    );
                    break;
                }
        });
    }

    /// <summary>What was asked of texts; null where pictures are embedded.</summary>
    public (string Tower, string? Tokenizer, int? Length)? Of(Asked parsed)
    {
        var (name, files, length) = (parsed.GetValue(tower), parsed.GetValue(tokenizer), parsed.GetValue(tokenLength));
        return parsed.GetValue(texts) ? (name!, files, length) : null;
    }
}

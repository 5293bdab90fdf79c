using System.ComponentModel;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace LiT.Server.Api;

/// <summary>What assistants may do over /mcp: look for pictures, and say what one shows.</summary>
[McpServerToolType]
internal sealed class LitTools(Searching searching, Classifying classifying, Problems problems)
{
    [McpServerTool(Name = "search", ReadOnly = true, Idempotent = true, OpenWorld = false, UseStructuredContent = true)]
    [Description(
        "Find pictures by what they show, or by pictures that they are like. Results come best first, with the "
            + "expected share that fits; nothingMatches says that none reaches what was asked for, unseenWords names "
            + "words that the model was never shown, so that what is found for them is a guess."
    )]
    public Task<SearchResponse> SearchAsync(
        [Description("What the pictures show, in words; several count together, '2:at night' counts twice.")]
            string[]? words = null,
        [Description("Keys of pictures, as a search gives them, that the found ones are to be like.")]
            string[]? like = null,
        [Description("Words of which pictures that match them are left out. Needs a calibrated model.")]
            string[]? without = null,
        [Description("Words whose direction is taken away.")] string[]? minus = null,
        [Description("A filter over the store's columns, such as: label = 'dog' and width >= 1024")]
            string? where = null,
        [Description("Pictures at most.")] int top = 10,
        [Description("Leave out pictures below this expected precision, such as 0.9. Needs a calibrated model.")]
            double? minPrecision = null,
        [Description("The store to ask; the first where left out.")] string? store = null,
        [Description("The language of the words, such as de, where the model speaks several; its own where left out.")]
            string? language = null,
        CancellationToken cancel = default
    ) =>
        SaidAsync(() =>
            searching.FindAsync(
                new()
                {
                    Store = store,
                    Language = language,
                    Words = words,
                    Like = like,
                    Without = without,
                    Minus = minus,
                    Where = where,
                    Top = top,
                    MinPrecision = minPrecision,
                },
                cancel
            )
        );

    [McpServerTool(
        Name = "classify",
        ReadOnly = true,
        Idempotent = true,
        OpenWorld = false,
        UseStructuredContent = true
    )]
    [Description(
        "Say which of some labels in words fits a picture best, with probabilities; unseenWords names words of the "
            + "best label that the model was never shown, so that it is a guess."
    )]
    public Task<ClassifyResponse> ClassifyAsync(
        [Description("The labels to choose from.")] string[] labels,
        [Description("The key of a picture in the store, as a search gives it.")] string? key = null,
        [Description("The bytes of a picture's file in base64, where it is none of the store.")] string? image = null,
        [Description("The store of the key; the first where left out.")] string? store = null,
        [Description("The language of the labels, such as de; the model's own where left out.")]
            string? language = null,
        CancellationToken cancel = default
    ) =>
        SaidAsync(() =>
            classifying.ClassifyAsync(
                new()
                {
                    Labels = labels,
                    Key = key,
                    Image = image,
                    Store = store,
                    Language = language,
                },
                cancel
            )
        );

    /// <summary>What cannot be answered is said to the assistant, who may ask otherwise.</summary>
    private async Task<T> SaidAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (LitException trouble)
        {
            throw new McpException(problems.InWords(trouble));
        }
    }
}

using System.Buffers;
using System.Text;

namespace LiT.Text.HuggingFace;

/// <summary>A token beside the model's own, recognised in the text before the model sees it.</summary>
internal sealed record AddedToken(string Content, int Id)
{
    internal bool SingleWord { get; init; }
    internal bool StripLeft { get; init; }
    internal bool StripRight { get; init; }
    internal bool Normalized { get; init; }
}

/// <summary>
/// Cuts added tokens out of a text: leftmost first, of those that begin at one place the longest
/// (huggingface/tokenizers, src/tokenizer/added_vocabulary.rs).
/// </summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<string, AddedToken> tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, AddedToken>.AlternateLookup<ReadOnlySpan<char>> bySpan;
    private readonly ILookup<char, int> lengths;

    /// <param name="tokens">The tokens and the texts by which they are found.</param>
    internal AddedTokens(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        foreach (var (text, token) in tokens)
            if (text.Length > 0)
                this.tokens[text] = token;
        bySpan = this.tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        lengths = this
            .tokens.Keys.GroupBy(text => (text[0], text.Length))
            .Select(group => group.Key)
            .OrderByDescending(key => key.Length)
            .ToLookup(key => key.Item1, key => key.Length);
    }

    /// <summary>The part's stretches, those that are tokens with their ids.</summary>
    internal IEnumerable<TextPart> Cut(TextPart part)
    {
        if (part.Id is not null || tokens.Count == 0)
            return [part];
        var text = part.Text;
        var (cut, last) = (new List<TextPart>(), 0);
        for (var at = 0; at < text.Length; )
        {
            if (Longest(text, at) is not { } found)
            {
                at++;
                continue;
            }
            var (token, start, end) = (found.Token, at, at + found.Length);
            at = end;
            if (token.SingleWord && (EndsWithWord(text, start) || BeginsWithWord(text, end)))
                continue;
            if (token.StripLeft)
                while (start > last && char.IsWhiteSpace(text[start - 1]))
                    start--;
            if (token.StripRight)
                while (end < text.Length && char.IsWhiteSpace(text[end]))
                    end++;
            if (last < start)
                cut.Add(part.Slice(last, start - last));
            cut.Add(part.Slice(start, end - start) with { Id = token.Id });
            last = end;
        }
        if (last == 0)
            return [part];
        if (last < text.Length)
            cut.Add(part.Slice(last, text.Length - last));
        return cut;
    }

    private (AddedToken Token, int Length)? Longest(string text, int at)
    {
        foreach (var length in lengths[text[at]])
            if (length <= text.Length - at && bySpan.TryGetValue(text.AsSpan(at, length), out var token))
                return (token, length);
        return null;
    }

    private static bool EndsWithWord(string text, int end) =>
        Rune.DecodeLastFromUtf16(text.AsSpan(0, end), out var last, out _) == OperationStatus.Done
        && RustCharacters.IsWord(last.Value);

    private static bool BeginsWithWord(string text, int start) =>
        Rune.DecodeFromUtf16(text.AsSpan(start), out var first, out _) == OperationStatus.Done
        && RustCharacters.IsWord(first.Value);
}

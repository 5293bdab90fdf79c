namespace LiT.Text.HuggingFace;

/// <summary>
/// The ids that a <c>tokenizer.json</c> puts before and after a single text (huggingface/tokenizers, src/processors).
/// </summary>
internal sealed record PostProcessing(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    private const string Known = "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing";

    private static readonly PostProcessing Nothing = new([], []);

    internal static PostProcessing Of(JsonPart? part) =>
        part is not { } present
            ? Nothing
            : present.Type switch
            {
                "ByteLevel" => Nothing,
                "BertProcessing" or "RobertaProcessing" => new(
                    [PairId(present.Member("cls"))],
                    [PairId(present.Member("sep"))]
                ),
                "TemplateProcessing" => Template(present),
                "Sequence" => present
                    .Member("processors")
                    .Items()
                    .Select(step => Of(step))
                    .Aggregate(Nothing, (inner, outer) =>
                        new([.. outer.Before, .. inner.Before], [.. inner.After, .. outer.After])
                    ),
                var other => throw present.Unsupported($"the post-processor {other}", Known),
            };

    private static int PairId(JsonPart part) =>
        part.Items().ToList() is [_, var id] ? id.Id : throw part.Wrong("a piece and its id");

    private static PostProcessing Template(JsonPart part)
    {
        var specials = part.Member("special_tokens");
        List<int> before = [],
            after = [];
        var seenText = false;
        foreach (var step in part.Member("single").Items())
        {
            if (step.Optional("Sequence") is not null)
            {
                if (seenText)
                    throw step.Unsupported("a template that has the text twice", "templates with one");
                seenText = true;
                continue;
            }
            var name = step.Member("SpecialToken").Member("id").Text;
            (seenText ? after : before).AddRange(specials.Member(name).Member("ids").Items().Select(id => id.Id));
        }
        if (!seenText)
            throw part.Member("single").Unsupported("a template without the text", "templates with one");
        return new(before, after);
    }
}

namespace LiT.Onnx;

/// <summary>The inputs of a text network: told by their names, as exporters call them, or named by the user.</summary>
/// <param name="Ids">Takes the ids, [B, L].</param>
/// <param name="Mask">Takes 1 where a token is and 0 at padding, [B, L].</param>
/// <param name="Types">Takes of which text a token is, [B, L].</param>
/// <param name="Positions">Takes where a token stands, [B, L].</param>
internal sealed record OnnxTextInputs(OnnxValue Ids, OnnxValue? Mask, OnnxValue? Types, OnnxValue? Positions)
{
    private static readonly string[] IdsNames = ["input_ids", "token_ids", "tokens", "ids", "input_word_ids"],
        MaskNames = ["attention_mask", "input_mask", "mask"],
        TypesNames = ["token_type_ids", "segment_ids", "input_type_ids"],
        PositionsNames = ["position_ids", "positions"];

    /// <summary>How many texts go in at once; 0 for any number.</summary>
    public int Batch => Side(0);

    /// <summary>Ids in a row; null for any number.</summary>
    public int? Length => Side(1) is > 0 and var length ? length : null;

    /// <summary>Whether a network has an input that could take ids, and none that takes pictures.</summary>
    public static bool IsFor(OnnxFile file) => file.Inputs.Any(IsForIds) && !file.Inputs.Any(NoTower.IsForPictures);

    /// <exception cref="LitException">It takes no ids, or something besides that is not known.</exception>
    public static OnnxTextInputs Of(OnnxFile file, OnnxTextOptions options)
    {
        var left = file.Inputs.ToList();
        // What the user named first, so that a name of the usual ones is free for another role.
        var (ids, mask, types, positions) = (
            Named(file, left, options.Input),
            Named(file, left, options.Mask),
            Named(file, left, options.Types),
            Named(file, left, options.Positions)
        );
        ids ??= Known(left, IdsNames);
        mask ??= Known(left, MaskNames);
        types ??= Known(left, TypesNames);
        positions ??= Known(left, PositionsNames);
        if (ids is null && left.Where(IsForIds).ToList() is [var only])
            left.Remove(ids = only);
        if (ids is null)
            throw NotForTexts(file);
        foreach (var value in new[] { ids, types, positions })
            if (value is not null && !IsForIds(value))
                throw Wrong(file, value, "whole numbers, which are two-sided and of int64 or int32");
        if (mask is not null && !(IsTwoSided(mask) && OnnxTypes.IsForMasks(mask.Type)))
            throw Wrong(file, mask, "a mask, which is two-sided and of int64, int32, float32 or bool");
        return left.Count == 0
            ? new(ids, mask, types, positions)
            : throw new LitException(
                file.Path,
                $"takes {NoTower.Listed(left)} beside the ids ({ids})",
                "Say what they are behind its path (mask=, types=, positions=), or export the text tower alone"
            );
    }

    /// <summary>Rows of the table that the ids are looked up in; null where the graph does not show it.</summary>
    public int? VocabularyOf(OnnxFile file)
    {
        HashSet<string> same = [Ids.Name];
        foreach (var node in file.Nodes)
            if (node.Inputs is [var one, ..] && same.Contains(one) && node.Type is "Cast" or "Identity" or "Reshape")
                same.UnionWith(node.Outputs);
            else if (node is { Type: "Gather", Inputs: [var table, var at] } && same.Contains(at))
                return
                    file.Constants.FirstOrDefault(constant => constant.Name == table)
                        is { Shape: [> 0 and <= int.MaxValue and var rows, ..] }
                    ? (int)rows
                    : null;
        return null;
    }

    /// <summary>The value that is the representation, or of which one is pooled.</summary>
    /// <exception cref="LitException">It is not there, or there are several.</exception>
    public OnnxValue OutputOf(OnnxFile file, string? named)
    {
        if (named is not null)
            return NoTower.ValueOf(file, named);
        if (file.Outputs is [var only])
            return only;
        // As exporters call them: the representation itself, or what the library pools. CLIP's and SigLIP's exports
        // take no mask, and their pooler's output is the state that the model was trained on; BERT's pooler was not.
        string[] usual = Mask is null
            ? ["sentence_embedding", "text_embeds", "pooler_output", "last_hidden_state", "token_embeddings"]
            : ["sentence_embedding", "text_embeds", "last_hidden_state", "token_embeddings"];
        return usual
            .Select(name => file.Outputs.FirstOrDefault(output => output.Name == name))
            .FirstOrDefault(output => output is not null)
            ?? throw NoTower.NoOutput(file);
    }

    private int Side(int side) =>
        new[] { Ids, Mask, Types, Positions }
            .Select(input => input?.Shape?[side] is > 0 and <= int.MaxValue and var set ? (int)set : 0)
            .FirstOrDefault(set => set > 0);

    private static bool IsForIds(OnnxValue input) =>
        input.Type is OnnxTypes.Int64 or OnnxTypes.Int32 && IsTwoSided(input);

    private static bool IsTwoSided(OnnxValue input) => input.Shape is null or { Count: 2 };

    // The input of that name, which is then not left for another role.
    private static OnnxValue? Named(OnnxFile file, List<OnnxValue> left, string? name)
    {
        if (name is null)
            return null;
        var found = left.Find(input => input.Name == name)
            ?? throw new LitException(
                file.Path,
                $"has no input '{name}'",
                $"Its inputs are {NoTower.Listed(file.Inputs)}"
            );
        left.Remove(found);
        return found;
    }

    private static OnnxValue? Known(List<OnnxValue> left, string[] names)
    {
        var found = names.Select(name => left.Find(input => input.Name == name)).FirstOrDefault(one => one is not null);
        if (found is not null)
            left.Remove(found);
        return found;
    }

    private static LitException Wrong(OnnxFile file, OnnxValue value, string wanted) =>
        new(
            file.Path,
            $"its input {value} of {OnnxTypes.Name(value.Type) ?? "another type"} does not take {wanted}",
            $"Its inputs are {NoTower.Listed(file.Inputs)}"
        );

    private static LitException NotForTexts(OnnxFile file)
    {
        if (file.Inputs.Any(NoTower.IsForPictures))
            return new(
                file.Path,
                $"is an image model: it takes {NoTower.Listed(file.Inputs)}",
                "Give a network that takes ids of texts; this one can be the locked image tower: give it as "
                    + "`ImageTower`"
            );
        var several = file.Inputs.Where(IsForIds).ToList();
        return several.Count > 1
            ? new(
                file.Path,
                $"has {several.Count} inputs that could take the ids of texts: {NoTower.Listed(several)}",
                $"Name one, as in {Path.GetFileName(file.Path)}:input={several[0].Name}"
            )
            : new(
                file.Path,
                file.Inputs.Count == 0
                    ? "has no input"
                    : $"takes no ids of texts, which are two-sided and of int64 or int32: its inputs are "
                        + NoTower.Listed(file.Inputs),
                "Give a network that takes [batch, ids]; strings are made ids by the tokenizer here"
            );
    }
}

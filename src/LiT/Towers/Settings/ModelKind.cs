using LiT.Files;

namespace LiT.Towers.Settings;

/// <summary>
/// Which model a config.json says its weights are: model_type, else the class in architectures. Several models share
/// the names of their tensors and compute something else with them, so this is asked before names are looked at.
/// </summary>
internal static class ModelKind
{
    public const string Roberta = "roberta",
        Bert = "bert",
        T5 = "t5",
        MPNet = "mpnet",
        ViT = "vit",
        Clip = "clip",
        Siglip = "siglip",
        Dinov2 = "dinov2",
        Dinov3 = "dinov3_vit";

    // What computes the same from weights of the same names. ELECTRA's discriminator is a BERT.
    private static readonly Dictionary<string, string> Same = new(StringComparer.Ordinal)
    {
        ["bert"] = Bert,
        ["electra"] = Bert,
        ["roberta"] = Roberta,
        ["xlm-roberta"] = Roberta,
        ["camembert"] = Roberta,
        ["mpnet"] = MPNet,
        ["t5"] = T5,
        ["mt5"] = T5,
        ["vit"] = ViT,
        ["vit_msn"] = ViT,
        ["dinov3_vit"] = Dinov3,
        ["clip"] = Clip,
        ["clip_vision_model"] = Clip,
        ["clip_text_model"] = Clip,
        ["siglip"] = Siglip,
        ["siglip_vision_model"] = Siglip,
        ["siglip_text_model"] = Siglip,
        ["dinov2"] = Dinov2,
        ["dinov2_with_registers"] = Dinov2,
    };

    // The first words of the library's classes: BertModel, BertForMaskedLM.
    private static readonly Dictionary<string, string> Classes = new(StringComparer.Ordinal)
    {
        ["Bert"] = Bert,
        ["Electra"] = Bert,
        ["Roberta"] = Roberta,
        ["XLMRoberta"] = Roberta,
        ["Camembert"] = Roberta,
        ["MPNet"] = MPNet,
        ["T5"] = T5,
        ["T5Encoder"] = T5,
        ["T5With"] = T5,
        ["MT5"] = T5,
        ["MT5Encoder"] = T5,
        ["ViT"] = ViT,
        ["ViTMSN"] = ViT,
        ["DINOv3ViT"] = Dinov3,
        ["CLIP"] = Clip,
        ["CLIPVision"] = Clip,
        ["CLIPText"] = Clip,
        ["Siglip"] = Siglip,
        ["SiglipVision"] = Siglip,
        ["SiglipText"] = Siglip,
        ["Dinov2"] = Dinov2,
        ["Dinov2WithRegisters"] = Dinov2,
    };

    private static readonly string[] Suffixes = ["For", "Model", "LMHead", "Backbone", "PreTrained"];

    /// <summary>
    /// What the file says: one of the kinds above, another model's own name, or null where it says nothing.
    /// </summary>
    /// <exception cref="LitException">model_type and architectures are of two kinds.</exception>
    public static string? Of(SettingsFile said)
    {
        var type = said.Word("model_type");
        var classes = said.Words("architectures");
        var byType = type is null ? null : Same.GetValueOrDefault(type, type);
        foreach (var name in classes)
        {
            var byClass = Classes.GetValueOrDefault(Stem(name));
            if (byType is null)
                return byClass ?? name;
            if (byClass is not null && byClass != byType)
                throw new LitException(
                    $"{said.Name} beside {said.Beside}: model_type is {type} and architectures "
                        + $"{name}, two different models. Give the file as it was published."
                );
        }
        return byType;
    }

    /// <summary>
    /// The settings where they are of one of the kinds that a reader knows, or say no kind; refused where they are of
    /// another kind, since the same names of tensors would then be computed with wrongly.
    /// </summary>
    /// <param name="said">What stands beside the weights.</param>
    /// <param name="looksLike">What the weights' names look like.</param>
    /// <param name="known">The kinds that are read from such names.</param>
    public static string? Expect(SettingsFile said, string looksLike, params ReadOnlySpan<string> known)
    {
        if (Of(said) is not { } kind)
            return null;
        foreach (var one in known)
            if (kind == one)
                return kind;
        var word = said.Word("model_type") ?? said.Words("architectures")[0];
        throw new LitException(
            $"{said.Name} beside {said.Beside}: says that the model is {word}. The weights have the "
                + $"names of {looksLike}, but {word} computes something else from them, which is not built "
                + $"here. Give a {string.Join(" or ", known.ToArray())}, or, where the two files do not "
                + "belong together, put the weights into a folder of their own."
        );
    }

    private static string Stem(string name)
    {
        foreach (var suffix in Suffixes)
            if (name.IndexOf(suffix, StringComparison.Ordinal) is > 0 and var at)
                name = name[..at];
        return name;
    }
}

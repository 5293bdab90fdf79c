using LiT.Checkpoints;
using LiT.Towers.Settings;

namespace LiT.Towers;

/// <summary>
/// What people have at hand and take for a tower that is read here: said by name, before anything general is.
/// </summary>
internal static class OtherModels
{
    private static readonly (string Name, string What)[] Known =
    [
        ("visual.class_embedding", "a CLIP model (OpenAI)"),
        ("visual.trunk.", "a CLIP model (open_clip)"),
        ("vision_model.embeddings.", "the image side of a CLIP or SigLIP (Hugging Face)"),
        ("text_model.embeddings.", "the text side of a CLIP or SigLIP (Hugging Face)"),
        ("q_lin.weight", "a DistilBERT (Hugging Face)"),
        ("albert_layer_groups.", "an ALBERT (Hugging Face)"),
        ("encoder.rel_embeddings.", "a DeBERTa (Hugging Face)"),
        ("Wqkv.", "a ModernBERT or Nomic BERT"),
        ("attn.c_attn.", "a GPT-2"),
        ("self_attn.q_proj.", "a decoder such as Llama, Qwen or Gemma, or a BART"),
        ("relative_position_bias_table", "a Swin transformer or a BEiT"),
        ("downsample_layers.", "a ConvNeXt"),
        ("stages.0.downsample.", "a ConvNeXt of timm or Hugging Face"),
        ("fc_norm.", "a ViT of timm that averages its patches before its last norm"),
        ("reg_token", "a ViT of timm with register tokens"),
        ("stem.conv.", "a network of timm in names that are not read"),
        ("embeddings.register_tokens", "a DINOv2 or DINOv3 whose blocks are not there"),
    ];

    // Said where an image tower is asked for; where a text tower is, what such a file lacks tells more.
    private static readonly (string Name, string What)[] NotForPictures =
    [
        ("BertEncoder_0/embedder/", "a BERT text tower (flaxformer)"),
        ("embeddings.word_embeddings.", "a BERT text tower (Hugging Face)"),
        ("Embed_0/embedding", "a text transformer (big_vision)"),
        (".SelfAttention.q.", "a T5 text tower"),
        ("attention.output.dense.", "a transformer in Hugging Face's names"),
        ("bn1.running_mean", "a convolutional network, but no ResNet in torchvision's names"),
    ];

    /// <summary>What the names of a file's tensors look like, or null.</summary>
    public static string? Like(Checkpoint checkpoint, bool forPictures) =>
        Known
            .Concat(forPictures ? NotForPictures : [])
            .FirstOrDefault(other =>
                checkpoint.Tensors.Keys.Any(name => name.Contains(other.Name, StringComparison.Ordinal))
            )
            .What;

    /// <summary>
    /// A sentence on what the file is by the config.json beside it and by its names, with a blank behind; nothing where
    /// neither says anything.
    /// </summary>
    public static string Named(Checkpoint checkpoint, bool forPictures)
    {
        var said = HuggingFaceConfig.Beside(checkpoint.Path);
        var config = HuggingFaceConfig.Names(said)
            ? $"The {said.Name} beside it says {HuggingFaceConfig.Word(said)}. "
            : "";
        return config + (Like(checkpoint, forPictures) is { } like ? $"It looks like {like}. " : "");
    }
}

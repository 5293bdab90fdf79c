using LiT.Checkpoints;

namespace LiT.Towers;

/// <summary>
/// Which family's names a file has most of, for files that are of no family: one that lacks a tensor that all of the
/// family have.
/// </summary>
internal static class Likeness
{
    // The names that each family's reader looks for first; a file without them is not taken for the family.
    private static readonly (WeightMap Names, string[] Landmarks)[] Families =
    [
        (VisionTransformer.Flax, ["embedding/kernel", "Transformer/encoder_norm/scale"]),
        (BigTransfer.BigVision, ["root_block/conv_root/kernel", "norm-pre-head/scale"]),
        (BigTransfer.Legacy, ["resnet/group_norm/gamma"]),
        (GroupNormResNet.BigVision, ["conv_root/kernel", "gn_root/scale"]),
        (MlpMixer.Flax, ["pre_head_layer_norm/scale", "stem/kernel"]),
        (MlpMixer.OldNames, ["Mixer/encoder_norm/scale", "embedding/kernel"]),
        (DinoViT.Torch, ["patch_embed.proj.weight", "cls_token", "pos_embed", "norm.weight"]),
        (DinoViT.Third(gated: true), ["embeddings.cls_token", "embeddings.patch_embeddings.weight"]),
        (
            HuggingFaceViT.Names,
            ["embeddings.cls_token", "embeddings.patch_embeddings.projection.weight", "layernorm.weight"]
        ),
        (ResNet.Torchvision, ["conv1.weight", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight"]),
        (TextTransformer.BigVision, ["Embed_0/embedding", "pos_embedding"]),
        (Bert.Flaxformer, ["BertEncoder_0/embedder/embedders_token_ids/embedding"]),
        (
            Bert.HuggingFace(pooler: true),
            ["embeddings.word_embeddings.weight", "embeddings.token_type_embeddings.weight"]
        ),
        (Bert.MPNet(pooler: true), ["embeddings.word_embeddings.weight", "encoder.relative_attention_bias.weight"]),
        (T5Encoder.HuggingFace(gated: false), ["shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight"]),
        (T5Encoder.HuggingFace(gated: true), ["shared.weight", "encoder.block.0.layer.0.SelfAttention.q.weight"]),
    ];

    /// <summary>
    /// A sentence about the family that a file's names are most like, and what it lacks to be one of it; null where
    /// they are like none.
    /// </summary>
    public static string? Of(Checkpoint checkpoint)
    {
        var names = checkpoint.Tensors.Keys.Take(2000).ToList();
        var (known, family) = Families
            .Select(family => (Known: names.Count(family.Names.Knows), family))
            .MaxBy(entry => entry.Known);
        if (known < Math.Max(3, names.Count / 4))
            return null;
        var lacking = family
            .Landmarks.Where(landmark => !names.Exists(name => name.EndsWith(landmark, StringComparison.Ordinal)))
            .ToList();
        var strange = names.Where(name => !family.Names.Knows(name)).Take(4).ToList();
        return $"It looks like {family.Names.Family}: {known} of its {names.Count} names are of that family"
            + (lacking.Count > 0 ? $", but it lacks {string.Join(", ", lacking)}" : "")
            + (strange.Count > 0 ? $"; not of it are {string.Join(", ", strange)}" : "")
            + ".";
    }
}

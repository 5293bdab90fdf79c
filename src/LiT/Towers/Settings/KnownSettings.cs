using LiT.Files;

namespace LiT.Towers.Settings;

/// <summary>
/// What settings files of others hold that changes nothing here, key by key with the reason. A key that is in no list
/// and that no reader asks for is told by name.
/// </summary>
internal static class KnownSettings
{
    private const string Training = "only training in the original library uses it",
        Origin = "says where the file comes from or which library wrote it",
        Heads = "belongs to heads and labels, which are no part of the representation",
        Outputs = "decides what is returned beside the representation",
        Generation = "only a decoder that writes text uses it",
        Speed = "changes how the same numbers are computed",
        Ids = "the tokenizer's own file says which ids these are",
        Other = "belongs to another task than representations";

    /// <summary>config.json of Hugging Face transformers, beside every kind of tower.</summary>
    public static SettingsWithoutEffect Transformers { get; } =
        new()
        {
            {
                Training,
                "attention_probs_dropout_prob",
                "hidden_dropout_prob",
                "classifier_dropout",
                "dropout_rate",
                "drop_path_rate",
                "initializer_range",
                "initializer_factor",
                "gradient_checkpointing",
                "layerscale_value",
                "attention_dropout",
                "dropout",
                "pos_embed_shift",
                "pos_embed_jitter",
                "pos_embed_rescale",
                "use_mask_token",
                "mask_time_prob"
            },
            {
                Origin,
                "_name_or_path",
                "name_or_path",
                "transformers_version",
                "_commit_hash",
                "model_name",
                "language",
                "license",
                "tags",
                "sentence_transformers",
                "adapters"
            },
            {
                Heads,
                "id2label",
                "label2id",
                "num_labels",
                "_num_labels",
                "problem_type",
                "finetuning_task",
                "summary_activation",
                "summary_last_dropout",
                "summary_type",
                "summary_use_proj",
                "summary_first_dropout",
                "pooler_fc_size",
                "pooler_num_attention_heads",
                "pooler_num_fc_layers",
                "pooler_size_per_head",
                "pooler_type",
                "directionality",
                "encoder_stride",
                "tie_word_embeddings",
                "tie_encoder_decoder",
                "tie_weights",
                "tie_weights_",
                "scale_decoder_outputs"
            },
            {
                Outputs,
                "output_attentions",
                "output_hidden_states",
                "output_past",
                "return_dict",
                "use_return_dict",
                "torchscript",
                "apply_layernorm",
                "reshape_hidden_states",
                "out_features",
                "out_indices",
                "stage_names"
            },
            {
                Generation,
                "use_cache",
                "max_length",
                "min_length",
                "do_sample",
                "early_stopping",
                "num_beams",
                "num_beam_groups",
                "diversity_penalty",
                "temperature",
                "top_k",
                "top_p",
                "typical_p",
                "repetition_penalty",
                "length_penalty",
                "no_repeat_ngram_size",
                "encoder_no_repeat_ngram_size",
                "bad_words_ids",
                "num_return_sequences",
                "output_scores",
                "return_dict_in_generate",
                "forced_bos_token_id",
                "forced_eos_token_id",
                "remove_invalid_values",
                "exponential_decay_length_penalty",
                "suppress_tokens",
                "begin_suppress_tokens",
                "decoder_start_token_id",
                "num_decoder_layers",
                "task_specific_params",
                "prefix",
                "cross_attention_hidden_size"
            },
            {
                Speed,
                "torch_dtype",
                "dtype",
                "use_bfloat16",
                "chunk_size_feed_forward",
                "_attn_implementation",
                "_attn_implementation_autoset",
                "attn_implementation",
                "attn_implementation_internal",
                "model_parallel",
                "tf_legacy_loss",
                "head_type"
            },
            { Ids, "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "unk_token_id" },
            { "T5 has no table of positions; any length is read", "n_positions" },
        };

    /// <summary>preprocessor_config.json.</summary>
    public static SettingsWithoutEffect Processor { get; } =
        new()
        {
            { Origin, "processor_class", "_processor_class", "transformers_version", "name_or_path" },
            { "every picture is made RGB", "do_convert_rgb", "input_data_format", "data_format" },
            { Speed, "device", "return_tensors", "disable_grouping", "default_to_square" },
            { "keys that the library checks for by name", "_valid_processor_keys", "model_input_names" },
            { "pictures come one by one here, and are not padded to each other", "size_divisor" },
        };

    /// <summary>config.json of timm, and the pretrained_cfg in it.</summary>
    public static SettingsWithoutEffect Timm { get; } =
        new()
        {
            {
                Origin,
                "tag",
                "url",
                "file",
                "hf_hub_id",
                "hf_hub_filename",
                "source",
                "architecture",
                "origin_url",
                "paper_name",
                "paper_ids",
                "license",
                "custom_load",
                "hash",
                "state_dict",
                "pretrained_tag",
                "notes"
            },
            {
                Heads,
                "num_classes",
                "label_offset",
                "label_names",
                "label_descriptions",
                "labels",
                "classifier",
                "num_features",
                "head_hidden_size"
            },
            { "the weights' names and shapes say it", "first_conv", "pool_size", "min_input_size", "fixed_input_size" },
            { "timm evaluates at input_size unless it is asked for this", "test_input_size", "test_crop_pct" },
        };

    /// <summary>The files of sentence-transformers.</summary>
    public static SettingsWithoutEffect Sentences { get; } =
        new()
        {
            { "embeddings are compared by their cosine here", "similarity_fn_name", "score_functions" },
            { Speed, "model_args", "tokenizer_args", "config_args", "unpad_inputs" },
            { Origin, "transformer_task", "modality_config", "module_output_name", "message_format", "__version__" },
        };
}

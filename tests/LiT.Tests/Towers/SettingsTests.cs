using System.Text.Json.Nodes;
using LiT.Images;
using LiT.Tests.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

/// <summary>
/// Settings that stand beside weights: each key is followed, known to be without effect, or told by name; model_type
/// and architectures decide the family before the tensors' names do.
/// </summary>
public sealed class SettingsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private string Put(string fixture, string file, params (string Key, JsonNode? Value)[] changes)
    {
        var from = TokenizerFixture.Reference(fixture);
        File.Copy(Path.Combine(from, file), folder["model.safetensors"], overwrite: true);
        if (!File.Exists(Path.Combine(from, "config.json")))
            return folder["model.safetensors"];
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(from, "config.json")))!.AsObject();
        foreach (var (key, value) in changes)
            config[key] = value;
        Write("config.json", config.ToJsonString());
        return folder["model.safetensors"];
    }

    private void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder[name])!);
        File.WriteAllText(folder[name], content);
    }

    private string Refused(Action load) => Assert.Throws<LitException>(load).Message;

    [Theory]
    [InlineData("roberta", "RoBERTa (Hugging Face)")]
    [InlineData("xlm-roberta", "RoBERTa (Hugging Face)")]
    [InlineData("bert", "BERT (Hugging Face)")]
    [InlineData("electra", "BERT (Hugging Face)")]
    public void The_model_type_decides_between_models_of_one_naming(string type, string family)
    {
        using var loaded = TextTowerLoader.Load(Put("roberta_hf", "roberta_plain.safetensors", ("model_type", type)));
        Assert.Equal(family, loaded.Family);
        var config = Assert.IsType<BertConfig>(loaded.Tower.Config);
        Assert.Equal(family.StartsWith('R') ? (2, 22) : (0, 24), (config.FirstPosition, config.MaxLength));
        Assert.Empty(loaded.Warnings);
    }

    [Theory]
    [InlineData("data2vec-text")]
    [InlineData("roberta-prelayernorm")]
    [InlineData("ernie")]
    public void Another_model_in_BERTs_names_is_refused_by_its_name(string type) =>
        Assert.Contains(
            $"says that the model is {type}.",
            Refused(() =>
                TextTowerLoader.Load(
                    Put("bert_hf", "bert_plain.safetensors", ("model_type", type), ("architectures", null))
                )
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void Architectures_decide_where_there_is_no_model_type_and_must_not_contradict_one()
    {
        var path = Put(
            "roberta_hf",
            "roberta_plain.safetensors",
            ("model_type", null),
            ("architectures", new JsonArray("XLMRobertaForMaskedLM"))
        );
        using (var loaded = TextTowerLoader.Load(path))
            Assert.Equal("RoBERTa (Hugging Face)", loaded.Family);
        Put(
            "roberta_hf",
            "roberta_plain.safetensors",
            ("model_type", "bert"),
            ("architectures", new JsonArray("RobertaModel"))
        );
        Assert.Contains("two different models", Refused(() => TextTowerLoader.Load(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_config_json_one_segment_row_is_RoBERTas_and_that_is_told()
    {
        File.Copy(
            Path.Combine(TokenizerFixture.Reference("roberta_hf"), "roberta_plain.safetensors"),
            folder["model.safetensors"]
        );
        using var loaded = TextTowerLoader.Load(folder["model.safetensors"] + ":heads=3");
        Assert.Equal(2, Assert.IsType<BertConfig>(loaded.Tower.Config).FirstPosition);
        Assert.Contains("taken for a RoBERTa", Assert.Single(loaded.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_RoBERTa_never_reads_the_rows_before_its_first_position()
    {
        using var scope = NewDisposeScope();
        var path = Put("roberta_hf", "roberta_plain.safetensors");
        using var loaded = TextTowerLoader.Load(path);
        var ids = tensor(
            new long[,]
            {
                { 0, 5, 6, 7, 1, 1 },
                { 0, 9, 1, 1, 1, 1 },
            }
        );
        var before = loaded.Tower.call(ids);
        using (no_grad())
            loaded.Tower.get_parameter("positions.weight")![..2].fill_(1e3f);
        Assert.True(loaded.Tower.call(ids).equal(before).all().item<bool>());
    }

    [Fact]
    public void A_saved_RoBERTa_keeps_its_positions()
    {
        using var scope = NewDisposeScope();
        using var loaded = TextTowerLoader.Load(Put("roberta_hf", "roberta_plain.safetensors"));
        TextTowerFile.Save(folder["own.safetensors"], loaded.Tower);
        using var again = TextTowerLoader.Load(folder["own.safetensors"]);
        Assert.Equal(loaded.Tower.Config, again.Tower.Config);
        Assert.Empty(again.Warnings); // its file says everything; config.json beside it is not its own
        var ids = tensor(
            new long[,]
            {
                { 0, 5, 6, 7, 1, 1 },
            }
        );
        Assert.True(again.Tower.call(ids).equal(loaded.Tower.call(ids)).all().item<bool>());
    }

    [Theory]
    [InlineData("hidden_size", 64, "hidden_size is 64, and the weights have")]
    [InlineData("num_hidden_layers", 7, "num_hidden_layers is 7, and the weights have")]
    [InlineData("intermediate_size", 7, "intermediate_size is 7, and the weights have")]
    [InlineData("vocab_size", 30522, "vocab_size is 30522, and the weights have")]
    [InlineData("max_position_embeddings", 514, "max_position_embeddings is 514, and the weights have")]
    [InlineData("type_vocab_size", 9, "type_vocab_size is 9, and the weights have")]
    public void Sizes_that_the_weights_do_not_have_are_refused(string key, int value, string message) =>
        Assert.Contains(
            message,
            Refused(() => TextTowerLoader.Load(Put("bert_hf", "bert_plain.safetensors", (key, value)))),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("hf_vit")]
    [InlineData("dinov2_hf")]
    public void Heads_that_cannot_be_are_blamed_on_the_file_that_says_them(string fixture)
    {
        var said = Refused(() => ImageTowerLoader.Load(Put(fixture, "model.safetensors", ("num_attention_heads", 11))));
        Assert.StartsWith("config.json beside ", said, StringComparison.Ordinal);
        Assert.Contains("num_attention_heads is 11 where a divisor of the width, ", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Put its config.json beside it", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("is_decoder", "true")]
    [InlineData("add_cross_attention", "true")]
    [InlineData("position_embedding_type", "\"relative_key\"")]
    [InlineData("auto_map", """{"AutoModel": "modeling.Mine"}""")]
    [InlineData("quantization_config", """{"bits": 4}""")]
    [InlineData("pruned_heads", """{"0": [1]}""")]
    [InlineData("hidden_act", "\"silu\"")]
    [InlineData("embedding_size", "7")]
    public void What_changes_the_model_and_is_not_built_is_refused_by_name(string key, string value) =>
        Assert.Contains(
            $": {key} is ",
            Refused(() => TextTowerLoader.Load(Put("bert_hf", "bert_plain.safetensors", (key, JsonNode.Parse(value))))),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_key_that_nobody_knows_is_told_and_one_without_effect_is_not()
    {
        var path = Put(
            "bert_hf",
            "bert_plain.safetensors",
            ("my_rope_theta", 10000),
            ("initializer_range", 0.02),
            ("torch_dtype", "float16"),
            ("also_null", null),
            ("empty", new JsonArray())
        );
        using var loaded = TextTowerLoader.Load(path);
        Assert.Contains(
            ": my_rope_theta is not known here and passed over.",
            Assert.Single(loaded.Warnings),
            StringComparison.Ordinal
        );
        Assert.Contains("layer_norm_eps 1e-12", Assert.Single(loaded.Settings), StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_that_cannot_be_read_are_not_taken_for_none()
    {
        var path = Put("bert_hf", "bert_plain.safetensors");
        File.Delete(folder["config.json"]);
        File.CreateSymbolicLink(folder["config.json"], "../blobs/gone");
        Assert.Contains("a link to ../blobs/gone, which is not there", Refused(() => TextTowerLoader.Load(path)));
        File.Delete(folder["config.json"]);
        Directory.CreateDirectory(folder["config.json"]);
        Assert.Contains("is a folder", Refused(() => TextTowerLoader.Load(path)));
        Directory.Delete(folder["config.json"]);
        Write("config.json", "");
        Assert.Contains("is empty", Refused(() => TextTowerLoader.Load(path)));
        Write("config.json", "{\n\"a\": }");
        Assert.Contains("is no JSON (line 2)", Refused(() => TextTowerLoader.Load(path)));
    }

    [Fact]
    public void What_was_followed_stands_in_one_line_however_the_file_is_laid_out()
    {
        var path = Put("bert_hf", "bert_plain.safetensors");
        var config = JsonNode.Parse(File.ReadAllText(folder["config.json"]))!;
        Write("config.json", config.ToJsonString(new() { WriteIndented = true }));
        using var loaded = TextTowerLoader.Load(path);
        Assert.DoesNotContain('\n', Assert.Single(loaded.Settings));
    }

    [Fact]
    public void A_mean_above_1_for_scaled_values_is_told()
    {
        Write("preprocessor_config.json", """{"image_mean": [124, 116, 104], "image_std": [58, 57, 57]}""");
        using var loaded = ImageTowerLoader.Load(Put("hf_vit", "model.safetensors"));
        Assert.Contains(loaded.Warnings, one => one.Contains("image_mean is above 1", StringComparison.Ordinal));
    }

    [Fact]
    public void A_config_json_of_a_T5_is_held_against_the_weights()
    {
        var file = Directory
            .EnumerateFiles(TokenizerFixture.Reference("t5_encoder"), "*.safetensors")
            .Select(name => Path.GetFileName(name))
            .First();
        using (var loaded = TextTowerLoader.Load(Put("t5_encoder", file)))
            Assert.Empty(loaded.Warnings);
        Assert.Contains(
            "d_kv is 77, and the weights have",
            Refused(() => TextTowerLoader.Load(Put("t5_encoder", file, ("d_kv", 77)))),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "says that the model is umt5.",
            Refused(() => TextTowerLoader.Load(Put("t5_encoder", file, ("model_type", "umt5")))),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("pooling_mode_mean_tokens", "Mean")]
    [InlineData("pooling_mode_cls_token", "First")]
    [InlineData("pooling_mode_max_tokens", "Max")]
    [InlineData("pooling_mode_lasttoken", "Last")]
    [InlineData("pooling_mode_weightedmean_tokens", "WeightedMean")]
    public void The_pooling_of_sentence_transformers_is_followed(string mode, string pooling)
    {
        var path = Put("bert_hf", "bert_plain.safetensors");
        Sentences($$"""{"{{mode}}": true, "pooling_mode_mean_sqrt_len_tokens": false}""");
        using var loaded = TextTowerLoader.Load(path);
        Assert.Equal(pooling, Assert.IsType<BertConfig>(loaded.Tower.Config!.Encoding()).Pooling.ToString());
        Assert.Empty(loaded.Warnings);
    }

    [Theory]
    [InlineData("""{"pooling_mode": "attention"}""", "the pooling that it names is not built here")]
    [InlineData("""{"pooling_mode": ["mean", "attention"]}""", "the pooling that it names is not built here")]
    [InlineData("""{"pooling_mode": "mean", "word_embedding_dimension": 999}""", "word_embedding_dimension is 999")]
    [InlineData("""{"pooling_mode_mean_tokens": "yes"}""", "true or false is expected")]
    public void A_pooling_that_is_not_built_is_refused_unless_another_is_written(string pooling, string message)
    {
        var path = Put("bert_hf", "bert_plain.safetensors");
        Sentences(pooling);
        Assert.Contains(message, Refused(() => TextTowerLoader.Load(path)), StringComparison.Ordinal);
        if (!message.EndsWith("not built here", StringComparison.Ordinal))
            return;
        using var loaded = TextTowerLoader.Load(path + ":pool=last");
        Assert.Equal(TextPooling.Last, Assert.IsType<BertConfig>(loaded.Tower.Config!.Encoding()).Pooling);
        Assert.Contains("goes before", Assert.Single(loaded.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LSTM", "the module LSTM is not built here; known are Transformer, Pooling")]
    [InlineData("Pooling", "the module Pooling stands where it is not read")]
    [InlineData("Dense", "names the dense layer 3_More, which is not there")]
    public void A_module_of_sentence_transformers_that_cannot_be_read_is_refused(string type, string message)
    {
        var path = Put("bert_hf", "bert_plain.safetensors");
        Sentences(
            """{"pooling_mode_mean_tokens": true}""",
            $$""", {"type": "sentence_transformers.models.{{type}}", "path": "3_More"}"""
        );
        Assert.Contains(message, Refused(() => TextTowerLoader.Load(path)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pooling_outside_the_folder_is_refused()
    {
        var path = Put("bert_hf", "bert_plain.safetensors");
        Write("modules.json", """[{"type": "sentence_transformers.models.Pooling", "path": "../1_Pooling"}]""");
        Assert.Contains("where a folder beside is expected", Refused(() => TextTowerLoader.Load(path)));
    }

    private void Sentences(string pooling, string more = "")
    {
        Write(
            "modules.json",
            """[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}, {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}"""
                + more
                + "]"
        );
        Write("1_Pooling/config.json", pooling);
        Write("sentence_bert_config.json", """{"max_seq_length": 128, "do_lower_case": false}""");
    }

    private static readonly JsonObject Timm = JsonNode
        .Parse(
            """
            {
              "architecture": "vit_tiny_patch16_224", "num_classes": 10, "num_features": 32, "global_pool": "token",
              "pretrained_cfg": {
                "tag": "augreg_in21k_ft_in1k", "fixed_input_size": true, "interpolation": "bicubic", "crop_pct": 0.9,
                "crop_mode": "center", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "first_conv": "patch_embed.proj"
              }
            }
            """
        )!
        .AsObject();

    private string PutTimm(
        Action<JsonObject>? change = null,
        string fixture = "dino_vit",
        string file = "v1.safetensors"
    )
    {
        Put(fixture, file);
        var config = Timm.DeepClone().AsObject();
        change?.Invoke(config);
        Write("config.json", config.ToJsonString());
        return folder["model.safetensors"];
    }

    [Fact]
    public void What_timm_says_of_pictures_is_followed()
    {
        using var loaded = ImageTowerLoader.Load(PutTimm() + ":heads=4");
        var side = loaded.Preprocessing.Width;
        Assert.Equal("ViT (timm)", loaded.Family);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(
            (ResizeFit.ShorterSide, (int)Math.Floor(side / 0.9), ResizeMethod.PillowBicubic, (ChannelValues)0.5f),
            (
                loaded.Preprocessing.Fit,
                loaded.Preprocessing.ShorterSide,
                loaded.Preprocessing.Method,
                loaded.Preprocessing.Mean
            )
        );
        Assert.Equal(PositionResampling.BicubicAntialias, Assert.IsType<DinoConfig>(loaded.Tower.Config).Resampling);
    }

    [Fact]
    public void An_older_file_of_timm_says_the_same_at_its_top()
    {
        var path = PutTimm(config =>
        {
            var inner = config["pretrained_cfg"]!.AsObject();
            config.Remove("pretrained_cfg");
            foreach (var (key, value) in inner.ToList())
                config[key] = value?.DeepClone();
            config["crop_mode"] = "squash";
            config["interpolation"] = "bilinear";
        });
        using var loaded = ImageTowerLoader.Load(path + ":heads=4");
        Assert.Empty(loaded.Warnings);
        Assert.Equal(
            (ResizeFit.SquashThenCrop, ResizeMethod.PillowBilinear),
            (loaded.Preprocessing.Fit, loaded.Preprocessing.Method)
        );
    }

    [Fact]
    public void The_mean_patch_token_that_timm_asks_for_is_the_representation()
    {
        using var scope = NewDisposeScope();
        using var average = ImageTowerLoader.Load(PutTimm(config => config["global_pool"] = "avg") + ":heads=4");
        using var both = ImageTowerLoader.Load(folder["model.safetensors"] + ":heads=4,patch-mean");
        var images = randn(2, 3, average.Preprocessing.Height, average.Preprocessing.Width);
        var mean = both.Tower.call(images)[.., average.Tower.Width..];
        Assert.True(average.Tower.call(images).allclose(mean));
        Assert.Contains("mean patch token", average.Architecture, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("architecture", "\"eva02_base_patch14_224\"", "timm's eva02_base_patch14_224")]
    [InlineData(
        "architecture",
        "\"vit_base_patch16_clip_quickgelu_224\"",
        "timm's vit_base_patch16_clip_quickgelu_224"
    )]
    [InlineData("global_pool", "\"map\"", "global_pool is map")]
    [InlineData("model_args", """{"global_pool": "avgmax"}""", "global_pool is avgmax")]
    public void A_model_of_timm_that_is_not_built_is_refused_by_name(string key, string value, string message) =>
        Assert.Contains(
            message,
            Refused(() => ImageTowerLoader.Load(PutTimm(config => config[key] = JsonNode.Parse(value)) + ":heads=4")),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("interpolation", "\"nearest\"", "pretrained_cfg.interpolation is \"nearest\"")]
    [InlineData("crop_mode", "\"border\"", "pretrained_cfg.crop_mode is \"border\"")]
    [InlineData("crop_pct", "0", "pretrained_cfg.crop_pct is 0")]
    [InlineData("mean", "[0.5, 0.5]", "pretrained_cfg.mean is [0.5,0.5] where")]
    [InlineData("std", "[0.5, 0, 0.5]", "deviation 0 for channel 1")]
    [InlineData("input_size", "[1, 28, 28]", "pretrained_cfg.input_size is [1,28,28] where")]
    public void What_timm_says_of_pictures_and_is_not_built_is_refused(string key, string value, string message) =>
        Assert.Contains(
            message,
            Refused(() =>
                ImageTowerLoader.Load(
                    PutTimm(config => config["pretrained_cfg"]![key] = JsonNode.Parse(value)) + ":heads=4"
                )
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void A_key_of_timm_that_nobody_knows_is_told()
    {
        var path = PutTimm(config =>
        {
            config["pretrained_cfg"]!["sharpen"] = true;
            config["model_args"] = new JsonObject { ["init_values"] = 1e-5 };
        });
        using var loaded = ImageTowerLoader.Load(path + ":heads=4");
        Assert.Contains(
            ": pretrained_cfg.sharpen, model_args.init_values are not known here",
            Assert.Single(loaded.Warnings),
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("resnet50", true)]
    [InlineData("wide_resnet50_2", true)]
    [InlineData("gluon_resnet50_v1b", true)]
    [InlineData("resnetblur50", false)]
    [InlineData("seresnet50", false)]
    public void A_ResNet_of_timm_is_read_by_its_file_where_it_is_plain(string name, bool plain)
    {
        var path = PutTimm(
            config =>
            {
                config["architecture"] = name;
                config["global_pool"] = "avg";
                config["pretrained_cfg"]!["input_size"] = new JsonArray(3, 160, 160);
                config["pretrained_cfg"]!["crop_pct"] = 0.95;
            },
            "torchvision_resnet",
            "checkpoint.safetensors"
        );
        if (!plain)
        {
            Assert.Contains($"timm's {name}", Refused(() => ImageTowerLoader.Load(path)), StringComparison.Ordinal);
            return;
        }
        using var loaded = ImageTowerLoader.Load(path);
        Assert.Equal(
            (160, (int)Math.Floor(160 / 0.95), (ChannelValues)0.5f),
            (loaded.Preprocessing.Width, loaded.Preprocessing.ShorterSide, loaded.Preprocessing.Mean)
        );
    }

    [Fact]
    public void Settings_of_another_model_beside_weights_are_passed_over_aloud()
    {
        Put("dino_vit", "v1.safetensors");
        Write("config.json", """{"model_type": "bert"}""");
        Write("preprocessor_config.json", """{"image_mean": [0, 0, 0]}""");
        using var loaded = ImageTowerLoader.Load(folder["model.safetensors"] + ":heads=4");
        Assert.Equal(Preprocessing.ImageNetMean, loaded.Preprocessing.Mean);
        Assert.Collection(
            loaded.Warnings,
            one => Assert.Contains("describes bert, and the weights are ViT (DINO)", one, StringComparison.Ordinal),
            one => Assert.StartsWith("preprocessor_config.json beside ", one, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(1280, 16)]
    [InlineData(1408, 16)]
    [InlineData(1024, 16)]
    [InlineData(1536, 24)]
    [InlineData(384, 6)]
    public void The_large_public_networks_have_16_heads_whatever_their_width(int width, int heads) =>
        Assert.Equal(heads, LiT.Towers.Settings.DinoSettings.UsualHeads(width));

    public static TheoryData<string, string> Processors =>
        new()
        {
            // a processor's defaults are its own
            {
                """{"image_processor_type": "ViTImageProcessor"}""",
                "resized to 224 x 224 (Pillow bilinear), values in [-1, 1]"
            },
            {
                """{"image_processor_type": "BitImageProcessor", "crop_size": {"height": 224, "width": 224}, "do_center_crop": true, "do_convert_rgb": true, "do_normalize": true, "do_rescale": true, "do_resize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3, "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 256}}""",
                "shorter side to 256, central 224 x 224 (Pillow bicubic), mean 0.485 0.456 0.406, "
                    + "deviation 0.229 0.224 0.225"
            },
            {
                """{"feature_extractor_type": "DeiTFeatureExtractor", "size": 256, "crop_size": 224, "resample": 3}""",
                "resized to 256 x 256, central 224 x 224 (Pillow bicubic), values in [-1, 1]"
            },
            {
                """{"feature_extractor_type": "CLIPFeatureExtractor", "size": 30, "crop_size": 20, "resample": 1}""",
                "shorter side to 30, central 20 x 20 (Pillow Lanczos), mean 0.48145467 0.4578275 "
                    + "0.40821072, deviation 0.26862955 0.2613026 0.2757771"
            },
            { """{"size": {"height": 32, "width": 48}}""", "resized to 48 x 32 (Pillow bilinear), values in [-1, 1]" },
            { """{"do_normalize": false, "size": 16}""", "resized to 16 x 16 (Pillow bilinear), values in [0, 1]" },
            {
                """{"do_rescale": false, "image_mean": [127.5, 127.5, 127.5], "image_std": [127.5, 127.5, 127.5], "size": 16}""",
                "resized to 16 x 16 (Pillow bilinear), values in [-1, 1]"
            },
            {
                """{"rescale_factor": 0.00784313725, "image_mean": [1, 1, 1], "image_std": [1, 1, 1], "size": 16}""",
                "resized to 16 x 16 (Pillow bilinear), values in [-1, 1]"
            },
        };

    [Theory]
    [MemberData(nameof(Processors))]
    public void An_image_processor_of_Hugging_Face_is_followed(string json, string words)
    {
        Write("preprocessor_config.json", json);
        using var loaded = ImageTowerLoader.Load(Put("hf_vit", "model.safetensors"));
        Assert.Equal(words, loaded.Preprocessing.PreprocessingDescription);
        Assert.DoesNotContain(loaded.Warnings, warning => warning.Contains("not known", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"image_processor_type": "ConvNextImageProcessor"}""", "image_processor_type is \"ConvNext")]
    [InlineData("""{"size": {"shortest_edge": 256}}""", "only shortest_edge with a central crop")]
    [InlineData("""{"size": {"shortest_edge": 9, "longest_edge": 20}}""", "size.longest_edge is not known here")]
    [InlineData("""{"size": {"height": 9}}""", "size is {\"height\": 9} where")]
    [InlineData("""{"do_resize": "yes"}""", "do_resize is \"yes\" where true or false is expected")]
    [InlineData("""{"do_pad": true}""", "do_pad is true, and only false can be read here")]
    [InlineData("""{"rescale_offset": true}""", "rescale_offset is true, and only false can be read here")]
    [InlineData("""{"crop_size": 500, "do_center_crop": true, "size": 300}""", "cannot be cut")]
    [InlineData("[]", "is a list and no object")]
    public void An_image_processor_that_is_not_built_is_refused_by_name(string json, string message)
    {
        Write("preprocessor_config.json", json);
        var path = Put("hf_vit", "model.safetensors");
        var said = Refused(() => ImageTowerLoader.Load(path));
        Assert.StartsWith("preprocessor_config.json beside ", said, StringComparison.Ordinal);
        if (message != "cannot be cut")
            Assert.Contains(message, said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_central_crop_of_Hugging_Face_begins_at_the_lower_pixel()
    {
        Write(
            "preprocessor_config.json",
            """{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 4}, "crop_size": 4, "image_mean": [0, 0, 0], "image_std": [1, 1, 1]}"""
        );
        using var loaded = ImageTowerLoader.Load(Put("hf_vit", "model.safetensors"));
        // 7 x 4 stays as it is; 3 / 2 pixels to the left of the crop are 1 there, and 2 in torchvision's rounding.
        var rgb = new byte[7 * 4 * 3];
        for (var i = 0; i < rgb.Length; i++)
            rgb[i] = (byte)(i / 3 % 7);
        var image = new RgbImage(7, 4, rgb);
        var (theirs, torchvision) = (new float[3 * 16], new float[3 * 16]);
        loaded.Preprocessing.Apply(image, theirs);
        (loaded.Preprocessing with { CropFromBelow = false }).Apply(image, torchvision);
        Assert.Equal([1, 2, 3, 4], theirs[..4].Select(value => (int)Math.Round(value * 255)));
        Assert.Equal([2, 3, 4, 5], torchvision[..4].Select(value => (int)Math.Round(value * 255)));
    }

    [Fact]
    public void A_DINOv2_in_Hugging_Faces_names_takes_what_its_processor_says()
    {
        Write(
            "preprocessor_config.json",
            """{"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 32}, "crop_size": {"height": 28, "width": 28}, "resample": 2, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}"""
        );
        using var loaded = ImageTowerLoader.Load(Put("dinov2_hf", "model.safetensors"));
        Assert.Equal("DINOv2 (Hugging Face)", loaded.Family);
        Assert.Empty(loaded.Warnings);
        Assert.Equal(
            "shorter side to 32, central 28 x 28 (Pillow bilinear), values in [-1, 1]",
            loaded.Preprocessing.PreprocessingDescription
        );
    }

    [Theory]
    [InlineData("layer_norm_eps", "1e-5", "layer_norm_eps is 1e-5, and here it can only be")]
    [InlineData("num_register_tokens", "4", "num_register_tokens is 4, and the weights have 0")]
    [InlineData("use_swiglu_ffn", "true", "use_swiglu_ffn is true")]
    [InlineData("hidden_act", "\"relu\"", "hidden_act is \"relu\"")]
    [InlineData("image_size", "224", "image_size is 224, and the weights have")]
    [InlineData("model_type", "\"vit\"", "says that the model is vit.")]
    public void A_DINOv2_whose_config_says_something_else_is_refused(string key, string value, string message) =>
        Assert.Contains(
            message,
            Refused(() =>
                ImageTowerLoader.Load(
                    Put("dinov2_hf", "model.safetensors", ("architectures", null), (key, JsonNode.Parse(value)))
                )
            ),
            StringComparison.OrdinalIgnoreCase
        );

    [Fact]
    public void Every_key_without_effect_has_a_reason()
    {
        var lists = new[]
        {
            LiT.Towers.Settings.KnownSettings.Transformers,
            LiT.Towers.Settings.KnownSettings.Processor,
            LiT.Towers.Settings.KnownSettings.Timm,
            LiT.Towers.Settings.KnownSettings.Sentences,
            LiT.Text.TokenizerSettings.WithoutEffect,
        };
        Assert.All(lists, list => Assert.All(list.Reasons.Values, reason => Assert.True(reason.Length > 10)));
        // These change what a model computes, so that they may stand in no such list.
        foreach (var key in new[] { "hidden_act", "layer_norm_eps", "pad_token_id", "strip_accents", "crop_pct" })
            Assert.All(lists, list => Assert.False(list.Has(key)));
    }
}

using LiT.Checkpoints;
using LiT.Images;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public sealed class ImageTowerLoaderTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("lit-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Fixture(string folder, string file) =>
        Path.Combine(AppContext.BaseDirectory, "Fixtures", "reference", folder, file);

    // Every tensor of a file, so that a test can spoil one.
    private static MemoryCheckpoint Copy(string path, Action<Dictionary<string, Tensor>> spoil)
    {
        using var file = Checkpoint.Open(path);
        var tensors = file.Tensors.Keys.ToDictionary(name => name, name => file.Read(name).clone());
        spoil(tensors);
        return new MemoryCheckpoint(tensors) { Path = Path.GetFileName(path) };
    }

    [Theory]
    [InlineData(
        "torchvision_resnet",
        "",
        "checkpoint.safetensors",
        "dino_backbone.pth",
        "dino_backbone_legacy.pth",
        "dino_full_checkpoint.pth",
        "moco_v3.pth"
    )]
    [InlineData("dino_vit", ":heads=4", "v1.safetensors", "v1.pth", "v1_full_checkpoint.pth")]
    [InlineData("dino_vit", ":heads=4", "v2.safetensors", "v2.pth", "v2_chunked_teacher.pth")]
    [InlineData("mixer_npz", "", "checkpoint.npz", "checkpoint_old_names.npz")]
    [InlineData("bit_resnetv2_npz", "", "checkpoint_legacy_tf.npz", "checkpoint_legacy_tf_numbered.npz")]
    public void The_same_weights_have_the_same_fingerprint_from_every_container_and_under_every_name(
        string fixture,
        string options,
        params string[] files
    )
    {
        var prints = files
            .Select(file =>
            {
                using var loaded = ImageTowerLoader.Load(Fixture(fixture, file) + options);
                return loaded.Fingerprint;
            })
            .ToList();
        Assert.Single(prints.Distinct());
        Assert.Matches("^[0-9a-f]{64}$", prints[0]);
    }

    [Fact]
    public void Another_pooling_of_the_same_weights_is_another_tower()
    {
        using var map = ImageTowerLoader.Load(Fixture("vit_bigvision_npz", "checkpoint_map_inlined.npz"));
        using var first = ImageTowerLoader.Load(Fixture("vit_bigvision_npz", "checkpoint_map_inlined.npz") + ":pool=0");
        Assert.NotEqual(map.Fingerprint, first.Fingerprint);
        Assert.Contains(first.Names!.Skipped, skipped =>
            skipped.StartsWith("probe: attention pooling", StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(
        "vit_augreg_npz",
        "checkpoint.npz",
        "ViT (vit_jax, big_vision)",
        "ViT of width 24, depth 2, 3 heads, MLP 56, patch 4, 16 px, class token",
        "head"
    )]
    [InlineData(
        "vit_bigvision_npz",
        "checkpoint_map_scan.npz",
        "ViT (vit_jax, big_vision)",
        "ViT of width 32, depth 3, 4 heads, MLP 44, patch 4, 16 px, attention pooling",
        "head"
    )]
    [InlineData(
        "bit_resnetv2_npz",
        "checkpoint.npz",
        "BiT ResNet-v2 (big_vision)",
        "BiT ResNet-v2 of width 32, units 2, 1, 1, max pooling padded with -inf",
        "head"
    )]
    [InlineData(
        "bit_resnetv2_npz",
        "checkpoint_legacy_tf.npz",
        "BiT ResNet-v2 (big_transfer)",
        "BiT ResNet-v2 of width 32, units 1, 1",
        "head"
    )]
    [InlineData(
        "bit_resnetv2_npz",
        "checkpoint_v1.npz",
        "ResNet-v1 with group norms (big_vision)",
        "ResNet-8 with group norms, width 32",
        "head"
    )]
    [InlineData(
        "mixer_npz",
        "checkpoint_old_names.npz",
        "MLP-Mixer (old names)",
        "Mixer of width 20, depth 2, MLPs 14 and 36, patch 4, 16 px",
        "head"
    )]
    [InlineData(
        "torchvision_resnet",
        "moco_v3.pth",
        "ResNet (torchvision)",
        "ResNet of width 8, Bottleneck blocks 2, 1, 1, 1",
        ""
    )]
    [InlineData(
        "dino_vit",
        "v2_reg.safetensors:heads=4,patch-mean",
        "ViT (DINO)",
        "ViT of width 32, depth 3, 4 heads, MLP 80, patch 4 in DINOv2's form, 4 registers, class token and "
            + "mean patch token",
        ""
    )]
    [InlineData(
        "hf_vit",
        "model_bf16_classifier.safetensors",
        "ViT (Hugging Face)",
        "ViT of width 24, depth 2, 4 heads, MLP 52, patch 4, 16 px, class token",
        "classifier"
    )]
    [InlineData(
        "lit_two_towers_npz",
        "lit_b16b_style.npz:img",
        "ViT (vit_jax, big_vision)",
        "ViT of width 24, depth 2, 4 heads, MLP 40, patch 4, 16 px, class token",
        "head"
    )]
    public void A_file_is_recognised_from_names_and_shapes(
        string fixture,
        string file,
        string family,
        string architecture,
        string heads
    )
    {
        using var loaded = ImageTowerLoader.Load(Fixture(fixture, file));
        Assert.Equal((family, heads), (loaded.Family, string.Join(",", loaded.Tower.HeadNames)));
        Assert.Equal(architecture, loaded.Architecture);
        Assert.All(loaded.Tower.parameters(), weight => Assert.False(weight.requires_grad));
        Assert.False(loaded.Tower.training);
        Assert.Equal(
            loaded.Names!.Names.Count + loaded.Names.Skipped.Count,
            loaded
                .Describe()
                .Lines.Count(line =>
                    line.StartsWith("  ", StringComparison.Ordinal)
                    && !line.StartsWith("  not part of the tower", StringComparison.Ordinal)
                )
        );
    }

    [Fact]
    public void What_stands_beside_the_tower_in_a_file_is_named_and_passed_over()
    {
        using var loaded = ImageTowerLoader.Load(Fixture("lit_two_towers_npz", "lit_b16b_style.npz"));
        Assert.Contains("t (1 tensor)", loaded.Names!.Outside);
        Assert.Contains(loaded.Names.Outside, part => part.StartsWith("txt (", StringComparison.Ordinal));
        using var scan = ImageTowerLoader.Load(Fixture("vit_bigvision_npz", "checkpoint_map_scan.npz"));
        Assert.Contains(scan.Describe().Lines, line =>
            line.StartsWith("  not part of the tower: opt (", StringComparison.Ordinal)
        );
        Assert.Contains(scan.Names!.Names, name =>
            name
                is {
                    Ours: "encoder.blocks.0.attn.qkv.weight … encoder.blocks.2.attn.qkv.weight[2/3]",
                    Change: "unstacked, heads joined, transposed"
                }
        );
    }

    [Fact]
    public void One_message_names_everything_that_does_not_fit()
    {
        using var scope = NewDisposeScope();
        var spoiled = Copy(Fixture("vit_augreg_npz", "checkpoint.npz"), tensors =>
        {
            tensors.Remove("Transformer/encoderblock_1/MlpBlock_3/Dense_1/bias");
            tensors["Transformer/encoderblock_0/LayerNorm_2/scale"] = zeros(25);
            tensors["step"] = zeros(1);
        });
        Assert.Equal(
            "checkpoint.npz looks like ViT (vit_jax, big_vision), but does not fit: "
                + "1 missing (Transformer/encoderblock_1/MlpBlock_0/Dense_1/bias); 1 left over (step); "
                + "1 of another shape (Transformer/encoderblock_0/LayerNorm_2/scale [25] for "
                + "encoder.blocks.0.norm2.weight [24]). "
                + "Check that the file is complete and of this architecture.",
            Assert.Throws<LitException>(() => ImageTowerLoader.Load(spoiled)).Message
        );
    }

    [Fact]
    public void MoCo_v3s_base_encoder_is_taken_without_its_projector_and_its_S_has_twelve_heads()
    {
        using var scope = NewDisposeScope();
        var names = new Dictionary<string, Tensor>();
        foreach (var encoder in new[] { "base_encoder", "momentum_encoder" })
        {
            foreach (
                var (name, shape) in new (string, long[])[]
                {
                    ("cls_token", [1, 1, 384]),
                    ("pos_embed", [1, 5, 384]),
                    ("patch_embed.proj.weight", [384, 3, 16, 16]),
                    ("patch_embed.proj.bias", [384]),
                    ("blocks.0.norm1.weight", [384]),
                    ("blocks.0.norm1.bias", [384]),
                    ("blocks.0.attn.qkv.weight", [1152, 384]),
                    ("blocks.0.attn.qkv.bias", [1152]),
                    ("blocks.0.attn.proj.weight", [384, 384]),
                    ("blocks.0.attn.proj.bias", [384]),
                    ("blocks.0.norm2.weight", [384]),
                    ("blocks.0.norm2.bias", [384]),
                    ("blocks.0.mlp.fc1.weight", [64, 384]),
                    ("blocks.0.mlp.fc1.bias", [64]),
                    ("blocks.0.mlp.fc2.weight", [384, 64]),
                    ("blocks.0.mlp.fc2.bias", [384]),
                    ("norm.weight", [384]),
                    ("norm.bias", [384]),
                    ("head.0.weight", [8, 384]),
                    ("head.1.running_mean", [8]),
                }
            )
                names[$"state_dict.module.{encoder}.{name}"] = full(shape, encoder == "base_encoder" ? 0.25f : 7f);
        }
        using var loaded = ImageTowerLoader.Load(new MemoryCheckpoint(names) { Path = "vit-s.pth.tar" });
        Assert.Equal(
            ("ViT (MoCo v3)", "ViT of width 384, depth 1, 12 heads, MLP 64, patch 16 in DINO's form, class token"),
            (loaded.Family, loaded.Architecture)
        );
        Assert.Equal(0.25f, loaded.Tower.parameters().First().view(-1)[0].item<float>());
        Assert.Equal(
            2,
            loaded.Names!.Skipped.Count(skipped =>
                skipped.EndsWith("MoCo's projector, which only its training needs", StringComparison.Ordinal)
            )
        );
        Assert.Equal(["state_dict.module.momentum_encoder (20 tensors)"], loaded.Names.Outside);
    }

    [Fact]
    public void A_block_that_is_missing_from_the_middle_is_missed()
    {
        using var scope = NewDisposeScope();
        var spoiled = Copy(Fixture("vit_bigvision_npz", "checkpoint_tok.npz"), tensors =>
        {
            foreach (
                var name in tensors
                    .Keys.Where(name => name.Contains("encoderblock_1/", StringComparison.Ordinal))
                    .ToList()
            )
                tensors.Remove(name);
        });
        Assert.Contains(
            "16 missing (Transformer/encoderblock_1/LayerNorm_0/scale",
            Assert.Throws<LitException>(() => ImageTowerLoader.Load(spoiled)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_block_with_an_absurd_number_is_not_believed()
    {
        using var scope = NewDisposeScope();
        var spoiled = Copy(Fixture("vit_bigvision_npz", "checkpoint_tok.npz"), tensors =>
            tensors["Transformer/encoderblock_99999999/LayerNorm_0/scale"] = zeros(1)
        );
        Assert.Contains(
            "would have 100000000 blocks",
            Assert.Throws<LitException>(() => ImageTowerLoader.Load(spoiled)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("bert_flaxformer_npz", "checkpoint.npz", "It looks like a BERT text tower (flaxformer).")]
    [InlineData("bert_hf", "bert_plain.safetensors", "It looks like a BERT text tower (Hugging Face).")]
    [InlineData("t5_encoder", "model.safetensors", "It looks like a T5 text tower.")]
    [InlineData("pth_reader", "state_dict.pth", "is no image tower that is known here. It holds ")]
    public void A_file_that_is_no_image_tower_says_what_it_looks_like(string fixture, string file, string message)
    {
        var error = Assert.Throws<LitException>(() => ImageTowerLoader.Load(Fixture(fixture, file)));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(
        "dino_vit",
        "v1.safetensors",
        "says nothing of its attention heads, and 0 cannot be for a width of 32. Put ':heads=N' after the path."
    )]
    [InlineData("dino_vit", "v1.safetensors:heads=5", "5 cannot be for a width of 32")]
    [InlineData("dino_vit", "v1.safetensors:heads=x", "heads=x is not a size")]
    [InlineData("dino_vit", "v1.safetensors:depth=3", "'depth=3' is not understood")]
    [InlineData(
        "vit_bigvision_npz",
        "checkpoint_tok.npz:pool=gap",
        "has a class token and no attention pooling head, so that Mean pooling cannot be"
    )]
    [InlineData(
        "vit_bigvision_npz",
        "checkpoint_tok.npz:pool=mean",
        "pool=mean is unknown. Choose tok, gap, map or 0."
    )]
    [InlineData("vit_bigvision_npz", "no_such.npz", "no such file")]
    public void A_wrong_option_or_path_says_what_to_do(string fixture, string file, string message) =>
        Assert.Contains(
            message,
            Assert.ThrowsAny<LitException>(() => ImageTowerLoader.Load(Fixture(fixture, file))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("vit:B/16", true)]
    [InlineData("cifar-resnet:20", true)]
    [InlineData("hf-vit:B/16", false)]
    [InlineData("towers/vit.npz", false)]
    [InlineData("bert:base", false)]
    public void A_spec_from_scratch_is_told_from_a_path(string text, bool spec) =>
        Assert.Equal(spec, ImageTowerLoader.IsSpec(text));

    [Theory]
    [InlineData("vit:mu/16", "ViT-mu/16, 224 px, class token", 224)]
    [InlineData("vit:mu/16,pool=map,size=64", "ViT-mu/16, 64 px, attention pooling", 64)]
    [InlineData("vit:mu/8,pool=gap,size=32", "ViT-mu/8, 32 px, mean over patches", 32)]
    [InlineData("cifar-resnet:20,size=64", "ResNet-20 in its CIFAR form", 64)]
    [InlineData("resnet:18", "ResNet-18", 224)]
    [InlineData("gn-resnet:26", "ResNet-26 with group norms, width 64", 224)]
    [InlineData("bit:R26x1,pad=inf", "BiT-R26x1, max pooling padded with -inf", 224)]
    [InlineData("mixer:S/32,size=64", "Mixer-S/32, 64 px", 64)]
    [InlineData("dino:vits16,patch-mean", "ViT-S/16 in DINO's form, class token and mean patch token", 224)]
    public void A_spec_gives_a_tower_from_scratch_the_same_for_the_same_seed(string spec, string architecture, int size)
    {
        using var scope = NewDisposeScope();
        using var one = ImageTowerLoader.Load(spec, new ImageTowerOptions { Seed = 1 });
        using var same = ImageTowerLoader.Load(spec, new ImageTowerOptions { Seed = 1 });
        using var other = ImageTowerLoader.Load(spec, new ImageTowerOptions { Seed = 2 });
        Assert.Equal((architecture, size, size), (one.Architecture, one.Preprocessing.Width, one.Preprocessing.Height));
        Assert.Equal(one.Fingerprint, same.Fingerprint);
        Assert.NotEqual(one.Fingerprint, other.Fingerprint);
        Assert.Equal("weights         from scratch, not trained", one.Describe().Lines[^1]);
        var representation = one.Tower.call(rand(1, 3, size, size) * 2 - 1);
        Assert.Equal([1, one.Tower.Width], representation.shape);
        Assert.True(representation.isfinite().all().item<bool>());
    }

    [Fact]
    public void A_tower_from_scratch_is_described_without_being_made()
    {
        var description = ImageTowerLoader.Describe("vit:e/14"); // 15 GB if it were
        Assert.Equal(
            (3_805_421_312, 1792, null),
            (description.ParameterCount, description.Width, description.Fingerprint)
        );
        Assert.Equal(
            [
                "architecture    ViT-e/14, 224 px, class token",
                "family          from scratch",
                "parameters      3,805,421,312",
                "representation  1792 numbers",
                "preprocessing   resized to 224 x 224 (TensorFlow bilinear), values in [-1, 1]",
                "weights         from scratch, not trained",
            ],
            description.Lines
        );
    }

    [Theory]
    [InlineData(
        "vit:Q/16",
        "There is no ViT variant 'Q/16'. Write size/patch, for example B/16; the sizes are mu, Ti, S,"
    )]
    [InlineData("vit:B/16,size=8", "A picture of 8 pixels holds no patch of 16.")]
    [InlineData("bit:R51x1", "There is no BiT variant 'R51x1'.")]
    [InlineData("mixer:B16", "There is no Mixer variant 'B16'.")]
    [InlineData("dino:vitx16", "There is no DINO network 'vitx16'.")]
    [InlineData("dino:vitl16", "There is no DINO network 'vitl16'.")]
    [InlineData("resnet:51", "There is no ResNet variant '51'.")]
    [InlineData("gn-resnet:51", "There is no group-norm ResNet of depth '51'.")]
    public void A_variant_that_does_not_exist_names_those_that_do(string spec, string message)
    {
        var error = Assert.ThrowsAny<UsageException>(() => ImageTowerLoader.Load(spec));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Parameter", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Preprocessing_is_the_familys_own_at_the_size_of_the_weights_unless_told_otherwise()
    {
        using var vit = ImageTowerLoader.Load(Fixture("vit_augreg_npz", "checkpoint.npz"));
        Assert.Equal(Preprocessing.LiT(16), vit.Preprocessing);
        using var larger = ImageTowerLoader.Load(Fixture("vit_augreg_npz", "checkpoint.npz") + ":size=24");
        Assert.Equal(Preprocessing.LiT(24), larger.Preprocessing);
        using var dino = ImageTowerLoader.Load(Fixture("dino_vit", "v2.safetensors") + ":heads=4");
        Assert.Equal(Preprocessing.TorchvisionImageNet(20, ResizeMethod.PillowBicubic), dino.Preprocessing);
        using var given = ImageTowerLoader.Load(
            Fixture("mixer_npz", "checkpoint.npz"),
            new ImageTowerOptions { Preprocessing = Preprocessing.LiTCropped(16) }
        );
        Assert.Equal(Preprocessing.LiTCropped(16), given.Preprocessing);
    }

    [Fact]
    public void A_file_for_pictures_that_are_not_square_is_told_their_size()
    {
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        const string positions = "Transformer/posembed_input/pos_embedding";
        var path = Path.Combine(folder, "wide.npz");
        using (var square = Checkpoint.Open(Fixture("vit_augreg_npz", "checkpoint.npz")))
            Npz.Write(
                path,
                square.Tensors.Keys.Select(name =>
                    (name, name == positions ? square.Read(name)[.., ..13] : square.Read(name))
                )
            );

        var error = Assert.Throws<LitException>(() => ImageTowerLoader.Load(path));
        Assert.Equal(
            $"{path}: '{positions}' has 13 rows, which is no square grid of patches. Put "
                + "':size=WIDTHxHEIGHT' of the pictures that it was trained with after the path.",
            error.Message
        );
        using var wide = ImageTowerLoader.Load(path + ":size=16x12");
        Assert.Equal((16, 12), (wide.Preprocessing.Width, wide.Preprocessing.Height));
        Assert.Contains("16 x 12 px", wide.Architecture, StringComparison.Ordinal);
        var tower = (VisionTransformer)wide.Tower;
        Assert.Equal([1, 24], tower.call(rand(1, 3, 12, 16)).shape);
        Assert.Equal([20, 24], tower.Positions(4, 5).shape);

        // As the reference has it, a grid of as many patches takes the table as it is, whatever its shape.
        Assert.True(tower.Positions(4, 3).equal(tower.Positions(3, 4)).all().item<bool>());

        var own = Path.Combine(folder, "own.safetensors");
        ImageTowerFile.Save(own, tower, wide.Preprocessing);
        using var again = ImageTowerLoader.Load(own);
        Assert.Equal(wide.Fingerprint, again.Fingerprint);
    }

    [Theory]
    [InlineData("vit:mu/16,size=64x32", 64, 32)]
    [InlineData("mixer:S/32,size=64x96", 64, 96)]
    [InlineData("resnet:18,size=96x64", 96, 64)]
    [InlineData("dino:vits16,size=48x32", 48, 32)]
    public void Pictures_need_not_be_square(string spec, int width, int height)
    {
        using var scope = NewDisposeScope();
        using var loaded = ImageTowerLoader.Load(spec);
        Assert.Equal((width, height), (loaded.Preprocessing.Width, loaded.Preprocessing.Height));
        Assert.Contains($"{width} x {height}", ImageTowerLoader.Describe(spec).Preprocessing, StringComparison.Ordinal);
        Assert.Equal([1, loaded.Tower.Width], loaded.Tower.call(rand(1, 3, height, width)).shape);
    }

    [Theory]
    [InlineData("vit:mu/16", "vit:mu/16,exif")]
    [InlineData("vit:mu/16,size=32", "vit:mu/16,size=32,exif")]
    [InlineData("towers/vit.npz", "towers/vit.npz:exif")]
    [InlineData("towers/vit.npz:pool=map", "towers/vit.npz:pool=map,exif")]
    public void An_option_is_put_behind_a_spec(string spec, string expected) =>
        Assert.Equal(expected, ImageTowerLoader.With(spec, "exif"));

    [Fact]
    public void Orientation_and_transparency_are_part_of_the_preprocessing_and_so_of_the_fingerprint()
    {
        using var plain = ImageTowerLoader.Load(Fixture("vit_augreg_npz", "checkpoint.npz"));
        using var upright = ImageTowerLoader.Load(
            Fixture("vit_augreg_npz", "checkpoint.npz") + ":exif,background=FFFFFF"
        );
        Assert.Equal(plain.Preprocessing with { HonourExif = true, Background = Rgb24.White }, upright.Preprocessing);
        Assert.NotEqual(plain.Fingerprint, upright.Fingerprint);
        Assert.EndsWith(
            "EXIF orientation honoured, transparency over #ffffff",
            upright.Preprocessing.PreprocessingDescription,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Class_names_and_preprocessing_of_a_Hugging_Face_folder_come_along()
    {
        File.Copy(Fixture("hf_vit", "model_bf16_classifier.safetensors"), Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(
            Path.Combine(folder, "config.json"),
            """{"num_attention_heads": 4, "hidden_act": "gelu", "id2label": {"0": "cat", "1": "dog", "2": "frog", "3": "horse"}}"""
        );
        File.WriteAllText(
            Path.Combine(folder, "preprocessor_config.json"),
            """{"image_mean": [0.1, 0.2, 0.3], "image_std": [0.4, 0.5, 0.6], "resample": 3}"""
        );
        using var loaded = ImageTowerLoader.Load(folder);
        Assert.Equal(["cat", "dog", "frog", "horse"], loaded.Heads[0].ClassNames);
        Assert.Equal(
            (new ChannelValues(0.1f, 0.2f, 0.3f), ResizeMethod.PillowBicubic),
            (loaded.Preprocessing.Mean, loaded.Preprocessing.Method)
        );
    }

    [Theory]
    [InlineData(
        "config.json",
        """{"num_attention_heads": {}}""",
        "num_attention_heads is {} where a whole number is expected."
    )]
    [InlineData(
        "config.json",
        """{"layer_norm_eps": "small"}""",
        "layer_norm_eps is \"small\" where a number is expected."
    )]
    [InlineData(
        "config.json",
        """{"hidden_act": "swish"}""",
        "hidden_act is \"swish\" where one of gelu, gelu_new, gelu_pytorch_tanh, relu is expected."
    )]
    [InlineData("preprocessor_config.json", """{"resample": 0}""", "resample is 0, a filter that is not known here.")]
    [InlineData(
        "preprocessor_config.json",
        """{"image_mean": [1, "x", 2]}""",
        "image_mean is [1, \"x\", 2] where a list of three numbers is expected."
    )]
    [InlineData("preprocessor_config.json", """{"image_std": [1, 0, 2]}""", "deviation 0 for channel 1")]
    public void A_Hugging_Face_file_of_settings_that_says_something_else_is_one_line(
        string name,
        string content,
        string message
    )
    {
        File.Copy(Fixture("hf_vit", "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        File.WriteAllText(Path.Combine(folder, "config.json"), """{"num_attention_heads": 4}""");
        File.WriteAllText(Path.Combine(folder, name), content);
        var error = Assert.Throws<LitException>(() => ImageTowerLoader.Load(folder));
        Assert.StartsWith($"{name} beside ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Meta_data_that_lie_about_the_sizes_are_one_line_and_no_exhausted_machine()
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(folder, "image.safetensors");
        foreach (
            var (lie, message) in new[]
            {
                (
                    """{"kind":"vit","width":32,"depth":2000000000,"mlpDim":44,"attentionHeads":4,"patch":4,"imageSize":16}""",
                    "would have 2000000000 blocks"
                ),
                (
                    """{"kind":"vit","width":32,"depth":1,"mlpDim":44,"attentionHeads":4,"patch":0,"imageSize":16}""",
                    "Check where the file comes from."
                ),
                (
                    """{"kind":"vit","width":-32,"depth":1,"mlpDim":44,"attentionHeads":4,"patch":4,"imageSize":16}""",
                    "Check where the file comes from."
                ),
                (
                    """{"kind":"vit","width":32,"depth":1,"mlpDim":44,"attentionHeads":4,"patch":1,"imageSize":40000,"imageHeight":40000}""",
                    "weights, and holds 2."
                ),
                ("""{"kind":"vit","width":32}""", "cannot be read"),
                ("""{"kind":"transporter","imageSize":16}""", "cannot be read"),
                ("nonsense", "cannot be read"),
            }
        )
        {
            Safetensors.Write(
                path,
                [("cls", zeros(1)), ("posembed", zeros(1))],
                new Dictionary<string, string>
                {
                    ["lit.image_tower"] = lie,
                    ["lit.preprocessing"] = Preprocessing.LiT(16).ToJson(),
                }
            );
            var error = Assert.Throws<LitException>(() => ImageTowerLoader.Load(path));
            Assert.Contains(message, error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', error.Message);
        }
    }
}

namespace LiT.Tests.Parity;

/// <summary>
/// Every fixture folder that is found is run, whole: a kind or a file that nobody knows is a failure.
/// </summary>
public class ReferenceTests
{
    private static readonly Dictionary<string, IFixtureKind> Kinds = typeof(IFixtureKind)
        .Assembly.GetTypes()
        .Where(type => type.IsAssignableTo(typeof(IFixtureKind)) && type is { IsClass: true, IsAbstract: false })
        .Select(type => (IFixtureKind)Activator.CreateInstance(type)!)
        .ToDictionary(kind => kind.Folder);

    [Fact]
    public void Nothing_lies_in_the_folder_that_is_no_fixture()
    {
        var failures = Reference.UnknownEntries().ToList();
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
    }

    [Fact]
    public void A_kind_a_file_or_a_folder_that_nobody_knows_is_a_failure()
    {
        using var elsewhere = new TemporaryFolder();
        Directory.CreateDirectory(elsewhere["new_kind"]);
        File.WriteAllText(elsewhere["more.npz"], "");
        File.WriteAllText(elsewhere["README.md"], "");
        Assert.Equal(
            ["more.npz: is no fixture.", "new_kind: has no meta.json."],
            Reference.UnknownEntries(elsewhere.Path)
        );

        File.WriteAllText(Path.Combine(elsewhere["new_kind"], "meta.json"), "{}");
        Directory.CreateDirectory(Path.Combine(elsewhere["new_kind"], "deeper"));
        File.WriteAllText(Path.Combine(elsewhere["new_kind"], "deeper", "x.npy"), "");
        var folder = new FixtureFolder(elsewhere["new_kind"]);
        Assert.Equal(["deeper/x.npy"], folder.UnknownFiles);
        Assert.Contains(
            "no test knows this kind",
            Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => RunAll(folder)).Message
        );
    }

    public static IEnumerable<TheoryDataRow<string>> FolderNames() =>
        Reference.Folders().Select(folder => new TheoryDataRow<string>(folder.Name));

    [Theory]
    [MemberData(nameof(FolderNames))]
    public void The_product_gives_what_the_reference_gives(string name) => RunAll(Reference.Open(name));

    /// <summary>
    /// Every mistake that the copied fixtures know (GELU, eps, padding, resampling of positions and others) is made,
    /// and is seen.
    /// </summary>
    [Theory]
    [InlineData(
        "vit_augreg_npz",
        "bilinear_half_pixel_centres, exact_erf_gelu, layernorm_eps_1e-12, layernorm_eps_1e-5"
    )]
    [InlineData("vit_bigvision_npz", "exact_erf_gelu, layernorm_eps_1e-12, layernorm_eps_1e-5")]
    [InlineData(
        "bit_resnetv2_npz",
        "SAME padding instead of explicit, max pool padded with zeros instead of -inf, "
            + "weight_std_eps_1e-10, weight_std_eps_1e-5, weight_std_eps_1e-8 (timm)"
    )]
    [InlineData("mixer_npz", "exact_erf_gelu, layernorm_eps_1e-5")]
    [InlineData("dino_vit", "layernorm_eps_1e-5, layerscale ignored, no 0.1 offset, no antialias, tanh_gelu")]
    [InlineData("hf_vit", "layernorm_eps_1e-6, tanh_gelu")]
    [InlineData(
        "torchvision_resnet",
        "batchnorm_eps_1e-3, momentum encoder used, stride in the first 1x1 (caffe style)"
    )]
    [InlineData("bert_flaxformer_npz", "exact_erf_gelu, layernorm_eps_1e-6, no padding mask")]
    [InlineData("bert_hf", "layernorm_eps_1e-6, tanh_gelu")]
    [InlineData("roberta_hf", "layernorm_eps_1e-12, positions from 0 (BERT), tanh_gelu")]
    [InlineData(
        "mpnet_hf",
        "layernorm_eps_1e-12, no relative bias, positions from 0 (BERT), "
            + "relative bias of the other direction, tanh_gelu"
    )]
    [InlineData("sentence_bert", "dense without its activation, pooled with padding, tanh_gelu")]
    [InlineData("sentence_mpnet", "not normalised, tanh_gelu")] // a mean of more places has the same direction
    [InlineData("sentence_xlmr", "dense without its activation, not normalised, pooled with padding, tanh_gelu")]
    [InlineData(
        "clip_hf",
        "another gelu, every token sees every token, last place instead of the end, layernorm_eps_1e-12"
    )]
    [InlineData(
        "clip_hf_laion",
        "another gelu, every token sees every token, last place instead of the end, layernorm_eps_1e-12"
    )]
    [InlineData("siglip_hf", "another gelu, layernorm_eps_1e-12")]
    [InlineData("siglip_hf_2", "another gelu, layernorm_eps_1e-12")]
    [InlineData(
        "dinov3_hf",
        "columns before rows, coordinates not normalised, layernorm_eps_1e-6, layerscale ignored, "
            + "positions shifted by the registers, rope_theta_10000, tanh_gelu"
    )]
    [InlineData(
        "dinov3_hf_gated",
        "columns before rows, coordinates not normalised, layernorm_eps_1e-6, layerscale ignored, "
            + "positions shifted by the registers, rope_theta_10000"
    )]
    [InlineData("dinov2_hf", "0.1 offset (Meta's own), layerscale ignored, tanh_gelu")]
    [InlineData("dinov2_hf_registers", "layerscale ignored, tanh_gelu")]
    [InlineData("dinov2_hf_swiglu", "0.1 offset (Meta's own), layerscale ignored")]
    [InlineData("text_transformer_npz", "exact_erf_gelu, layernorm_eps_1e-5")]
    [InlineData("t5_encoder", "attention scaled by 1/sqrt(d_kv), max_distance off (x2)")]
    [InlineData(
        "mt5_encoder",
        "attention scaled by 1/sqrt(d_kv), exact_erf_gelu, max_distance off (x2), rmsnorm_eps_1e-5"
    )]
    public void A_wrong_convention_does_not_go_unseen(string name, string mistakes)
    {
        var folder = Reference.OpenCopied(name);
        RunAll(folder);
        Assert.Equal(mistakes, string.Join(", ", folder.MistakesSeen.Order(StringComparer.Ordinal)));
        Assert.Equal(
            folder.MistakesSeen.Order(StringComparer.Ordinal),
            folder.MistakesNamed(folder.Tolerance()).Order(StringComparer.Ordinal)
        );
    }

    private static void RunAll(FixtureFolder folder)
    {
        var name = folder.Name;
        // A second fixture of a kind may be called after it, as in "dino_vit_2".
        var kind = Kinds
            .Values.Where(kind => name == kind.Folder || name.StartsWith(kind.Folder + "_", StringComparison.Ordinal))
            .MaxBy(kind => kind.Folder.Length);
        Assert.True(kind is not null, $"{name}: no test knows this kind of fixture.");
        var cases = kind.Cases(folder).ToList();
        Assert.NotEmpty(cases);
        var failures = new List<string>();
        foreach (var fixture in cases)
        {
            try
            {
                fixture.Run();
            }
            catch (Exception difference)
            {
                failures.Add($"{name}/{fixture.Name}: {difference.Message.Split('\n')[0]}");
            }
        }
        failures.AddRange(folder.UnknownFiles.Select(file => $"{name}/{file}: no case reads this file."));
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
    }
}

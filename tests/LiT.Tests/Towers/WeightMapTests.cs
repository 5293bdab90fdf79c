using LiT.Towers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Tests.Towers;

public class WeightMapTests
{
    private sealed class TwoLayers : Module<Tensor, Tensor>
    {
        public readonly ModuleList<Linear> layers = ModuleList(Linear(2, 3), Linear(2, 3));

        public TwoLayers()
            : base(nameof(TwoLayers)) => RegisterComponents();

        public override Tensor forward(Tensor x) => layers[0].call(x);
    }

    private static readonly WeightMap Flax = new("two layers")
    {
        { "Dense_{i}/kernel", "layers.{i}.weight", Axes.Transposed },
        { "Dense_{i}/bias", "layers.{i}.bias" },
    };

    private static MemoryCheckpoint File(params (string Name, Tensor Value)[] tensors) =>
        new(tensors.ToDictionary(t => t.Name, t => t.Value)) { Path = "two.npz" };

    private static float[] Floats(Tensor t) => [.. t.contiguous().data<float>()];

    [Fact]
    public void Kernels_are_transposed_and_numbers_carried_over()
    {
        using var scope = NewDisposeScope();
        var tower = new TwoLayers();
        var kernel = arange(6, dtype: float32).view(2, 3);
        var matched = Flax.Load(
            new WeightSource(
                File(
                    ("Dense_0/kernel", kernel),
                    ("Dense_0/bias", zeros(3)),
                    ("Dense_1/kernel", kernel + 10),
                    ("Dense_1/bias", ones(3))
                )
            ),
            tower
        );
        Assert.Equal([0, 3, 1, 4, 2, 5], Floats(tower.layers[0].weight!));
        Assert.Equal([10, 13, 11, 14, 12, 15], Floats(tower.layers[1].weight!));
        Assert.Equal([1, 1, 1], Floats(tower.layers[1].bias!));
        Assert.Contains(matched.Names, m =>
            m is { Theirs: "Dense_1/kernel", Ours: "layers.1.weight", Change: "transposed" }
        );
    }

    [Fact]
    public void One_message_lists_what_is_missing_left_over_and_of_another_shape()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<LitException>(() =>
            Flax.Load(
                new WeightSource(
                    File(
                        ("Dense_0/kernel", zeros(2, 4)),
                        ("Dense_0/bias", zeros(3)),
                        ("Dense_1/bias", zeros(3)),
                        ("Dense_2/bias", zeros(3)),
                        ("t", zeros(1))
                    )
                ),
                new TwoLayers()
            )
        );
        Assert.Equal(
            "two.npz looks like two layers, but does not fit: 1 missing (Dense_1/kernel); 2 left over "
                + "(Dense_2/bias, t); "
                + "1 of another shape (Dense_0/kernel [2, 4] for layers.0.weight [3, 2]). Check that the "
                + "file is complete and of this architecture.",
            error.Message
        );
    }

    [Fact]
    public void Nothing_is_changed_when_something_does_not_fit()
    {
        using var scope = NewDisposeScope();
        var tower = new TwoLayers();
        var before = Floats(tower.layers[0].bias!);
        Assert.Throws<LitException>(() => Flax.Load(new WeightSource(File(("Dense_0/bias", full(3, 7f)))), tower));
        Assert.Equal(before, Floats(tower.layers[0].bias!));
    }

    [Fact]
    public void A_letter_that_their_name_lacks_is_a_stacked_first_axis()
    {
        using var scope = NewDisposeScope();
        var tower = new TwoLayers();
        var stacked = new WeightMap("stacked")
        {
            { "Dense/kernel", "layers.{i}.weight", Axes.Transposed },
            { "Dense/bias", "layers.{i}.bias" },
        };
        stacked.Load(
            new WeightSource(
                File(
                    ("Dense/kernel", arange(12, dtype: float32).view(2, 2, 3)),
                    ("Dense/bias", arange(6, dtype: float32).view(2, 3))
                )
            ),
            tower
        );
        Assert.Equal([6, 9, 7, 10, 8, 11], Floats(tower.layers[1].weight!));
        Assert.Equal([3, 4, 5], Floats(tower.layers[1].bias!));
        var deeper = Assert.Throws<LitException>(() =>
            stacked.Load(new WeightSource(File(("Dense/kernel", zeros(3, 2, 3)), ("Dense/bias", zeros(3, 3)))), tower)
        );
        Assert.Contains("2 left over (Dense/bias[2], Dense/kernel[2])", deeper.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Several_tensors_of_theirs_can_be_parts_of_one_of_ours()
    {
        using var scope = NewDisposeScope();
        var tower = new TwoLayers();
        var map = new WeightMap("parts")
        {
            { "{i}.weight", "layers.{i}.weight" },
            { "{i}.first", "layers.{i}.bias", Axes.Same, 0, 3 },
            { "{i}.second", "layers.{i}.bias", Axes.Same, 1, 3 },
            { "{i}.third", "layers.{i}.bias", Axes.Same, 2, 3 },
        };
        (string, Tensor)[] file =
        [
            .. from i in new[] { 0, 1 }
            from part in new[]
            {
                ("weight", zeros(3, 2)),
                ("first", full(1, 1f)),
                ("second", full(1, 2f)),
                ("third", full(1, 3f)),
            }
            select ($"{i}.{part.Item1}", part.Item2),
        ];
        map.Load(new WeightSource(File(file)), tower);
        Assert.Equal([1, 2, 3], Floats(tower.layers[1].bias!));
        var lacking = Assert.Throws<LitException>(() =>
            map.Load(new WeightSource(File([.. file.Where(t => t.Item1 != "1.second")])), tower)
        );
        Assert.Contains("1 missing (1.second)", lacking.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_can_hold_another_table_with_something_before_the_names()
    {
        using var scope = NewDisposeScope();
        var tower = new TwoLayers();
        var layer = new WeightMap("layer") { { "kernel", "weight", Axes.Transposed }, { "bias", "bias" } };
        var map = new WeightMap("nested") { { layer, "Dense_{i}/", "layers.{i}." } };
        map.Load(
            new WeightSource(
                File(
                    ("Dense_0/kernel", zeros(2, 3)),
                    ("Dense_0/bias", zeros(3)),
                    ("Dense_1/kernel", zeros(2, 3)),
                    ("Dense_1/bias", ones(3))
                )
            ),
            tower
        );
        Assert.Equal([1, 1, 1], Floats(tower.layers[1].bias!));
    }

    [Fact]
    public void Two_names_for_one_weight_are_an_error_when_both_are_there()
    {
        using var scope = NewDisposeScope();
        var map = new WeightMap("either")
        {
            { "{i}/{old|new}", "layers.{i}.weight" },
            { "{i}/bias", "layers.{i}.bias" },
        };
        var error = Assert.Throws<LitException>(() =>
            map.Load(
                new WeightSource(
                    File(
                        ("0/old", zeros(3, 2)),
                        ("0/new", zeros(3, 2)),
                        ("1/new", zeros(3, 2)),
                        ("0/bias", zeros(3)),
                        ("1/bias", zeros(3))
                    )
                ),
                new TwoLayers()
            )
        );
        Assert.Contains("0/old (means the same as 0/new)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_skipped_on_purpose_says_why()
    {
        using var scope = NewDisposeScope();
        var matched = Flax.Skipping("projector.{*}", "only training needs it")
            .Load(
                new WeightSource(
                    File(
                        ("Dense_0/kernel", zeros(2, 3)),
                        ("Dense_0/bias", zeros(3)),
                        ("Dense_1/kernel", zeros(2, 3)),
                        ("Dense_1/bias", zeros(3)),
                        ("projector.0.weight", zeros(9))
                    )
                ),
                new TwoLayers()
            );
        Assert.Equal(["projector.0.weight: only training needs it"], matched.Skipped);
    }

    [Theory]
    [InlineData("block{s+1}/unit{i+1:00}/conv", "block2/unit03/conv", 1, 2)]
    [InlineData("block{s+1}/unit{i+1:00}/conv", "block1/unit12/conv", 0, 11)]
    public void Numbers_may_count_from_one_and_have_leading_zeros(string pattern, string name, int stage, int block)
    {
        var numbers = new NamePattern(pattern).NumbersIn(name)!;
        Assert.Equal((stage, block), (numbers['s'], numbers['i']));
        Assert.Equal(name, new NamePattern(pattern).NameWith(numbers));
    }

    [Fact]
    public void The_tree_named_params_is_the_model_and_a_teacher_goes_before_its_student()
    {
        using var scope = NewDisposeScope();
        var bigVision = File(("params/img/cls", zeros(1)), ("opt/mu/img/cls", zeros(1)), ("params/t", zeros(1)));
        Assert.Equal(["params/img/"], WeightSource.Holding(bigVision, "cls").Select(source => source.Prefix));
        Assert.Equal(["opt (1 tensor)", "params/t (1 tensor)"], WeightSource.Holding(bigVision, "cls")[0].Outside);
        var dino = File(("student.module.backbone.cls_token", zeros(1)), ("teacher.backbone.cls_token", zeros(1)));
        Assert.Equal("teacher.backbone.", WeightSource.Holding(dino, "cls_token")[0].Prefix);
    }
}

using LiT.Compute;
using LiT.Towers;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using LiT.Tuning.Runs;

namespace LiT.Tests.Tuning;

public class TuneRecipeTests
{
    [Fact]
    public void Every_recipe_that_comes_along_can_be_read_and_says_what_it_is_for()
    {
        Assert.Contains("coco", TuneRecipe.Names);
        Assert.Contains("public-models", TuneRecipe.Names);
        foreach (var name in TuneRecipe.Names)
        {
            var recipe = TuneRecipe.Read(name);
            Assert.Equal(name, recipe.Name);
            Assert.NotEmpty(recipe.Words!);
            Assert.Equal(recipe, TuneRecipe.Read(name + ".json") with { Options = recipe.Options });
        }
        var coco = TuneRecipe.Read("coco").Over(new());
        Assert.Equal(
            (512, 5000L, 150L, 0.001, 0.01, 1),
            (
                coco.Batch,
                coco.Steps,
                coco.WarmupSteps,
                coco.Optimizer.LearningRate,
                coco.Optimizer.WeightDecay,
                coco.Optimizer.ClipNorm
            )
        );
    }

    [Fact]
    public void A_recipe_asks_the_same_of_the_library_as_of_the_command_line()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(
            folder["r.json"],
            """
            { "texts": "t", "holdOut": 0.25, "pictures": 7, "validationTemplates": ["a {}"], "imageHead": "glu:8",
              "textHead": "glu:8" }
            """
        );
        var asked = TuneRequest.Of("d", new() { Recipe = folder["r.json"], Seed = 3 });
        Assert.Equal(
            ("d", "t", "LL", 0.25, 7, 3),
            (asked.Data, asked.Texts, asked.Lock.Letters, asked.HoldOut, asked.Pictures, asked.Seed)
        );
        Assert.Equal(["a {}"], asked.ValidationTemplates);
        Assert.Equal("glu:8", asked.ImageHead.ToString());

        // What is given goes before it; the ways to validate are one choice, and so is the text tower.
        var given = TuneRequest.Of(
            "d",
            new()
            {
                Recipe = folder["r.json"],
                Validation = "v",
                Texts = "other",
            }
        );
        Assert.Equal(("v", 0.0, "other"), (given.Validation, given.HoldOut, given.Texts));
        var tower = new TuneRecipe { TextTower = "bert:small" }.Before(new() { TextInit = "file", HoldOut = 0.5 });
        Assert.Equal(("bert:small", null, 0.5), (tower.TextTower, tower.TextInit, tower.HoldOut));
    }

    [Fact]
    public void What_a_recipe_does_not_say_stays_as_chosen()
    {
        var recipe = TuneRecipe.Parse(
            """{ "options": { "batch": 7, "optimizer": { "weightDecay": 0.5 } } /* the rest is the data's */ }""",
            "r.json"
        );
        var chosen = new TuningOptions
        {
            Steps = 77,
            Optimizer = new() { LearningRate = 0.25, WeightDecay = 0.1 },
        };
        var over = recipe.Over(chosen);
        Assert.Equal(
            (7, 77L, 0.25, 0.5),
            (over.Batch, over.Steps, over.Optimizer.LearningRate, over.Optimizer.WeightDecay)
        );
        Assert.True(recipe.Decides("optimizer.weightDecay"));
        Assert.False(recipe.Decides("optimizer.learningRate"));
    }

    [Fact]
    public void The_configuration_of_a_run_is_a_recipe_of_its_choices_alone()
    {
        var options = new TuningOptions { Batch = 5, Seed = 9 };
        var json = $$"""
            { "data": "store", "store": "store", "fingerprint": "f", "validation": "v", "holdOut": 0.1, "seed": 9, "textTower": "text:width=8,depth=1,heads=1",
              "tokenizer": null, "vocabularySize": 300, "tokenLength": null, "lock": "Lu", "imageHead": "4",
              "options": {{System.Text.Json.JsonSerializer.Serialize(options, TuningOptions.Json)}} }
            """;
        var recipe = TuneRecipe.Parse(json, "config.json");
        Assert.Equal(
            ("text:width=8,depth=1,heads=1", 300, "4", "Lu"),
            (recipe.TextTower, recipe.VocabularySize, recipe.ImageHead, recipe.Lock!.Letters)
        );
        Assert.Equal(
            (5, 3L),
            (recipe.Over(new TuningOptions { Seed = 3 }).Batch, recipe.Over(new TuningOptions { Seed = 3 }).Seed)
        );
    }

    [Theory]
    [InlineData("""{"bath":1}""", "the member bath is not known")]
    [InlineData("""{"options":{"bath":1}}""", "the member bath is not known")]
    [InlineData("""{"options":{"batch":"many"}}""", "batch is not what is expected")]
    [InlineData("""{"lock":"Xy"}""", "lock is not what is expected")]
    [InlineData("""[1]""", "an object is expected")]
    [InlineData("""{""", "cannot be used as a recipe")]
    public void What_is_not_understood_is_named(string json, string says)
    {
        var told = Assert.Throws<LitException>(() => TuneRecipe.Parse(json, "r.json")).Message;
        Assert.StartsWith("r.json: cannot be used as a recipe", told);
        Assert.Contains(says, told);
    }

    [Fact]
    public void Warm_up_is_a_twentieth_of_the_run_however_long_it_is_unless_the_recipe_says()
    {
        var pairs = new TuningPairs(new TinyRun.Directions(40), _ => ["red"], TinyRun.Tokenizer(), 0);
        long WarmUp(string json) =>
            TuningDefaults.Resolve(new(), TuneRecipe.Parse(json, "r.json"), LockSetting.Lu, pairs).Options.WarmupSteps;
        Assert.Equal(30, WarmUp("{}")); // of 600
        Assert.Equal(5, WarmUp("""{ "epochs": 20, "options": { "batch": 8 } }""")); // of 100
        Assert.Equal(12, WarmUp("""{ "epochs": 20, "options": { "batch": 8, "warmupSteps": 12 } }"""));
        Assert.Equal(0, WarmUp("""{ "epochs": 0.1, "options": { "batch": 40 } }""")); // of 1
    }

    [Fact]
    public void Small_data_holds_the_temperature_unless_somebody_decides_or_it_means_something_else()
    {
        var pairs = new TuningPairs(new TinyRun.Directions(40), _ => ["red"], TinyRun.Tokenizer(), 0);
        double Highest(TuningSettings given, string json = "{}", string setting = "Lu") =>
            TuningDefaults
                .Resolve(given, TuneRecipe.Parse(json, "r.json"), LockSetting.Parse(setting), pairs)
                .Options.HighestTemperature;
        var free = new TuningOptions().HighestTemperature;
        Assert.Equal(20, Highest(new()));
        Assert.Equal(50, Highest(new() { HighestTemperature = 50 }));
        Assert.Equal(100, Highest(new(), """{ "options": { "highestTemperature": 100 } }"""));
        Assert.Equal(free, Highest(new() { Temperature = 30 }));
        Assert.Equal(free, Highest(new() { LowestTemperature = 25, Temperature = 25 }));
        Assert.Equal(free, Highest(new() { Loss = ContrastiveLossKind.Sigmoid }));
        Assert.Equal(free, Highest(new(), setting: "LU"));
    }

    [Fact]
    public void Where_both_towers_are_locked_the_heads_take_their_own_rate_and_long_runs_hold_the_temperature()
    {
        TuningOptions Chosen(int count, TuningSettings given)
        {
            var pairs = new TuningPairs(new TinyRun.Directions(count), _ => ["red"], TinyRun.Tokenizer(), 0);
            return TuningDefaults.Resolve(given, null, LockSetting.LL, pairs).Options;
        }
        Assert.Equal(1e-3, Chosen(40, new()).Optimizer.LearningRate);
        Assert.Equal(1e-4, Chosen(40, new() { Optimizer = OptimizerKind.Lion }).Optimizer.LearningRate);
        Assert.Equal(0.02, Chosen(40, new() { LearningRate = 0.02 }).Optimizer.LearningRate);
        Assert.Equal(new TuningOptions().HighestTemperature, Chosen(40, new()).HighestTemperature);
        Assert.Equal(20, Chosen(5_000, new() { Epochs = 16 }).HighestTemperature);
    }

    [Fact]
    public void Captions_of_several_sentences_show_one_of_them_every_second_time_unless_somebody_decides()
    {
        var pairs = new TuningPairs(new TinyRun.Directions(40), _ => ["red"], TinyRun.Tokenizer(), 0);
        double Share(TuningSettings given, string json, params string[] captions)
        {
            var recipe = TuneRecipe.Parse(json, "r.json");
            return TuningDefaults
                .Resolve(given, recipe, LockSetting.Lu, pairs)
                .ForCaptions(given, recipe, captions)
                .Options.Sentences;
        }
        string[] half = ["A bus. It is red.", "a red bus"];
        Assert.Equal(0.5, Share(new(), "{}", half));
        Assert.Equal(0, Share(new(), "{}", [.. half, "a bus"]));
        Assert.Equal(0, Share(new(), "{}"));
        Assert.Equal(0, Share(new() { Sentences = 0 }, "{}", half));
        Assert.Equal(0, Share(new() { DropFirst = 0.3 }, "{}", half));
        Assert.Equal(0.2, Share(new(), """{ "options": { "sentences": 0.2 } }""", half));
    }

    [Fact]
    public void Heads_between_locked_towers_keep_the_neighbours_where_pairs_are_few_unless_somebody_decides()
    {
        var pairs = new TuningPairs(new TinyRun.Directions(40), _ => ["red"], TinyRun.Tokenizer(), 0);
        double Structure(int count, TuningSettings given, string json = "{}")
        {
            var recipe = TuneRecipe.Parse(json, "r.json");
            return TuningDefaults
                .Resolve(given, recipe, LockSetting.LL, pairs)
                .ForHeadsOfFewPairs(given, recipe, count)
                .Options.Structure;
        }
        Assert.Equal(1, Structure(999, new()));
        Assert.Equal(0, Structure(1_000, new()));
        Assert.Equal(0, Structure(40, new() { Structure = 0 }));
        Assert.Equal(0, Structure(40, new() { Loss = ContrastiveLossKind.Sigmoid }));
        Assert.Equal(5, Structure(40, new(), """{ "options": { "structure": 5 } }"""));
    }

    [Fact]
    public void Behind_a_text_tower_that_never_met_the_pictures_both_sides_have_a_layer()
    {
        using TemporaryFolder folder = new();
        folder.Write("bert.safetensors", "");
        HeadSpec Head(TuneRecipe recipe) => TuneRequest.Of(recipe, "store", ComputeDevice.Cpu).ImageHead;
        TuneRecipe locked = new() { TextInit = folder["bert.safetensors"], Lock = LockSetting.LL };
        Assert.Equal(new HeadSpec(null), Head(locked));
        Assert.Equal(HeadSpec.None, Head(locked with { ImageHead = "none" }));
        Assert.Equal(HeadSpec.None, Head(locked with { Lock = LockSetting.LU }));
        Assert.Equal(HeadSpec.None, Head(new()));
    }

    [Fact]
    public void A_long_run_on_captions_that_repeat_borrows_some_and_averages_its_weights_unless_somebody_decides()
    {
        static TuningPairs Pairs(int count, Func<int, string> caption) =>
            new(new TinyRun.Directions(count), i => [caption(i)], TinyRun.Tokenizer(), 0);
        static (double, double?) Chosen(TuningPairs pairs, TuningSettings given, string setting = "Lu")
        {
            var options = TuningDefaults
                .Resolve(given, TuneRecipe.Parse("{}", "r.json"), LockSetting.Parse(setting), pairs)
                .Options;
            return (options.LookAlikes, options.AverageDecay);
        }
        string[] words = ["a", "thing", "red", "green", "blue", "dark", "never", "seen"];
        string Another(int i) =>
            string.Join(' ', Enumerable.Range(0, 5).Select(digit => words[(i >> (3 * digit)) & 7]));
        var repeating = Pairs(5_000, _ => "red");
        TuningSettings run = new() { Epochs = 16 };
        Assert.Equal((0.5, 0.995), Chosen(repeating, run));
        Assert.Equal((0, 0.995), Chosen(repeating, run with { LookAlikes = 0 }));
        Assert.Equal((0.5, null), Chosen(repeating, run with { AverageDecay = 0 }));
        Assert.Equal((0, null), Chosen(repeating, new() { Epochs = 15 }));
        Assert.Equal((0.5, 0.995), Chosen(repeating, run, "LL"));
        Assert.Equal((0, null), Chosen(repeating, run, "LU"));
        Assert.Equal((0, null), Chosen(Pairs(4_999, _ => "red"), run));
        Assert.Equal((0, null), Chosen(Pairs(5_000, Another), run));
    }

    [Fact]
    public void A_name_that_is_none_is_answered_with_those_there_are() =>
        Assert.Contains(
            "coco, public-models",
            Assert.ThrowsAny<UsageException>(() => TuneRecipe.Read("cocoa")).Message
        );
}

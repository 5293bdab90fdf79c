using System.Text.Json.Nodes;

namespace LiT.Cli.Tests;

/// <summary>What lit tune and lit study are given, and what they say of it.</summary>
[Collection(nameof(InThisProcess))]
public sealed class TuneInputTests(Workbench bench)
{
    private const string Small = "text:width=16,depth=1,heads=2";
    private static readonly string[] Tower = ["--text-tower", Small];

    [Fact]
    public void A_runs_own_configuration_is_a_recipe_with_its_hold_out_and_its_validation()
    {
        string[] first = ["tune", "--data", "store", "--steps", "2", "--batch", "8", .. Tower];
        Run([.. first, "--hold-out", "0.25", "--pictures", "100", "--out", "held"]).Expect(0);
        string[] again = ["tune", "--data", "store", "--recipe", "held/config.json"];
        Run([.. again, "--out", "held-again"]).Expect(0);
        Assert.True(JsonNode.DeepEquals(Configuration("held"), Configuration("held-again")));

        File.WriteAllText(Path.Combine(bench.Folder, "kinds.txt"), string.Join('\n', Kinds()));
        Run([.. first, "--val", "test.tar", "--val-classes", "kinds.txt", "--out", "watched"]).Expect(0);
        Run([.. again[..^1], "watched/config.json", "--out", "watched-again"]).Expect(0);
        Assert.True(JsonNode.DeepEquals(Configuration("watched"), Configuration("watched-again")));
        Assert.Equal("test.tar", Configuration("watched-again")["validation"]!.GetValue<string>());

        // What is given goes before it.
        Run([.. again, "--val", "test.tar", "--out", "held-other"]).Expect(0);
        Assert.Equal(0, Configuration("held-other")["holdOut"]!.GetValue<double>());
    }

    [Fact]
    public void A_store_of_texts_comes_back_with_the_recipe_of_a_run()
    {
        string[] short_ = ["--steps", "2", "--batch", "8"];
        Run(["tune", "--data", "store", "--texts", "texts", "--image-head", "16", .. short_, "--out", "heads"])
            .Expect(0);
        Run("tune", "--data", "store", "--recipe", "heads/config.json", "--out", "heads-again").Expect(0);
        Assert.True(JsonNode.DeepEquals(Configuration("heads"), Configuration("heads-again")));
        Assert.Equal("texts", Configuration("heads-again")["texts"]!.GetValue<string>());
        Assert.Equal("LL", Configuration("heads-again")["lock"]!.GetValue<string>());
    }

    [Fact]
    public void An_option_may_stand_among_a_recipes_options_or_beside_them_as_in_vary()
    {
        File.WriteAllText(
            Path.Combine(bench.Folder, "flat.json"),
            $$$"""{"textTower": "{{{Small}}}", "batch": 8, "steps": 2, "optimizer": {"learningRate": 0.002}}"""
        );
        File.WriteAllText(
            Path.Combine(bench.Folder, "nested.json"),
            $$$"""{"textTower": "{{{Small}}}", "options": {"batch": 8, "steps": 2, "optimizer": {"learningRate": 0.002} } }"""
        );
        foreach (var name in new[] { "flat", "nested" })
            Run("tune", "--data", "store", "--recipe", $"{name}.json", "--out", $"from-{name}").Expect(0);
        Assert.True(JsonNode.DeepEquals(Configuration("from-flat"), Configuration("from-nested")));
        Assert.Equal(8, Configuration("from-flat")["options"]!["batch"]!.GetValue<int>());
    }

    [Theory]
    [InlineData(
        """{"options": {"loss": "Hinge"}}""",
        "loss is not what is expected there; give one of Softmax, Sigmoid"
    )]
    [InlineData("""{"options": {"batch": "many"}}""", "batch is not what is expected there; give a whole number")]
    [InlineData("""{"batch": 0}""", "batch 0: a pair needs others to be told from")]
    [InlineData("""{"tokenLength": "long"}""", "tokenLength is not what is expected there; give a whole number")]
    [InlineData("{\n\"batch\": 8,\n", "line 3")]
    [InlineData("[1]", "an object is expected")]
    [InlineData("", "it is empty")]
    [InlineData("""{"batch": 8, "batch": 16}""", "batch")]
    [InlineData("""{"epochs": 0}""", "epochs 0: Give a number above 0")]
    [InlineData("""{"holdOut": 1.5}""", "holdOut 1.5: Give a share from 0 to below 0.9")]
    [InlineData("""{"pictures": 0}""", "pictures 0: Give at least 1")]
    [InlineData("""{"seed": 5, "batch": 8}""", "seed: is no recipe's. Leave it out")]
    public void A_wrong_recipe_is_told_in_words(string recipe, string said)
    {
        File.WriteAllText(Path.Combine(bench.Folder, "wrong.json"), recipe);
        var talk = Run("tune", "--data", "store", "--recipe", "wrong.json", "--out", "never").Expect(1).Talk;
        Assert.Contains(said, talk, StringComparison.Ordinal);
        foreach (
            var word in new[]
            {
                "System.",
                "LiT.Tuning",
                "BytePosition",
                "LineNumber",
                "$.",
                "is a bug",
                "isFinalBlock",
            }
        )
            Assert.DoesNotContain(word, talk, StringComparison.Ordinal);
    }

    [Fact]
    public void Pictures_without_a_caption_are_told_before_any_is_embedded()
    {
        string[] tune = ["tune", "--image-tower", "trained/tower.safetensors", .. Tower];
        foreach (var way in new string[][] { [], ["--from-pixels"] })
        {
            var refused = Run([.. tune, .. way, "--data", "photos/00000", "--out", "captionless"]).Expect(1);
            Assert.Contains("none of its 24 pictures has a caption", refused.Talk, StringComparison.Ordinal);
            Assert.DoesNotContain("embedding", refused.Talk, StringComparison.Ordinal);
            Assert.False(Directory.Exists(Path.Combine(bench.Folder, "captionless")));
        }
    }

    [Fact]
    public void One_picture_is_told_as_such_and_no_option_is_blamed_that_nobody_gave()
    {
        var one = Directory.CreateDirectory(Path.Combine(bench.Folder, "one")).FullName;
        var picture = Directory
            .EnumerateFiles(Path.Combine(bench.Folder, "photos"), "*.*", SearchOption.AllDirectories)
            .Order()
            .First(file => Path.GetExtension(file) is ".png" or ".jpg" or ".webp");
        File.Copy(picture, Path.Combine(one, "00000" + Path.GetExtension(picture)), overwrite: true);
        File.WriteAllText(Path.Combine(one, "00000.txt"), "a red ball");
        string[] tune = ["tune", "--image-tower", "trained/tower.safetensors", .. Tower];

        var talk = Run([.. tune, "--data", "one", "--out", "of-one"]).Expect(1).Talk;
        Assert.Contains("one: one picture with a caption is left to tune on, and", talk, StringComparison.Ordinal);
        Assert.Contains("Give at least two pictures with captions.", talk, StringComparison.Ordinal);
        Assert.DoesNotContain("--batch", talk, StringComparison.Ordinal);

        // Where an option took the others away, it is named.
        talk = Run([.. Tower.Prepend("tune"), "--data", "store", "--pictures", "1", "--out", "of-many"]).Expect(1).Talk;
        Assert.Contains("--pictures takes 1", talk, StringComparison.Ordinal);
        Assert.Contains("Give a larger number, or leave --pictures out.", talk, StringComparison.Ordinal);
        Assert.DoesNotContain("at least two pictures", talk, StringComparison.Ordinal);
    }

    [Fact]
    public void That_every_caption_is_held_out_is_said_so()
    {
        Lit.Outcome? refused = null;
        // Made here: two pictures, one of them with a caption.
        Directory.CreateDirectory(Path.Combine(bench.Folder, "own-two", "img_emb"));
        bench.Rows(
            Path.Combine("own-two", "img_emb", "img_emb_0.npy"),
            [
                [1, 0, 0],
                [0, 1, 0],
            ]
        );
        foreach (var captions in new[] { """["a cat", null]""", """[null, "a cat"]""" })
        {
            File.WriteAllText(Path.Combine(bench.Folder, "own-two", "captions.json"), captions);
            refused = Run([
                "tune",
                "--data",
                "own-two",
                "--hold-out",
                "0.5",
                "--out",
                $"held-all-{captions.Length}",
                .. Tower,
            ]);
            if (refused.Talk.Contains("is held out", StringComparison.Ordinal))
                break;
        }
        Assert.Contains(
            "every picture that has a caption is held out",
            refused!.Expect(2).Talk,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_tower_that_was_tuned_is_told_from_one_that_stayed_and_can_be_the_next_ones_image_tower()
    {
        string[] tune = ["tune", "--data", "test.tar", "--lock", "Uu", "--image-tower", "trained/tower.safetensors"];
        var talk = Run([.. tune, "--steps", "1", "--batch", "4", "--out", "moved", .. Tower]).Expect(0).Talk;
        Assert.Contains("and the image tower is tuned with it", talk, StringComparison.Ordinal);
        Assert.DoesNotContain("the image side is fixed", talk, StringComparison.Ordinal);
        var proof = Run("verify", "moved").Expect(0).Output;
        Assert.Contains("as it was when the tuning ended (--lock Uu", proof, StringComparison.Ordinal);
        Assert.DoesNotContain("unchanged", proof, StringComparison.Ordinal);

        var embedded = Run("embed", "--image-tower", "moved", "--data", "test.tar", "--out", "of-moved", "--json")
            .Expect(0)
            .Json;
        Assert.Equal(
            Run("verify", "moved", "--json").Expect(0).Json.GetProperty("fingerprint").GetString(),
            embedded.GetProperty("fingerprint").GetString()
        );
        Run("verify", "moved", "--store", "of-moved").Expect(0);
        Run(["tune", "--data", "of-moved", "--steps", "1", "--batch", "4", "--out", "after-moved", .. Tower]).Expect(0);
    }

    [Fact]
    public void Few_shot_says_how_many_pictures_a_class_there_were()
    {
        string[] command = ["eval", "fewshot", "--train", "store", "--data", "store", "--label-column", "colour"];
        var score = Run([.. command, "--draws", "1", "--shots", "500", "--json"]).Expect(0);
        Assert.Equal(500, score.Json[0].GetProperty("shots").GetInt32());
        Assert.InRange(score.Json[0].GetProperty("most").GetInt32(), 1, 119);
        Assert.Contains(
            "500 pictures a class were asked for, and no class has as many",
            score.Talk,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            "500",
            Run([.. command, "--draws", "1", "--shots", "500"]).Expect(0).Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Every_column_of_a_study_has_a_name_of_its_own()
    {
        Run(
                "study",
                "--data",
                "store",
                "--test",
                "store",
                "--vary",
                "textTower=text:width=16,depth=1,heads=2",
                "--vary",
                "loss=Softmax,Sigmoid",
                "--vary",
                "steps=1",
                "--vary",
                "batch=8",
                "--out",
                "columns"
            )
            .Expect(0);
        var columns = File.ReadLines(Path.Combine(bench.Folder, "columns", "results.csv")).First().Split(',');
        Assert.Equal(columns.Distinct(), columns);
        Assert.Contains("varied loss", columns);
        Assert.Contains("loss", columns);
    }

    private JsonNode Configuration(string run) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(bench.Folder, run, "config.json")))!;

    private IEnumerable<string> Kinds() => File.ReadLines(Path.Combine(bench.Folder, "small", "data", "classes.txt"));

    private Lit.Outcome Run(params string[] command) => Here.Run(bench.Folder, command);
}

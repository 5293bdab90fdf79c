using System.Text.Json.Nodes;

namespace LiT.Cli.Tests;

/// <summary>What a bundle proves of itself, and what a calibrated model promises.</summary>
[Collection(nameof(InThisProcess))]
[Trait("computes", "yes")]
public sealed class PromiseTests(Workbench bench)
{
    [Theory]
    [InlineData("temperature")]
    [InlineData("lock")]
    [InlineData("image")]
    public void A_description_that_was_edited_is_found(string member)
    {
        var path = Path.Combine(Copy($"edited-{member}"), "model.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!;
        if (member == "image")
            json["image"]!["tower"] = "another";
        else
            json[member] = member == "lock" ? "UU" : json[member]!.GetValue<double>() * 1.5;
        File.WriteAllText(path, json.ToJsonString());
        Assert.Contains(
            "model.json: was changed since the bundle was written",
            Run("verify", $"edited-{member}").Expect(1).Talk,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("temperature", "-3", "model.json says a temperature of -3, and the weights have")]
    [InlineData("preprocessing", "{}", "damaged (lacks 'width'")]
    [InlineData("fingerprint", "\"00\"", "this image tower is not the one that the model was tuned to")]
    public void Nothing_is_answered_with_a_description_that_does_not_fit(string member, string value, string said)
    {
        var path = Path.Combine(Copy($"unfit-{member}"), "model.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json.Remove("digest");
        (member == "temperature" ? json : json["image"]!.AsObject())[member] = JsonNode.Parse(value);
        File.WriteAllText(path, json.ToJsonString());
        var talk = Run("classify", "photos", "--model", $"unfit-{member}", "--labels", "cat,dog").Expect(1).Talk;
        Assert.Contains(said, talk, StringComparison.Ordinal);
        Assert.DoesNotContain("Give a JPEG", talk, StringComparison.Ordinal); // no picture is blamed
        Assert.DoesNotContain("LiT.", talk, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_dash_is_no_text_to_look_for()
    {
        var refused = Run("search", "cat", "—top", "1", "--model", "run", "--data", "store").Expect(2);
        Assert.Contains("—top: there is no such option. Did you mean --top?", refused.Talk, StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_of_labels_may_have_line_ends_of_any_kind()
    {
        File.WriteAllText(Path.Combine(bench.Folder, "ends.txt"), "cat\rdog\r\nhorse\n");
        var answer = Run("classify", "photos", "--model", "run", "--labels-file", "ends.txt", "--json").Expect(0).Json;
        Assert.Equal(3, answer[0].GetProperty("labels").GetArrayLength());
    }

    [Fact]
    public void A_description_that_was_only_laid_out_anew_is_as_it_was()
    {
        var path = Path.Combine(Copy("laid-out"), "model.json");
        File.WriteAllText(path, JsonNode.Parse(File.ReadAllText(path))!.ToJsonString());
        Assert.True(Run("verify", "laid-out", "--json").Expect(0).Json.GetProperty("descriptionChecked").GetBoolean());
    }

    [Theory]
    [InlineData("background.safetensors")]
    [InlineData("words.txt")]
    [InlineData("vocab.txt")]
    [InlineData("golden.json")]
    [InlineData("image.safetensors")]
    [InlineData("text.safetensors")]
    public void A_flipped_byte_is_found_in_every_file(string file)
    {
        var path = Path.Combine(Copy($"flipped-{file}"), file);
        var bytes = File.ReadAllBytes(path);
        bytes[^3] ^= 1;
        File.WriteAllBytes(path, bytes);
        Assert.Contains(
            $"{file}: was changed since the bundle was written",
            Run("verify", $"flipped-{file}").Expect(1).Talk,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_bundle_of_an_earlier_version_passes_and_what_no_hash_covers_is_named()
    {
        var path = Path.Combine(Copy("earlier"), "model.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json.Remove("digest");
        json["files"]!.AsObject().Remove("background.safetensors");
        File.WriteAllText(path, json.ToJsonString());
        var proof = Run("verify", "earlier").Expect(0);
        Assert.Contains("no hash covers background.safetensors", proof.Talk, StringComparison.Ordinal);
        Assert.Contains("model.json carries no hash of its own", proof.Output, StringComparison.Ordinal);

        // Its temperature stands in the weights as well.
        json["temperature"] = json["temperature"]!.GetValue<double>() * 2;
        File.WriteAllText(path, json.ToJsonString());
        Assert.Contains("and the weights have", Run("verify", "earlier").Expect(1).Talk, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_promised_for_a_word_that_no_caption_had()
    {
        string[] classify = ["classify", "photos", "--model", "run", "--json", "--min-precision", "0.01"];
        var unseen = Run([.. classify, "--labels", "qwerty,zxcvb uiop"]).Expect(0);
        Assert.Contains(
            "'qwerty': no caption of the tuning had 'qwerty', so no precision is promised for it",
            unseen.Talk,
            StringComparison.Ordinal
        );
        Assert.All(unseen.Json.EnumerateArray(), one =>
        {
            Assert.True(one.GetProperty("noneOfThese").GetBoolean());
            Assert.False(one.TryGetProperty("expectedPrecision", out _));
            Assert.NotEqual(0, one.GetProperty("unseenWords").GetArrayLength());
        });
        // The templates' own words need no promise, and a label that was seen has one, beside one that was not.
        var seen = Run([.. classify, "--labels", "cat,qwerty"]).Expect(0).Json.EnumerateArray().ToList();
        Assert.All(seen, one =>
            Assert.Equal(
                one.GetProperty("labels")[0].GetProperty("label").GetString() == "cat",
                one.TryGetProperty("expectedPrecision", out _)
            )
        );

        string[] search = ["search", "qwerty", "cat", "--each", "--model", "run", "--data", "store", "--json"];
        var found = Run([.. search, "--min-precision", "0.0001"]).Expect(0);
        Assert.Contains("'qwerty': no caption of the tuning had 'qwerty'", found.Talk, StringComparison.Ordinal);
        Assert.Equal("qwerty", found.Json[0].GetProperty("unseenWords")[0].GetString());
        Assert.Equal(0, found.Json[0].GetProperty("results").GetArrayLength());
        Assert.False(found.Json[1].TryGetProperty("unseenWords", out _));
        var plain = Run(search).Expect(0).Json[0].GetProperty("results");
        Assert.NotEqual(0, plain.GetArrayLength()); // it is found, and without a promise
        Assert.All(plain.EnumerateArray(), one => Assert.False(one.TryGetProperty("expectedPrecision", out _)));
    }

    [Fact]
    public void No_word_is_called_unseen_where_a_text_tower_read_more_than_these_captions()
    {
        var tower = Directory.CreateDirectory(Path.Combine(bench.Folder, "bare-tower")).FullName;
        foreach (var name in new[] { "text.safetensors", "vocab.txt" })
            File.Copy(Path.Combine(bench.Folder, "run/model", name), Path.Combine(tower, name));
        Tune("from-file", "bare-tower/text.safetensors", "--tokenizer", "bare-tower/vocab.txt");
        Tune("from-run", "run");
        Tune("from-file-again", "from-file");

        // A bundle says what its captions had; of a file from elsewhere nobody knows, nor of what is made of it.
        Assert.Equal([false, true, false], Made.Select(run => File.Exists(Path.Combine(run, "model", "words.txt"))));
        Assert.All(Made, run =>
        {
            string[] search = ["search", "qwerty", "--model", run, "--data", "store", "--json"];
            Run("calibrate", "--model", run, "--data", "store").Expect(0);
            Assert.Equal(
                run.EndsWith("from-run", StringComparison.Ordinal),
                Run([.. search, "--min-precision", "0.0001"]).Expect(0).Json.TryGetProperty("unseenWords", out _)
            );
        });

        void Tune(string run, string textTower, params string[] more) =>
            Run(["tune", "--data", "store", "--text-tower", textTower, "--steps", "2", "--out", run, .. more])
                .Expect(0);
    }

    private string[] Made =>
        [.. new[] { "from-file", "from-run", "from-file-again" }.Select(run => Path.Combine(bench.Folder, run))];

    private string Copy(string name)
    {
        var folder = Path.Combine(bench.Folder, name);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(Path.Combine(bench.Folder, "run", "model")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        return folder;
    }

    private Lit.Outcome Run(params string[] command) => Here.Run(bench.Folder, command);
}

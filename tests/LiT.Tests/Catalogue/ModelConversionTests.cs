using LiT.Bundles;
using LiT.Catalogue;
using LiT.Classification;
using LiT.Compute;
using LiT.Drawings;
using LiT.Tests.Parity;
using LiT.Text;
using LiT.Towers;

namespace LiT.Tests.Catalogue;

/// <summary>
/// Two-tower files of others as models and as bundles, whose golden vectors and hashes show what was changed.
/// </summary>
public sealed class ModelConversionTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("lit_l16s_style")]
    [InlineData("siglip_style")]
    public void A_published_file_becomes_a_bundle_that_gives_the_same_and_verifies(string name)
    {
        var file = Copied(name);
        using var published = LitModel.Load(file);
        ModelConversion.ToBundle(file, folder["bundle"], null, null);
        using var bundle = LitModel.Load(folder["bundle"]);
        Assert.Equal(published.EmbedTexts(["a b", "c"]).Values, bundle.EmbedTexts(["a b", "c"]).Values);
        Assert.Equal(published.Image.Fingerprint, bundle.Image.Fingerprint);
        Assert.Equal(
            (published.Description.Temperature, published.Description.Bias),
            (bundle.Description.Temperature, bundle.Description.Bias)
        );
        Assert.Equal(published.Tokenizer.Row("a b", out _), bundle.Tokenizer.Row("a b", out _));

        var check = ModelCheck.Run(folder["bundle"], ComputeDevice.Cpu);
        Assert.Equal((3, ProbeVectors.Pictures), (check.Golden!.Texts, check.Golden.Pictures));
        Assert.InRange(check.Golden.Largest, 0, 1e-6);
        Assert.Equal(
            ["golden.json", "image.safetensors", "sentencepiece.model", "text.safetensors"],
            bundle.Description.Files!.Keys.Order(StringComparer.Ordinal)
        );
        Assert.Equal("model bundle", ModelExplainer.Explain(folder["bundle"]).What);
    }

    [Theory]
    [InlineData("image.file", "../outside/image.safetensors", "leads out of the folder")]
    [InlineData("text.file", "../outside/text.safetensors", "leads out of the folder")]
    [InlineData("text.file", "/outside/text.safetensors", "is an absolute path")]
    [InlineData("text.tokenizer.file", "../outside/sentencepiece.model", "leads out of the folder")]
    [InlineData("image.file", "door/image.safetensors", "leads out of the folder by a link")]
    [InlineData("text.file", "other.safetensors", "is a link out of the folder")]
    public void A_bundle_opens_nothing_outside_of_itself_because_its_model_json_says_so(
        string member,
        string name,
        string why
    )
    {
        ModelConversion.ToBundle(Copied("siglip_style"), folder["bundle"], null, null);
        Directory.Move(folder["bundle"], folder["outside"]);
        ModelConversion.ToBundle(Copied("siglip_style"), folder["bundle"], null, null);
        Directory.CreateSymbolicLink(folder["bundle", "door"], "../outside");
        File.WriteAllBytes(folder["outside", "strange.safetensors"], [1, 2, 3]);
        File.CreateSymbolicLink(folder["bundle", "other.safetensors"], "../outside/strange.safetensors");
        if (name.StartsWith('/'))
            name = folder["outside", "text.safetensors"];
        var path = folder["bundle", "model.json"];
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(path))!;
        var parts = member.Split('.');
        var holder = json;
        foreach (var part in parts[..^1])
            holder = holder[part]!;
        holder[parts[^1]] = name;
        File.WriteAllText(path, json.ToJsonString());
        Unsealed(path);

        foreach (
            var open in new Action[]
            {
                () => LitModel.Load(folder["bundle"]).Dispose(),
                () => LitModel.TokenizerOf(folder["bundle"]),
                () => ModelCheck.Run(folder["bundle"], ComputeDevice.Cpu),
            }
        )
        {
            var refused = Assert.Throws<LitException>(open).Message;
            Assert.StartsWith($"{path}: {member} '{name}' {why}", refused, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_bundle_may_lie_as_links_in_a_cache_and_opens_as_what_they_lead_to()
    {
        ModelConversion.ToBundle(Copied("siglip_style"), folder["bundle"], null, null);
        var (blobs, snapshot) = (folder["models--me--x", "blobs"], folder["models--me--x", "snapshots", "abc"]);
        Directory.CreateDirectory(blobs);
        Directory.CreateDirectory(snapshot);
        Directory.CreateDirectory(folder["anywhere"]);
        foreach (var file in Directory.GetFiles(folder["bundle"]))
        {
            var name = Path.GetFileName(file);
            File.Copy(file, Path.Combine(blobs, "b" + name.Length));
            File.CreateSymbolicLink(Path.Combine(snapshot, name), $"../../blobs/b{name.Length}");
            File.CreateSymbolicLink(folder["anywhere", name], file); // by its hash it is the right one
        }
        using var real = LitModel.Load(folder["bundle"]);
        foreach (var links in new[] { snapshot, folder["anywhere"] })
        {
            using var linked = LitModel.Load(links);
            Assert.Equal(real.EmbedTexts(["a b"]).Values, linked.EmbedTexts(["a b"]).Values);
            Assert.Equal(real.Image.Fingerprint, linked.Image.Fingerprint);
            ModelCheck.Run(links, ComputeDevice.Cpu);
        }
    }

    [Fact]
    public void Rows_are_laid_out_as_each_kind_of_published_text_tower_was_trained()
    {
        using var lit = LitModel.Load(Copied("lit_l16s_style"));
        Assert.Equal(CaptionCase.AsWritten, lit.Tokenizer.Case);
        Assert.Equal(lit.Tokenizer.Layout.End, lit.Tokenizer.Layout.Pad);
        using var siglip = LitModel.Load(Copied("siglip_style"));
        Assert.Equal(CaptionCase.AsciiLower, siglip.Tokenizer.Case);
        Assert.Equal(1, siglip.Tokenizer.Layout.Pad);
        Assert.Equal(siglip.Towers.Text.MaxLength, siglip.Tokenizer.Layout.Length);

        var vocabulary = Reference.OpenCopied("tokenizer_wordpiece").PathOf("vocab.txt");
        var bert = TowerTokenizers.For(new BertConfig(32, 1, 4, 64), vocabulary);
        Assert.Equal(
            (16, bert.Tokenizer.IdOf("[CLS]"), (int?)null, 0),
            (bert.Layout.Length, bert.Layout.Start, bert.Layout.End, bert.Layout.Pad)
        );
    }

    [Theory]
    [InlineData("text.safetensors")]
    [InlineData("sentencepiece.model")]
    [InlineData("golden.json")]
    public void One_bit_that_was_changed_is_one_line_that_names_the_file(string file)
    {
        var bundle = Bundle();
        Flip(Path.Combine(bundle, file));
        Assert.Contains($"{file}: was changed since the bundle was written", Refused(bundle));
    }

    [Fact]
    public void One_bit_of_the_image_tower_is_found_by_its_hash_and_by_its_fingerprint_alone()
    {
        var bundle = Bundle();
        Flip(Path.Combine(bundle, "image.safetensors"));
        Assert.Contains("image.safetensors: was changed", Refused(bundle));
        WithoutHashes(bundle);
        Assert.Contains("is not the one that the model was tuned to (fingerprint", Refused(bundle));
    }

    [Fact]
    public void A_machine_that_computes_something_else_is_found_by_the_golden_vectors()
    {
        var bundle = Bundle();
        // Another nonlinearity with the same weights, as another program would have it.
        Changed(bundle, "model.json", text => text.Replace("gelu-tanh", "gelu", StringComparison.Ordinal));
        Assert.Contains(
            "the text tower gives other numbers for \"a photo of a cat\" than where the model was made",
            Refused(bundle)
        );
    }

    [Fact]
    public void Another_reading_of_texts_is_found_by_the_golden_ids()
    {
        var bundle = Bundle();
        Changed(bundle, "model.json", text => text.Replace("as-written", "ascii-lower", StringComparison.Ordinal));
        Assert.Contains("the tokenizer gives the ids", Refused(bundle));
    }

    [Fact]
    public void A_damaged_file_of_golden_vectors_is_one_line()
    {
        var bundle = Bundle();
        WithoutHashes(bundle);
        foreach (
            var damage in new[]
            {
                "",
                "{}",
                "null",
                "{\"device\":\"cpu\",\"texts\":[{\"text\":1}]}",
                "{\"device\":\"cpu\",\"images\":{\"values\":\"!\"},\"texts\":[]}",
            }
        )
        {
            File.WriteAllText(Path.Combine(bundle, "golden.json"), damage);
            Assert.Contains("golden.json: damaged", Refused(bundle));
        }
        File.Delete(Path.Combine(bundle, "golden.json"));
        Assert.Null(ModelCheck.Run(bundle, ComputeDevice.Cpu).Golden);
    }

    [Fact]
    public void An_image_tower_and_the_text_side_that_was_tuned_to_it_become_one_bundle_and_others_do_not()
    {
        var bundle = Bundle();
        ModelConversion.ToTowerFile(Path.Combine(bundle, "image.safetensors"), folder["tower.safetensors"]);
        ModelConversion.ToBundle(folder["tower.safetensors"], folder["again"], bundle, null);
        Assert.Equal(
            ModelCheck.Run(bundle, ComputeDevice.Cpu).Fingerprint,
            ModelCheck.Run(folder["again"], ComputeDevice.Cpu).Fingerprint
        );
        DrawnTower.Write(folder["other.safetensors"]);
        Assert.Contains(
            "was tuned to another image tower",
            Assert
                .Throws<LitException>(() =>
                    ModelConversion.ToBundle(folder["other.safetensors"], folder["x"], bundle, null)
                )
                .Message
        );
        Assert.Contains(
            "holds files that are no bundle",
            Assert.Throws<LitException>(() => ModelConversion.ToBundle(bundle, folder.Path, null, null)).Message
        );
        Assert.Contains(
            "holds no two towers",
            Assert
                .Throws<LitException>(() =>
                    ModelConversion.ToBundle(folder["other.safetensors"], folder["x"], null, null)
                )
                .Message
        );
    }

    [Fact]
    public void A_file_without_its_vocabulary_says_where_it_is_looked_for()
    {
        var file = Copied("lit_l16s_style");
        File.Delete(Path.ChangeExtension(file, ".model"));
        var refused = Assert.Throws<LitException>(() => LitModel.Load(file)).Message;
        Assert.Contains(
            "its vocabulary is not beside it. Put it there as lit_l16s_style.txt (BERT) or .model (SentencePiece)",
            refused
        );
        Assert.Contains("`ModelConversion(", refused);
        Assert.Contains("there is LiT-B16B", Assert.Throws<LitException>(() => LitModel.Load("LiT-B16C")).Message);
    }

    [Fact]
    public void The_built_in_tower_gives_its_golden_vectors() => Assert.Contains("allowed", DrawnTower.Check());

    private static string Refused(string bundle) =>
        Assert.Throws<LitException>(() => ModelCheck.Run(bundle, ComputeDevice.Cpu)).Message;

    [Fact]
    public void A_bundle_of_a_bundle_has_its_languages_calibrations_and_taught_words_and_none_of_the_one_before_it()
    {
        var source = Bundle();
        using (var model = LitModel.Load(source))
        {
            var background = Calibration(model, "own");
            model.Keep(background);
            BundleFiles.Exchange(
                source,
                TaughtVectors.FileName,
                TaughtVectors.None(model.EmbeddingSize).With(new("qqq", 5, 20), model.EmbedTexts(["b"])[0]).Save
            );
            AddLanguage(model, source, ["de"], 0.5f, Calibration(model, "german"));
            AddLanguage(model, source, ["fi", "ja"], -1, null);
        }
        ModelConversion.ToBundle(Copied("siglip_style"), folder["again"], null, null);
        using (var other = LitModel.Load(folder["again"]))
            AddLanguage(other, folder["again"], ["tr"], 2, null);

        ModelConversion.ToBundle(source, folder["again"], null, null);

        Assert.Equal(["de", "fi", "ja"], BundleLanguages.In(folder["again"]));
        foreach (var language in new[] { null, "de", "fi" })
        {
            using var before = LitModel.Load(source, language: language);
            using var after = LitModel.Load(folder["again"], language: language);
            Assert.Equal(before.EmbedTexts(["a b", "qqq"]).Values, after.EmbedTexts(["a b", "qqq"]).Values);
            Assert.Equal(before.Taught.Words, after.Taught.Words);
            Assert.Equal(Background.Load(before.Folder!)?.Collection, Background.Load(after.Folder!)?.Collection);
            Assert.Equal(before.Language, after.Language);
            Assert.Equal(before.Description.Languages, after.Description.Languages);
        }
        Assert.Equal("own", Background.Load(folder["again"])!.Collection);
        Assert.Equal("german", Background.Load(folder["again", "languages", "de"])!.Collection);
        ModelCheck.Run(folder["again"], ComputeDevice.Cpu);
    }

    private static Background Calibration(LitModel model, string collection)
    {
        var rows = model.EmbedTexts(["a", "b", "c", "a b", "b c"]);
        return Background.Of(rows, rows, [.. Enumerable.Range(0, rows.Count).Select(i => new[] { i })], collection);
    }

    private static void AddLanguage(LitModel model, string to, string[] codes, float factor, Background? background)
    {
        using var changed = LitModel.Load(to);
        using (TorchSharp.torch.no_grad())
            foreach (var (name, weights) in changed.Towers.named_parameters())
                if (name.StartsWith("text", StringComparison.Ordinal) && weights.dim() > 1)
                    weights.select(0, 0).mul_(factor);
        var words = background is null
            ? null
            : TaughtVectors.None(model.EmbeddingSize).With(new("www", 3, 20), model.EmbedTexts(["c"])[0]);
        LitModel.SaveLanguage(
            to,
            codes,
            changed.Towers,
            model.Tokenizer,
            made => made,
            null,
            background,
            words,
            replace: false
        );
    }

    private string Bundle()
    {
        ModelConversion.ToBundle(Copied("lit_l16s_style"), folder["bundle"], null, null);
        return folder["bundle"];
    }

    // The fixture's text tower with a vocabulary that is no larger.
    private string Copied(string name)
    {
        var fixture = Reference.OpenCopied("lit_two_towers_npz");
        var file = folder[$"{name}.npz"];
        File.Copy(fixture.PathOf($"{name}.npz"), file, overwrite: true);
        File.WriteAllBytes(folder[$"{name}.model"], TinyVocabulary.Model);
        return file;
    }

    private static void Flip(string path)
    {
        var bytes = File.ReadAllBytes(path);
        bytes[^9] ^= 1;
        File.WriteAllBytes(path, bytes);
    }

    private static void WithoutHashes(string bundle) =>
        Changed(bundle, "model.json", text => text.Replace("\"files\":", "\"filesOnce\":", StringComparison.Ordinal));

    private static void Changed(string bundle, string file, Func<string, string> change)
    {
        var path = Path.Combine(bundle, file);
        var before = File.ReadAllText(path);
        var after = change(before);
        Assert.NotEqual(before, after);
        File.WriteAllText(path, after);
        if (file == "model.json")
            Unsealed(path);
    }

    // As bundles of earlier versions are, and as somebody would leave it who does not want the change to be found.
    private static void Unsealed(string description)
    {
        var json = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(description))!.AsObject();
        Assert.True(json.Remove("digest"));
        File.WriteAllText(description, json.ToJsonString());
    }
}

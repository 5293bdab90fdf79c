using System.Text.Json;

namespace LiT.Cli.Tests;

/// <summary>
/// Embeddings that were made elsewhere: tuned on, evaluated and searched without a tower, and refused with a wrong one.
/// </summary>
[Collection(nameof(InThisProcess))]
[Trait("computes", "yes")]
public sealed class OwnEmbeddingsTests(Workbench bench)
{
    private const int Size = 48,
        Kinds = 8,
        Pictures = 120;

    private static readonly string[] Tuning =
    [
        "--text-tower",
        "text:width=16,depth=1,heads=2",
        "--steps",
        "60",
        "--batch",
        "16",
    ];

    [Fact]
    public void They_are_tuned_evaluated_and_searched_without_a_tower_and_only_pictures_cannot_be_read()
    {
        Make("own", shuffled: false);
        var talk = Run(["tune", "--data", "own", "--out", "own-run", .. Tuning]).Expect(0).Talk;
        Assert.Contains("embeddings made elsewhere, without a tower here", talk, StringComparison.Ordinal);

        Assert.Equal(
            Pictures,
            Run("eval", "retrieval", "--model", "own-run", "--data", "own", "--json")
                .Expect(0)
                .Json.GetProperty("images")
                .GetInt32()
        );
        var found = Run("search", "kind3 thing", "--model", "own-run", "--data", "own", "--top", "1", "--json");
        Assert.Equal(1, found.Expect(0).Json.GetProperty("results").GetArrayLength());
        Run("calibrate", "--model", "own-run", "--data", "own").Expect(0);

        var proof = Run("verify", "own-run").Expect(0).Output;
        Assert.Contains("there is no tower to prove", proof, StringComparison.Ordinal);
        Assert.DoesNotContain("unchanged", proof, StringComparison.Ordinal);
        Assert.Contains(
            "It knows no image tower",
            Run("models", "show", "own-run").Expect(0).Output,
            StringComparison.Ordinal
        );
        var picture = Directory.GetFiles(Path.Combine(bench.Folder, "photos"), "*.png", SearchOption.AllDirectories)[0];
        Assert.Contains(
            "it reads stores of such embeddings, and no pictures",
            Run("classify", picture, "--model", "own-run", "--labels", "kind1,kind2").Expect(1).Talk,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "knows no image tower",
            Run("embed", "--image-tower", "own-run", "--data", "test.tar", "--out", "never").Expect(1).Talk,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_tower_of_another_size_is_refused_with_both_sizes()
    {
        Make("own48", shuffled: false);
        var refused = Run([
                "tune",
                "--data",
                "own48",
                "--image-tower",
                "trained/tower.safetensors",
                "--out",
                "own48-run",
                .. Tuning,
            ])
            .Expect(1);
        Assert.Contains(
            "trained/tower.safetensors: gives 32 numbers a picture, and own48 holds 48",
            refused.Talk,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Captions_that_belong_to_other_pictures_are_called_that_and_not_overfitting()
    {
        Make("shuffled", shuffled: true);
        string[] watch = ["--hold-out", "0.4", "--val-every", "20", "--caption-noise", "0", "--steps", "400"];
        string[] tower = ["--text-tower", "text:width=32,depth=1,heads=2", "--batch", "32"];
        Run(["tune", "--data", "shuffled", "--out", "shuffled-run", .. watch, .. tower]).Expect(0);
        var findings = Findings("shuffled-run");
        Assert.Contains("ValidationAtChance", findings);
        Assert.DoesNotContain("Overfitting", findings);
    }

    [Fact]
    public void Three_pairs_known_by_heart_are_told_and_a_run_that_the_doctor_stops_says_why_in_its_folder()
    {
        Make("three", shuffled: false, pictures: 3);
        string[] tune = ["tune", "--data", "three", "--text-tower", "text:width=32,depth=1,heads=2", "--steps", "400"];
        Run([.. tune, "--caption-noise", "0", "--out", "three-run"]).Expect(0);
        Assert.Equal(["TooFewPairs", "LearnedByHeart"], Findings("three-run").Except(["Collapse"]));

        Run([.. tune, "--doctor", "stop", "--out", "three-stopped"]).Expect(1);
        Assert.Equal(["TooFewPairs"], Findings("three-stopped"));
        Run([.. tune, "--doctor", "off", "--out", "three-stopped"]).Expect(0); // the folder is a run's, and goes on
    }

    private List<string> Findings(string run) =>
        [
            .. JsonDocument
                .Parse(File.ReadAllText(Path.Combine(bench.Folder, run, "doctor.json")))
                .RootElement.EnumerateArray()
                .Select(finding => finding.GetProperty("name").GetString()!),
        ];

    /// <summary>
    /// Rows near one of eight directions, with a caption that names it; or rows of no direction at all.
    /// </summary>
    private void Make(string store, bool shuffled, int pictures = Pictures)
    {
        Random random = new(7);
        Directory.CreateDirectory(Path.Combine(bench.Folder, store, "img_emb"));
        var rows = Enumerable
            .Range(0, pictures)
            .Select(picture =>
                Enumerable
                    .Range(0, Size)
                    .Select(i => (float)random.NextDouble() - .5f + (!shuffled && i % Kinds == picture % Kinds ? 2 : 0))
                    .ToArray()
            )
            .ToArray();
        bench.Rows(Path.Combine(store, "img_emb", "img_emb_0.npy"), rows);
        var captions = Enumerable
            .Range(0, pictures)
            .Select(picture =>
                shuffled ? $"word{picture} and word{picture * 7 % 1000}" : $"kind{picture % Kinds} thing"
            );
        File.WriteAllText(Path.Combine(bench.Folder, store, "captions.json"), JsonSerializer.Serialize(captions));
    }

    private Lit.Outcome Run(params string[] command) => Here.Run(bench.Folder, command);
}

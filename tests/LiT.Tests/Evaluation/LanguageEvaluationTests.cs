using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

/// <summary>Evaluation in several languages over the same pictures.</summary>
public class LanguageEvaluationTests
{
    [Fact]
    public void Captions_of_one_language_ask_for_those_of_another_by_their_pictures()
    {
        // The second German caption is nearer to the first picture's English one; "c" has none in German.
        var german = Run("de", ["a", "b"], [1, 0, .9f, .1f], [(0, 0), (1, 1)]);
        var english = Run("en", ["c", "b", "a"], [-1, 0, 0, 1, 1, 0], [(0, 0), (1, 1), (2, 2)]);

        var all = LanguageEvaluation.Across([german, english]);

        Assert.Equal([("de", "en"), ("en", "de")], all.Select(one => (one.Asked, one.Captions)));
        Assert.Equal([2, 2], all.Select(one => one.Queries));
        Assert.Equal([3, 2], all.Select(one => one.Candidates));
        Assert.Equal([0.5, 1], all.Select(one => one.R1));
        Assert.Equal([1, 1], all.Select(one => one.R5));
        Assert.Equal([1.5, 1], all.Select(one => one.MedianRank));
        Assert.Equal([1 / 3.0, 1 / 2.0], all.Select(one => one.Chance));
    }

    [Fact]
    public void Any_caption_of_the_same_picture_is_right()
    {
        var german = Run("de", ["a", "b"], [1, 0, 0, 1], [(0, 0), (1, 1)]);
        var english = Run("en", ["a", "b"], [.6f, .8f, 1, 0, 0, 1], [(0, 0), (0, 1), (1, 2)]);

        var all = LanguageEvaluation.Across([german, english]);

        Assert.Equal([1, 2 / 3.0], all.Select(one => one.R1)); // the first English caption lies elsewhere
        Assert.Equal([2, 3], all.Select(one => one.Queries));
    }

    [Fact]
    public void Languages_that_share_no_picture_are_left_out_and_the_order_is_that_of_the_runs()
    {
        var one = Run("x", ["a"], [1, 0], [(0, 0)]);
        var two = Run("y", ["b"], [1, 0], [(0, 0)]);
        var three = Run("z", ["a", "b"], [1, 0, 0, 1], [(0, 0), (1, 1)]);

        var all = LanguageEvaluation.Across([one, two, three]);

        Assert.Equal(
            [("x", "z"), ("y", "z"), ("z", "x"), ("z", "y")],
            all.Select(found => (found.Asked, found.Captions))
        );
        Assert.Null(new LanguagesReport<int>([], 0) { Across = [] }.AcrossMean);
    }

    [Fact]
    public void A_language_without_captions_and_two_names_of_one_are_refused_before_anything_is_measured()
    {
        var set = Captioned("de", "fr");

        LanguageEvaluation.Check(set, [null]);
        LanguageEvaluation.Check(set, ["DE", "fr"]);
        Assert.Equal(
            "somewhere: no picture has a caption in the language 'it'. It has de, fr.",
            Assert.Throws<LitException>(() => LanguageEvaluation.Check(set, ["de", "it"])).Message
        );
        Assert.StartsWith(
            "somewhere: has captions in 'DE' and in 'de', which is one language",
            Assert.Throws<LitException>(() => LanguageEvaluation.Check(Captioned("de", "DE"), ["de"])).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_language_is_found_whatever_letters_its_code_is_written_in()
    {
        var sample = Captioned("pt-BR").Samples[0];

        Assert.Equal(["words in pt-BR"], CaptionLanguages.Of(sample, "PT-br"));
        Assert.Empty(CaptionLanguages.Of(sample, "pt"));
    }

    private static ImageSet Captioned(params string[] languages) =>
        ImageSet.Of(
            "somewhere",
            new(new float[2], 2),
            [
                new Sample("a", "a")
                {
                    Fields = languages.ToDictionary(code => "caption." + code, code => $"[\"words in {code}\"]"),
                },
            ]
        );

    private static RetrievalRun Run(
        string language,
        IReadOnlyList<string> pictures,
        float[] texts,
        IReadOnlyCollection<(int, int)> pairs
    )
    {
        var run = ModelEvaluation.Scored(
            "somewhere",
            new([.. pictures.SelectMany(_ => new float[] { 1, 0 })], 2),
            new(texts, 2),
            pictures,
            [.. Enumerable.Range(0, texts.Length / 2).Select(i => $"{language} {i}")],
            pairs,
            0,
            null,
            ComputeDevice.Cpu
        );
        return run with { Report = run.Report with { Protocol = run.Report.Protocol with { Language = language } } };
    }
}

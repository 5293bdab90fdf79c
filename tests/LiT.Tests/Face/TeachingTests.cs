using System.Numerics.Tensors;
using LiT.Bundles;
using LiT.Classification;
using LiT.Images;

namespace LiT.Tests.Face;

/// <summary>Words that a model is taught by a few pictures.</summary>
public sealed class TeachingTests(SmallModel small) : IClassFixture<SmallModel>, IDisposable
{
    private const int Size = 24;
    private readonly TemporaryFolder folder = new();
    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(5)]
    [InlineData(50)]
    public void A_taught_word_names_its_own_pictures_and_leaves_those_of_others_to_the_words_that_were_there(int count)
    {
        var (words, temperature) = (new Embeddings([.. Enumerable.Range(0, 8).SelectMany(c => Centre(c))], Size), 20.0);
        WordTeaching teaching = new(Drawn(Enumerable.Range(0, 800).Select(i => i % 8), 1), words, temperature);

        var taught = teaching.Vector(Drawn(Enumerable.Repeat(8, count), 2));

        Embeddings all = new([.. words.Values, .. taught], Size);
        double Called(Embeddings pictures, int by) =>
            Enumerable.Range(0, pictures.Count).Average(row => Best(pictures[row], all, temperature) == by ? 1.0 : 0);
        Assert.True(Called(Drawn(Enumerable.Repeat(8, 200), 3), by: 8) > 0.9);
        Assert.True(Called(Drawn(Enumerable.Range(0, 800).Select(i => i % 8), 4), by: 8) < 0.03);
        Assert.Equal(taught, teaching.Vector(Drawn(Enumerable.Repeat(8, count), 2)));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(50)]
    public void A_store_that_often_shows_the_word_makes_it_no_stricter(int count)
    {
        var (words, temperature) = (new Embeddings([.. Enumerable.Range(0, 8).SelectMany(c => Centre(c))], Size), 20.0);
        var eight = Enumerable.Range(0, 800).Select(i => i % 8).ToArray();
        // Every tenth of the others shows the word.
        WordTeaching teaching = new(Drawn(eight.Concat(Enumerable.Repeat(8, 89)), 1), words, temperature);

        Embeddings all = new([.. words.Values, .. teaching.Vector(Drawn(Enumerable.Repeat(8, count), 2))], Size);

        double Called(Embeddings pictures) =>
            Enumerable.Range(0, pictures.Count).Average(row => Best(pictures[row], all, temperature) == 8 ? 1.0 : 0);
        Assert.True(Called(Drawn(Enumerable.Repeat(8, 200), 3)) > 0.9);
        Assert.True(Called(Drawn(eight, 4)) < 0.03);
    }

    [Fact]
    public async Task A_word_is_understood_wherever_words_are_until_it_is_taken_out()
    {
        var bundle = Copy();
        var mine = Enumerable.Repeat(small["pictures", "03.png"], 5).ToArray(); // all alike
        using var model = await LitModel.LoadAsync(bundle, null, cancel);
        await using var store = await StoreAsync(model);
        var before = await AnswerAsync(model, "c");

        var taught = await store.TeachAsync("Our new logo!", [.. mine, "p 07.png", folder["no.png"]], false, cancel);

        Assert.Equal(("Our new logo!", 6), (taught.Word, taught.Pictures));
        Assert.Equal(folder["no.png"], Assert.Single(taught.Skipped).Picture);
        Assert.Equal(store.Count - 1, taught.Others);
        var answer = await AnswerAsync(model, "our new logo");
        Assert.Equal("our new logo", answer.Labels[0].Label);
        Assert.Empty(model.UnseenWords("our NEW logo"));
        Assert.False(model.IsUnread("our new logo"));
        var found = (await store.FindAsync(new() { Words = "our new logo", Top = 1 }, cancel)).Pictures;
        Assert.InRange(found[0].Similarity, -1, 1);
        Assert.Equal(before.Labels, (await AnswerAsync(model, "c")).Labels);
        // As a part of other words it says nothing.
        Assert.Equal(small.Texts("see our new logo now"), model.EmbedTexts(["see our new logo now"])[0].ToArray());

        using (var again = await LitModel.LoadAsync(bundle, null, cancel))
        {
            Assert.Equal(["Our new logo!"], again.TaughtWords.Select(one => one.Word));
            Assert.Equal(answer.Labels, (await AnswerAsync(again, "our new logo")).Labels);
        }
        BundleFiles.Check(bundle, ModelDescription.Read(bundle));
        Assert.Contains(TaughtVectors.FileName, ModelDescription.Read(bundle).Files!.Keys);

        await model.ForgetAsync("OUR new logo", cancel);

        Assert.Empty(model.TaughtWords);
        Assert.False(File.Exists(Path.Combine(bundle, TaughtVectors.FileName)));
        BundleFiles.Check(bundle, ModelDescription.Read(bundle));
        Assert.Equal(small.Texts("our new logo"), model.EmbedTexts(["our new logo"])[0].ToArray());
    }

    [Fact]
    public async Task What_cannot_be_taught_is_refused_in_one_line_and_nothing_changes()
    {
        var bundle = Copy();
        using var model = await LitModel.LoadAsync(bundle, null, cancel);
        await using var store = await StoreAsync(model);
        var mine = Enumerable.Range(0, 6).Select(i => $"p {i:00}.png").ToArray();
        File.WriteAllText(folder["page.png"], "<html>");
        async Task Refused(string says, string word, params string[] pictures) =>
            Assert.Contains(
                says,
                (await Assert.ThrowsAsync<LitException>(() => store.TeachAsync(word, pictures, false, cancel))).Message,
                StringComparison.Ordinal
            );

        await Refused("4 pictures, and a word is taught from 5 at least", "it", mine[..4]);
        await Refused("4 pictures of 6 can be read", "it", [.. mine[..4], folder["page.png"], folder["none.png"]]);
        await Refused("leaves no word to teach", "?!", mine);
        await Refused("200 is the most", new string('a', 201), mine);
        await store.TeachAsync("it", mine, false, cancel);
        await Refused("was taught 'it' already, from 6 pictures. Remove it first, or give", "It.", mine);
        Assert.Equal(5, (await store.TeachAsync("it", mine[1..], again: true, cancel)).Pictures);
        Assert.Single(model.TaughtWords);
        Assert.Contains(
            "was not taught 'that'; there is 'it'",
            (await Assert.ThrowsAsync<LitException>(() => model.ForgetAsync("that", cancel))).Message,
            StringComparison.Ordinal
        );
        using var published = await LitModel.LoadAsync(small.Published, null, cancel);
        await Assert.ThrowsAsync<LitException>(() => published.TeachAsync("it", mine, false, cancel));
        using var few = await LitModel.LoadAsync(small.Bundle, null, cancel); // calibrated on twelve pictures
        Assert.Contains(
            "there are 12 other pictures",
            (
                await Assert.ThrowsAsync<LitException>(() =>
                    few.TeachAsync("it", Directory.GetFiles(small.Pictures), false, cancel)
                )
            ).Message,
            StringComparison.Ordinal
        );
        using var other = await LitModel.LoadAsync(small.Other, null, cancel);
        await Assert.ThrowsAsync<LitException>(() => PictureStore.OpenAsync(store.Folder, other, cancel));
    }

    [Fact]
    public async Task Labels_that_are_one_to_the_text_tower_are_two_once_they_are_taught()
    {
        using var model = await LitModel.LoadAsync(Copy(), null, cancel);
        await using var store = await StoreAsync(model);
        var tooLong = string.Concat(Enumerable.Repeat("a ", 60));
        string[] unread = [tooLong + "b", tooLong + "c"];
        await Assert.ThrowsAsync<LitException>(() => model.ClassifierAsync(unread, null, cancel));
        foreach (var (i, word) in unread.Index())
            await store.TeachAsync(word, Enumerable.Range(8 * i, 6).Select(p => $"p {p:00}.png"), false, cancel);

        var classifier = await model.ClassifierAsync(unread, null, cancel);

        Assert.Equal(unread, classifier.Labels);
    }

    private static float[] Centre(int c)
    {
        var row = new float[Size];
        row[0] = 1.5f; // what all pictures have in common
        row[1 + c] = 1;
        return Unit(row);
    }

    /// <summary>Pictures of some classes, each its class's middle and what is its own.</summary>
    private static Embeddings Drawn(IEnumerable<int> classes, int seed)
    {
        List<float> rows = [];
        foreach (var (i, c) in classes.Index())
        {
            var chance = Chance.For(seed, i, 0);
            var row = Centre(c);
            for (var j = 0; j < Size; j++)
                row[j] += (float)chance.Between(-0.12, 0.12);
            rows.AddRange(Unit(row));
        }
        return new([.. rows], Size);
    }

    private static float[] Unit(float[] row)
    {
        TensorPrimitives.Divide(row, TensorPrimitives.Norm<float>(row), row);
        return row;
    }

    private static int Best(ReadOnlySpan<float> zimg, Embeddings classes, double temperature)
    {
        var probabilities = Probabilities.Of(zimg, classes, temperature);
        return Array.IndexOf(probabilities, probabilities.Max());
    }

    private async Task<ClassifiedPicture> AnswerAsync(LitModel model, string label)
    {
        var classifier = await model.ClassifierAsync(["a", "b", label], null, cancel);
        return await classifier.ClassifyAsync(small["pictures", "03.png"], cancel);
    }

    private string Copy()
    {
        var bundle = folder["bundle"];
        Directory.CreateDirectory(bundle);
        foreach (var file in Directory.EnumerateFiles(small.Bundle))
            File.Copy(file, Path.Combine(bundle, Path.GetFileName(file)));
        return bundle;
    }

    private async Task<PictureStore> StoreAsync(LitModel model)
    {
        for (var i = 0; i < 40; i++)
            folder.Write($"pictures/p {i:00}.png", SmallModel.Picture(i));
        var store = await PictureStore.OpenAsync(folder["store"], model, cancel);
        await store.UpdateAsync(folder["pictures"], null, cancel);
        return store;
    }
}

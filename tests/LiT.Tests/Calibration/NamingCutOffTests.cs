using LiT.Classification;

namespace LiT.Tests.Calibration;

public sealed class NamingCutOffTests
{
    private const int Named = 30,
        All = 60;
    private readonly Concepts world = new(All);

    [Fact]
    public void The_share_of_right_namings_is_the_one_that_the_background_promises()
    {
        // Half of the pictures show one of the labels, half of them something else.
        int[] shown = [.. Enumerable.Range(0, 3000).Select(i => i % All)];
        var pictures = world.Around(shown, 1);
        NamingCutOff cutOff = new(
            world.Background(600, All),
            world.Around([.. Enumerable.Range(0, Named)], 0.2),
            present: 0.5
        );

        var expected = cutOff.Precision(pictures);

        foreach (var least in new[] { 0.7, 0.9 })
        {
            var named = Enumerable.Range(0, shown.Length).Where(i => expected[i] >= least).ToList();
            var right = named.Count(i => shown[i] < Named) / (double)named.Count;
            Assert.True(named.Count > 500, $"{named.Count} pictures are named at {least}");
            Assert.InRange(right, least - 0.07, 1);
        }
    }

    [Fact]
    public void Pictures_of_labels_that_are_absent_are_answered_by_none_of_these()
    {
        var absent = world.Around([.. Enumerable.Range(0, 600).Select(i => Named + i % (All - Named))], 1);
        NamingCutOff cutOff = new(world.Background(600, All), world.Around([.. Enumerable.Range(0, Named)], 0.2));

        var falseAlarms = cutOff.Precision(absent).Count(expected => expected >= 0.9) / 600.0;

        Assert.InRange(falseAlarms, 0, 0.12);
    }

    [Fact]
    public void The_rarer_the_labels_are_expected_to_be_the_less_a_naming_is_believed()
    {
        var background = world.Background(600, All);
        var labels = world.Around([.. Enumerable.Range(0, Named)], 0.2);
        var pictures = world.Around([.. Enumerable.Range(0, 100).Select(i => i % All)], 1);

        var often = new NamingCutOff(background, labels, present: 0.9).Precision(pictures);
        var rarely = new NamingCutOff(background, labels, present: 0.1).Precision(pictures);

        Assert.All(often.Zip(rarely), pair => Assert.True(pair.First >= pair.Second));
        Assert.True(often.Sum() > rarely.Sum() + 5);
    }

    [Fact]
    public void Random_pairs_that_fit_do_not_count_as_false_alarms()
    {
        // Of two concepts every other random pair fits: without that being known, nothing could ever be named.
        var background = world.Background(400, 2);

        var middleOfOwn = Enumerable
            .Range(-20, 400)
            .Select(i => i / 20.0)
            .First(score => background.OwnAbove(score) <= 0.5);

        Assert.InRange(background.RandomAbove(middleOfOwn), 0, 0.1);
    }

    [Fact]
    public void A_background_comes_back_from_its_file_as_it_was()
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            var background = world.Background(200, 20);
            background.Save(folder);
            var read = Background.Load(folder)!;

            Assert.Equal(background.Fitting, read.Fitting);
            Assert.Equal("a collection", read.Collection);
            Assert.Equal(background.Pictures.Values, read.Pictures.Values);
            Assert.All(Enumerable.Range(-40, 200), i =>
                Assert.Equal(background.RandomAbove(i / 20.0), read.RandomAbove(i / 20.0))
            );

            var path = Path.Combine(folder, Background.FileName);
            File.WriteAllBytes(path, File.ReadAllBytes(path)[..^100]);
            Assert.Contains(path, Assert.Throws<LitException>(() => Background.Load(folder)).Message);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using LiT.Data;
using LiT.Pretraining;

namespace LiT.Tests.Tuning;

public class LabelledPicturesTests
{
    [Fact]
    public void A_column_is_the_class_or_a_field_and_classes_are_in_the_order_of_their_letters()
    {
        var read = Read(
            ["label", "colour"],
            [Picture("a", "dog", "red"), Picture("b", "cat", "red"), Picture("c", "dog", "blue")]
        );
        Assert.Equal(["cat", "dog"], read.ClassNames[0]);
        Assert.Equal(["blue", "red"], read.ClassNames[1]);
        Assert.Equal(
            [
                [1, 1],
                [0, 1],
                [1, 0],
            ],
            read.Pictures.Select(picture => picture.Classes)
        );
    }

    [Fact]
    public void Classes_that_are_numbers_are_in_the_order_of_their_size() =>
        Assert.Equal(
            ["2", "9", "10"],
            Read(["label"], [Picture("a", "10"), Picture("b", "9"), Picture("c", "2")]).ClassNames[0]
        );

    [Fact]
    public void A_source_that_orders_its_classes_keeps_its_order() =>
        Assert.Equal(
            ["zebra", "ape", "bear"],
            Read(["label"], [Picture("a", "ape"), Picture("b", "bear")], classes: ["zebra", "ape", "bear"]).ClassNames[
                0
            ]
        );

    [Fact]
    public void What_lacks_a_label_or_a_picture_is_skipped_by_name()
    {
        var reports = new List<Skipped>();
        var read = Read(
            ["label", "colour"],
            [
                Picture("a", "dog", "red"),
                Picture("b", "cat", "blue"),
                Picture("c", "cat"),
                Picture("d", "cat", "red") with
                {
                    ReadImage = null,
                },
            ],
            reports: reports
        );
        Assert.Equal(2, read.Pictures.Count);
        Assert.Equal(
            [("c", "no 'colour'"), ("d", "no picture")],
            reports.Select(report => (report.Key, report.Reason))
        );
    }

    [Fact]
    public void A_label_that_training_has_not_seen_is_skipped_when_measuring()
    {
        var reports = new List<Skipped>();
        var read = Read(
            ["label"],
            [Picture("a", "dog"), Picture("b", "emu")],
            known:
            [
                ["cat", "dog"],
            ],
            reports: reports
        );
        Assert.Equal([1L], Assert.Single(read.Pictures).Classes);
        Assert.Contains("emu", Assert.Single(reports).Reason);
    }

    [Fact]
    public void A_column_that_nobody_has_is_answered_with_those_there_are()
    {
        var message = Assert.Throws<LitException>(() => Read(["size"], [Picture("a", "dog", "red")])).Message;
        Assert.Contains("'size'", message);
        Assert.Contains("label, colour", message);
    }

    [Fact]
    public void One_class_alone_cannot_be_learned() =>
        Assert.Contains(
            "two classes",
            Assert.Throws<LitException>(() => Read(["label"], [Picture("a", "dog"), Picture("b", "dog")])).Message
        );

    [Fact]
    public void Labels_that_are_all_unknown_are_an_error() =>
        Assert.Contains(
            "seen in training",
            Assert
                .Throws<LitException>(() =>
                    Read(
                        ["label"],
                        [Picture("a", "emu")],
                        known:
                        [
                            ["cat", "dog"],
                        ]
                    )
                )
                .Message
        );

    private static LabelledPictures Read(
        string[] columns,
        Sample[] samples,
        IReadOnlyList<IReadOnlyList<string>>? known = null,
        string[]? classes = null,
        List<Skipped>? reports = null
    ) =>
        LabelledPictures.Read(
            new Given(samples, classes) { Path = "given" },
            columns,
            known,
            report => (reports ??= []).Add(report),
            CancellationToken.None
        );

    private static Sample Picture(string key, string label, string? colour = null) =>
        new(key, key)
        {
            ReadImage = () => [],
            Label = label,
            Fields = colour is null ? [] : new Dictionary<string, string> { ["colour"] = colour },
        };

    private sealed class Given(Sample[] samples, string[]? classes) : SampleSource
    {
        public override string Form => "given";

        public override IReadOnlyList<string>? Classes => classes;

        public override IEnumerable<Sample> Read(Action<Skipped> skip) => samples;
    }
}

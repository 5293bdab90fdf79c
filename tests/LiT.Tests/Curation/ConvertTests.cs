using LiT.Curation;
using LiT.Data;

namespace LiT.Tests.Curation;

public sealed class ConvertTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(SampleForm.WebDataset)]
    [InlineData(SampleForm.Parquet)]
    [InlineData(SampleForm.Folder)]
    internal void Every_form_keeps_pictures_captions_labels_and_fields(SampleForm form)
    {
        for (var i = 0; i < 7; i++)
            folder.Write($"in/p/{i}.png", Sets.Picture(i));
        folder.Write(
            "in/metadata.jsonl",
            string.Concat(
                Enumerable
                    .Range(0, 7)
                    .Select(i =>
                        $$"""{"file_name": "p/{{i}}.png", "text": ["caption {{i}}", "two\nlines ü 🙂"], "label": "class {{i % 2}}", "place": "x{{i}}"}"""
                        + "\n"
                    )
            )
        );

        var result = DataSets.Convert(
            Samples.Open(folder["in"]),
            folder["out"],
            form,
            samplesPerShard: 3,
            cancel: TestContext.Current.CancellationToken
        );

        Assert.Equal((7, 7, 0), (result.Counts.Found, result.Counts.Written, result.Counts.Rejected));
        Assert.Equal(Sets.Words(folder["in"]), Sets.Words(folder["out"]));
    }

    [Theory]
    [InlineData(SampleForm.WebDataset)]
    [InlineData(SampleForm.Parquet)]
    [InlineData(SampleForm.Folder)]
    internal void Stopped_after_any_sample_it_goes_on_to_the_same_bytes(SampleForm form)
    {
        var tar = Sets.Tar(
            folder,
            "in.tar",
            Enumerable
                .Range(0, 11)
                .Select(i => ($"k{i}", i == 4 ? " " : (string?)$"caption {i}", i == 7 ? [] : Sets.Picture(i)))
        );
        var source = Samples.Open(tar);
        DataSets.Convert(source, folder["whole"], form, 3, cancel: TestContext.Current.CancellationToken);
        for (var stop = 0; stop < 14; stop += 2)
        {
            using var cancel = new CancellationTokenSource();
            Assert.ThrowsAny<OperationCanceledException>(() =>
                DataSets.Convert(
                    new Stopping(source, stop, cancel.Cancel) { Path = source.Path },
                    folder[$"s{stop}"],
                    form,
                    3,
                    cancel: cancel.Token
                )
            );
            DataSets.Convert(source, folder[$"s{stop}"], form, 3, cancel: TestContext.Current.CancellationToken);
            Assert.Equal(Sets.Contents(folder["whole"]), Sets.Contents(folder[$"s{stop}"]));
        }
    }

    [Fact]
    public void Of_a_folder_that_changes_while_it_is_read_only_what_is_gone_is_lost()
    {
        for (var i = 0; i < 100; i++)
            folder.Write($"in/{i:000}.png", Sets.Picture(i));
        var source = new Changing(Samples.Open(folder["in"]), () =>
        {
            File.Delete(folder["in", "090.png"]);
            File.WriteAllBytes(folder["in", "091.png"], []);
            folder.Write("in/095b.png", Sets.Picture(1));
        }) { Path = folder["in"] };
        var result = DataSets.Convert(
            source,
            folder["out"],
            SampleForm.WebDataset,
            cancel: TestContext.Current.CancellationToken
        );
        Assert.Equal((100, 98, 2), (result.Counts.Found, result.Counts.Written, result.Counts.Rejected));
        Assert.Equal(98, Samples.Open(folder["out"]).Read(skipped => Assert.Fail(skipped.Reason)).Count());
    }

    [Fact]
    public void Another_commands_folder_is_refused_and_a_finished_one_left_alone()
    {
        var tar = Sets.Tar(folder, "in.tar", [("a", "a dog", Sets.Picture(1))]);
        DataSets.Convert(
            Samples.Open(tar),
            folder["out"],
            SampleForm.WebDataset,
            cancel: TestContext.Current.CancellationToken
        );
        Assert.True(
            DataSets
                .Convert(
                    Samples.Open(tar),
                    folder["out"],
                    SampleForm.WebDataset,
                    cancel: TestContext.Current.CancellationToken
                )
                .WasComplete
        );
        Assert.Contains(
            "holds what another command made",
            Assert
                .Throws<LitException>(() => DataSets.Convert(Samples.Open(tar), folder["out"], SampleForm.Parquet))
                .Message
        );
        folder.Write("other/file.txt", "x");
        Assert.Contains(
            "holds other files",
            Assert
                .Throws<LitException>(() => DataSets.Convert(Samples.Open(tar), folder["other"], SampleForm.Parquet))
                .Message
        );
    }

    /// <summary>A source that somebody changes after its first sample.</summary>
    private sealed class Changing(SampleSource inner, Action change) : SampleSource
    {
        public override string Form => inner.Form;

        public override IEnumerable<Sample> Read(Action<Skipped> skip)
        {
            var changed = false;
            foreach (var sample in inner.Read(skip))
            {
                yield return sample;
                if (changed)
                    continue;
                changed = true;
                change();
            }
        }
    }

    /// <summary>A source during whose reading somebody presses Ctrl-C.</summary>
    private sealed class Stopping(SampleSource inner, int after, Action stop) : SampleSource
    {
        public override string Form => inner.Form;

        public override IEnumerable<Sample> Read(Action<Skipped> skip)
        {
            var count = 0;
            foreach (var sample in inner.Read(skip))
            {
                if (count++ == after)
                    stop();
                yield return sample;
            }
            stop();
        }
    }
}

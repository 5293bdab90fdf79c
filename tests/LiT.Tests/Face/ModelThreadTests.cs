using Microsoft.Extensions.AI;

namespace LiT.Tests.Face;

/// <summary>Many threads at one model, and a model that goes while it is used.</summary>
public sealed class ModelThreadTests(SmallModel small) : IClassFixture<SmallModel>
{
    private const int Threads = 16,
        Rounds = 6;

    private readonly CancellationToken cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sixteen_threads_at_once_get_the_bits_of_one()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var classifier = await model.ClassifierAsync(["a", "b", "c a"], null, cancel);
        var alone = new List<string>();
        for (var i = 0; i < Threads; i++)
            alone.Add(await EverythingAsync(model, classifier, i));
        Assert.Equal(Threads, alone.Distinct().Count()); // what is compared says something

        var together = new string[Threads][];
        using Barrier start = new(Threads);
        var threads = Enumerable
            .Range(0, Threads)
            .Select(i => new Thread(() =>
            {
                start.SignalAndWait();
                together[i] =
                [
                    .. Enumerable
                        .Range(0, Rounds)
                        .Select(_ => EverythingAsync(model, classifier, i).GetAwaiter().GetResult()),
                ];
            }))
            .ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());

        for (var i = 0; i < Threads; i++)
            Assert.All(together[i], text => Assert.Equal(alone[i], text));
    }

    [Fact]
    public async Task A_model_that_is_loaded_twice_is_two_models()
    {
        var first = await LitModel.LoadAsync(small.Bundle, null, cancel);
        using var second = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var before = await second.Texts.GenerateVectorAsync("a b", null, cancel);
        Assert.Equal(before.ToArray(), (await first.Texts.GenerateVectorAsync("a b", null, cancel)).ToArray());
        first.Dispose();
        Assert.Equal(before.ToArray(), (await second.Texts.GenerateVectorAsync("a b", null, cancel)).ToArray());
    }

    [Fact]
    public async Task A_model_disposed_while_it_is_used_ends_every_call_and_crashes_nothing()
    {
        for (var round = 0; round < 5; round++)
        {
            var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
            var classifier = await model.ClassifierAsync(["a", "b"], null, cancel);
            var calls = Enumerable
                .Range(0, 40)
                .Select(i => Task.Run(() => EverythingAsync(model, classifier, i % 12), cancel))
                .ToList();
            await Task.WhenAny(calls);
            model.Dispose();
            model.Dispose();
            Assert.Empty(Held.Under(small.Bundle));
            foreach (var call in calls)
                if (await Record.ExceptionAsync(() => call) is { } trouble)
                    Assert.IsType<ObjectDisposedException>(trouble);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => model.Texts.GenerateVectorAsync("a", null, cancel));
            await Assert.ThrowsAsync<ObjectDisposedException>(() =>
                classifier.ClassifyAsync(SmallModel.Picture(1), cancel)
            );
            await Assert.ThrowsAsync<ObjectDisposedException>(() => model.ClassifierAsync(["a"], null, cancel));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)] // one of the two only helps
    public async Task A_listener_may_dispose_of_the_model_that_tells_it(int threads)
    {
        LitModel? model = null;
        var told = 0;
        LitSession session = new()
        {
            Threads = threads,
            Progress = new Listener(() =>
            {
                told++;
                model!.Dispose();
            }),
        };
        model = await LitModel.LoadAsync(small.Bundle, session, cancel);
        var many = Enumerable.Range(0, 3000).Select(i => string.Join(' ', "a", new string('b', 1 + i % 3), $"{i}"));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => model.Texts.GenerateAsync(many, null, cancel));
        Assert.InRange(told, 1, threads);
    }

    [Fact]
    public async Task A_call_that_is_cancelled_before_its_turn_is_not_made()
    {
        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        using CancellationTokenSource stop = new();
        using ManualResetEventSlim go = new();
        var first = model.RunAsync(_ => go.Wait(TimeSpan.FromSeconds(30)), cancel);
        var second = model.Texts.GenerateVectorAsync("a", null, stop.Token);
        await stop.CancelAsync();
        go.Set();
        Assert.True(await first);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            LitModel.LoadAsync(small.Bundle, null, new CancellationToken(true))
        );
    }

    [Fact]
    public async Task What_is_not_there_is_said_and_nothing_stays_locked()
    {
        var trouble = await Assert.ThrowsAsync<LitException>(() => LitModel.LoadAsync(small["nowhere"], null, cancel));
        Assert.Contains("no model is there", trouble.Message);
        await Assert.ThrowsAsync<SettingException>(() =>
            LitModel.LoadAsync(small.Bundle, new() { Device = "toaster" }, cancel)
        );
        var copy = small["copy"];
        Directory.CreateDirectory(copy);
        foreach (var file in Directory.EnumerateFiles(small.Bundle))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        using (var whole = await LitModel.LoadAsync(copy, null, cancel))
        {
            _ = await whole.Images.GenerateVectorAsync(
                new DataContent(SmallModel.Picture(0), "image/png"),
                null,
                cancel
            );
            whole.Dispose(); // with both towers loaded
            Assert.Empty(Held.Under(copy));
        }
        File.WriteAllBytes(Path.Combine(copy, "text.safetensors"), [1, 2, 3]);
        await Assert.ThrowsAsync<LitException>(() => LitModel.LoadAsync(copy, null, cancel));
        Assert.Empty(Held.Under(copy));
        Directory.Delete(copy, recursive: true);
    }

    [Fact]
    public void Natives_that_are_not_at_hand_are_one_line_that_names_the_package()
    {
        Assert.Contains(
            "Add the package libtorch-cpu-",
            NativeLibraries.TroubleWithTorch(_ => false)!.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "TorchSharp's own library",
            NativeLibraries.TroubleWithTorch(name => name == "torch_cpu")!.Message,
            StringComparison.Ordinal
        );
        Assert.Null(NativeLibraries.TroubleWithTorch(_ => true));
        Assert.Contains(
            "Add the package NetVips.Native.",
            NativeLibraries.TroubleWithVips(new DllNotFoundException("libvips")).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_natives_that_messages_name_are_those_that_are_tested()
    {
        var versions = File.ReadAllText(Path.Combine(Root.Folder, "Directory.Packages.props"));
        Assert.Contains($"\"libtorch-cpu-linux-x64\" Version=\"{NativeLibraries.TorchVersion}\"", versions);
        Assert.Contains($"\"NetVips.Native.linux-x64\" Version=\"{NativeLibraries.VipsVersion}\"", versions);
    }

    private async Task<string> EverythingAsync(LitModel model, Classifier classifier, int i)
    {
        var text = await model.Texts.GenerateVectorAsync(
            string.Join(' ', Enumerable.Repeat("a b c", 1 + i)),
            null,
            cancel
        );
        var picture = new DataContent(SmallModel.Picture(i), "image/png");
        var image = await model.Images.GenerateVectorAsync(picture, null, cancel);
        var answer = await classifier.ClassifyAsync(picture, cancel);
        return string.Join(
            ' ',
            [.. text.ToArray(), .. image.ToArray(), .. answer.Labels.Select(label => (float)label.Probability)]
        );
    }

    private sealed class Listener(Action told) : IProgress<ProgressStep>
    {
        public void Report(ProgressStep value) => told();
    }
}

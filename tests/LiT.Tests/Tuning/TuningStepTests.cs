using LiT.Tuning.Contrastive;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

public class TuningStepTests
{
    /// <summary>
    /// Gradients of one step by the plain way: every caption on its own, padded, the whole matrix, autograd.
    /// </summary>
    private static (double Loss, Dictionary<string, Tensor> Gradients) Plainly(TinyRun run)
    {
        using var towers = run.Towers();
        foreach (var parameter in towers.parameters())
            parameter.requires_grad = true;
        var pairs = run.Pairs();
        var drawn = pairs.Draw(0, run.Options.Batch);
        var inputs = new float[run.Options.Batch * 6];
        for (var pair = 0; pair < run.Options.Batch; pair++)
            pairs.Pictures.Read(drawn.Images[pair], 0, inputs.AsSpan(pair * 6, 6));
        var ids = drawn.Rows.SelectMany(row => pairs.Tokens(row).ToArray()).Select(id => (long)id).ToArray();
        var zimg = towers.ProjectImages(tensor(inputs, run.Options.Batch, 6));
        var ztxt = towers.EmbedTexts(tensor(ids, run.Options.Batch, pairs.Length));
        var belongs = PlainLoss.Relation([.. drawn.Rows], [.. drawn.Images]);
        var plain = PlainLoss.Compute(zimg, ztxt, Math.Log(10), -10, belongs, run.Options.Loss);
        if (zimg.requires_grad)
            zimg.backward([plain.ImageGradient]);
        ztxt.backward([plain.TextGradient]);
        var gradients = towers
            .named_parameters()
            .Where(one => one.parameter.grad is not null)
            .ToDictionary(one => one.name, one => one.parameter.grad!.clone());
        gradients["t"] = tensor(new[] { (float)plain.LogTemperatureGradient });
        if (towers.Bias is not null)
            gradients["b"] = tensor(new[] { (float)plain.BiasGradient });
        return (plain.Loss, gradients);
    }

    [Theory]
    [InlineData(16, null, ContrastiveLossKind.Softmax)]
    [InlineData(16, 5, ContrastiveLossKind.Softmax)]
    [InlineData(1, null, ContrastiveLossKind.Softmax)]
    [InlineData(3, 5, ContrastiveLossKind.Softmax)]
    [InlineData(5, 5, ContrastiveLossKind.Sigmoid)]
    [InlineData(16, null, ContrastiveLossKind.Sigmoid)]
    internal void Any_micro_batch_gives_the_gradients_of_every_caption_on_its_own(
        int microBatch,
        int? imageHead,
        ContrastiveLossKind kind
    )
    {
        using var scope = NewDisposeScope();
        using var run = new TinyRun
        {
            ImageHead = imageHead,
            Options = TinyRun.Small with { MicroBatch = microBatch, Loss = kind },
        };
        var (loss, expected) = Plainly(run);
        using var towers = run.Towers();
        var tuning = new TuningTowers(towers, tuneImage: false, tuneText: true, run.Options.Optimizer);
        using var step = new TuningStep(tuning, run.Pairs(), run.Options, CPU);
        tuning.Train(true);
        Assert.Equal(loss, step.Run(0, 0).Loss, 5);
        foreach (var (name, parameter, _) in tuning.Parameters)
        {
            var error = (parameter.grad! - expected[name]).abs().max().item<float>();
            Assert.True(error <= 1e-5 * Math.Max(1, expected[name].abs().max().item<float>()), $"{name}: {error:g3}");
        }
    }

    [Fact]
    public void In_bfloat16_the_weights_and_their_gradients_stay_float32_and_the_gradients_point_the_same_way()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux(),
            "Mixed precision is reached by the names that functions have on Linux."
        );
        using var scope = NewDisposeScope();
        var (exact, half) = (Gradients(false), Gradients(true));
        Assert.Equal(exact.Keys, half.Keys);
        foreach (var (name, gradient) in exact)
        {
            Assert.Equal(float32, half[name].dtype);
            if (gradient.norm().item<float>() < 1e-3)
                continue;
            var cosine = (gradient * half[name]).sum().div(gradient.norm() * half[name].norm()).item<float>();
            Assert.True(cosine > 0.98, $"{name}: {cosine}");
        }
        Assert.Contains(exact, one => !one.Value.equal(half[one.Key]).all().item<bool>());

        Dictionary<string, Tensor> Gradients(bool bfloat16)
        {
            using var run = new TinyRun
            {
                ImageHead = 5,
                Options = TinyRun.Small with { Bfloat16 = bfloat16, MicroBatch = 5 },
            };
            var towers = run.Towers();
            TuningTowers tuning = new(towers, run.Lock, run.Options.Optimizer);
            using var step = new TuningStep(tuning, run.Pairs(), run.Options, CPU);
            tuning.Train(true);
            step.Run(0, 0);
            Assert.All(towers.parameters(), parameter => Assert.Equal(float32, parameter.dtype));
            return tuning.Parameters.ToDictionary(one => one.Name, one => one.Tensor.grad!);
        }
    }

    [Fact]
    public void Equal_captions_go_through_the_tower_once_and_padding_not_at_all()
    {
        using var run = new TinyRun();
        var pairs = run.Pairs();
        var drawn = pairs.Draw(0, 16);
        var captions = new CaptionChunks(pairs, drawn.Rows, microBatch: 4, masksPadding: true);
        Assert.Equal(drawn.Rows.Distinct().Count(), captions.Distinct);
        Assert.True(captions.Distinct < 13);
        Assert.All(captions.Chunks, chunk => Assert.InRange(chunk.Count, 1, 4));
        Assert.Equal(captions.Distinct, captions.Chunks.Sum(chunk => chunk.Count));
        List<string> rows = [];
        for (var chunk = 0; chunk < captions.Chunks.Count; chunk++)
        {
            using var ids = captions.Ids(chunk);
            Assert.Equal(
                chunk == 0 ? ids.shape[1] : Math.Max(captions.Chunks[chunk - 1].Length, ids.shape[1]),
                ids.shape[1]
            );
            Assert.Contains(ids.unbind(0), row => row[^1].item<long>() != 0);
            rows.AddRange(
                ids.unbind(0).Select(row => string.Join(" ", row.data<long>().ToArray().Where(id => id != 0)))
            );
        }
        for (var pair = 0; pair < 16; pair++)
            Assert.Equal(
                string.Join(" ", pairs.Tokens(drawn.Rows[pair]).ToArray().Where(id => id != 0)),
                rows[(int)captions.PlaceOfPair[pair]]
            );
    }

    [Fact]
    public void A_tower_that_reads_padding_gets_every_row_whole()
    {
        using var run = new TinyRun();
        var pairs = run.Pairs();
        var captions = new CaptionChunks(pairs, pairs.Draw(0, 16).Rows, microBatch: 4, masksPadding: false);
        Assert.All(captions.Chunks, chunk => Assert.Equal(pairs.Length, chunk.Length));
    }

    [Fact]
    public void Noise_puts_foreign_ids_inside_a_caption_and_leaves_its_own_in_order()
    {
        var noise = new CaptionNoise([100, 101], share: 0.5, seed: 1);
        int[] text = [2, 3, 5, 4];
        var disturbed = Enumerable.Range(0, 200).Select(caption => noise.Disturb(text, 8, (ulong)caption)).ToList();
        Assert.InRange(disturbed.Count(one => one.Length > 4), 70, 130);
        Assert.All(disturbed, one =>
        {
            Assert.InRange(one.Length, 4, 8);
            Assert.Equal((2, 4), (one[0], one[^1]));
            Assert.Equal(text, one.Where(id => id < 100));
        });
        Assert.Equal(text, noise.Disturb(text, 4, 3));
    }

    [Fact]
    public void An_average_of_weights_follows_them_and_changes_places_with_them()
    {
        var tensor = zeros(3).requires_grad_();
        using var average = new WeightAverage([new("weight", tensor, true)], decay: 0.75);
        using (no_grad())
            tensor.fill_(4);
        average.Update(step: 1000);
        average.Swap();
        Assert.Equal([1f, 1f, 1f], tensor.data<float>().ToArray());
        average.Swap();
        Assert.Equal([4f, 4f, 4f], tensor.data<float>().ToArray());
    }
}

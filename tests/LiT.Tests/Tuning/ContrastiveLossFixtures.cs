using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using LiT.Checkpoints;
using LiT.Tests.Parity;
using LiT.Tuning.Contrastive;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>
/// contrastive_losses: every form of the loss that a case names, in float64 and in blocks of several sizes: the loss, each
/// pair's share of it, and the gradients for both embeddings, the temperature and the bias.
/// </summary>
public sealed partial class ContrastiveLossFixtures : IFixtureKind
{
    public string Folder => "contrastive_losses";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var tolerance = folder.Meta.GetProperty("tolerance").GetProperty("value").GetDouble();
        foreach (
            var (name, numbers) in folder
                .Meta.GetProperty("cases")
                .EnumerateObject()
                .Select(one => (one.Name, one.Value))
        )
        foreach (
            var form in numbers
                .EnumerateObject()
                .Select(number => FormOfLoss().Match(number.Name))
                .Where(match => match.Success)
        )
            yield return new($"{name}/{form.Groups[1].Value}", () => Check(folder, name, numbers, form, tolerance));
    }

    private static void Check(FixtureFolder folder, string name, JsonElement numbers, Match match, double tolerance)
    {
        using var scope = NewDisposeScope();
        var form = match.Groups[1].Value;
        var raw = match.Groups["raw"].Success;
        var (zimg, ztxt) = (Array(raw ? "raw_zimg" : "zimg"), Array(raw ? "raw_ztxt" : "ztxt"));
        if (raw)
            (zimg, ztxt) = (zimg.requires_grad_(), ztxt.requires_grad_());
        var (unitImg, unitTxt) = raw ? (Unit(zimg), Unit(ztxt)) : (zimg, ztxt);
        var size = (int)zimg.shape[0];
        Assert.Equal(Number("n"), size);
        var (t, b) = (Number("t_param"), Number("b"));
        Close("exp(t)", Number("multiplier_exp_t"), Math.Exp(t), tolerance * Math.Exp(t));
        var mask = match.Groups["masked"].Success ? Kept(Array($"{form}_grad_zimg")) : null;
        if (mask is not null)
            Assert.Equal(Number("mask_kept"), mask.Count(kept => kept));
        foreach (var block in new[] { 3, 7, 1024 })
        {
            var result = ContrastiveLoss.Compute(
                unitImg,
                unitTxt,
                tensor(t, float64),
                tensor(b, float64),
                mask: mask,
                options: new()
                {
                    Kind = form.StartsWith("sigmoid", StringComparison.Ordinal)
                        ? ContrastiveLossKind.Sigmoid
                        : ContrastiveLossKind.Softmax,
                    LocalParts = match.Groups["parts"] is { Success: true } parts
                        ? int.Parse(parts.Value, CultureInfo.InvariantCulture)
                        : 1,
                    BlockSize = block,
                    KeptBytes = block == 3 ? 200 : 0,
                }
            );
            Close("loss", Number($"{form}_loss"), result.Loss.item<double>(), tolerance);
            var gradientOfT = result.LogTemperatureGradient.item<double>();
            Close("gradient of t", Number($"{form}_grad_t"), gradientOfT, tolerance);
            if (Has($"{form}_grad_b"))
                Close("gradient of b", Number($"{form}_grad_b"), result.BiasGradient.item<double>(), tolerance);
            if (Has($"{form}_grad_multiplier"))
                Close("gradient of exp(t)", Number($"{form}_grad_multiplier"), gradientOfT / Math.Exp(t), tolerance);
            if (folder.Has($"{name}_{form}_per_example.npy"))
                Close("loss of each pair", Array($"{form}_per_example"), result.PerPair, tolerance);
            if (form == "softmax")
                Close("accuracy", Number("ncorrect_img2txt_fraction"), result.ImageToText.item<double>(), tolerance);
            if (raw)
            {
                foreach (var leaf in new[] { zimg, ztxt })
                    leaf.grad?.zero_();
                autograd.backward([unitImg, unitTxt], [result.ImageGradient!, result.TextGradient], retain_graph: true);
                Close("gradient of raw zimg", Array($"{form}_grad_raw_zimg"), zimg.grad!, tolerance);
                Close("gradient of raw ztxt", Array($"{form}_grad_raw_ztxt"), ztxt.grad!, tolerance);
                continue;
            }
            Close("gradient of zimg", Array($"{form}_grad_zimg"), result.ImageGradient!, tolerance);
            Close("gradient of ztxt", Array($"{form}_grad_ztxt"), result.TextGradient, tolerance);
        }

        double Number(string key) => numbers.GetProperty(key).GetDouble();
        bool Has(string key) => numbers.TryGetProperty(key, out _);
        Tensor Array(string file) => Npy.Read(folder.PathOf($"{name}_{file}.npy"));
    }

    // Which pairs are masked is in no file of its own: theirs are the gradients that are zero throughout.
    private static bool[] Kept(Tensor gradient) =>
        [.. Enumerable.Range(0, (int)gradient.shape[0]).Select(row => gradient[row].count_nonzero().item<long>() > 0)];

    private static Tensor Unit(Tensor z) => z / (z.norm(1, keepdim: true) + 1e-8);

    private static void Close(string what, double expected, double got, double tolerance) =>
        Assert.True(Math.Abs(expected - got) <= tolerance, $"{what}: expected {expected:r}, got {got:r}");

    private static void Close(string what, Tensor expected, Tensor got, double tolerance)
    {
        Assert.Equal(expected.shape, got.shape);
        var error = (expected - got).abs().max().item<double>();
        Assert.True(error <= tolerance, $"{what}: largest difference {error:g3}");
    }

    [GeneratedRegex(@"^((?:softmax|sigmoid)(?<raw>_raw)?(?<masked>_masked)?(?:_local_(?<parts>\d+)_devices)?)_loss$")]
    private static partial Regex FormOfLoss();
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using LiT.Checkpoints;
using LiT.Tests.Parity;
using LiT.Tuning.Optimizers;
using static TorchSharp.torch;

namespace LiT.Tests.Tuning;

/// <summary>
/// optimizers: whole trajectories of Adafactor, Adam and Lion with clipping, weight decay and schedule, step by step
/// with what is remembered between steps; and the schedules alone.
/// </summary>
public sealed class OptimizerFixtures : IFixtureKind
{
    public string Folder => "optimizers";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var schedules = JsonDocument.Parse(File.ReadAllText(folder.PathOf("schedules.json"))).RootElement;
        var tolerances = Tolerances.Of(folder.Meta.GetProperty("tolerance"));
        foreach (var schedule in schedules.EnumerateObject())
            yield return new($"schedule {schedule.Name}", () => CheckSchedule(schedule.Value, tolerances.Schedule));
        var inputs = folder.PathOf("inputs.npz");
        foreach (var run in folder.Meta.GetProperty("runs").EnumerateObject())
        {
            var schedule = Schedule(schedules.GetProperty(run.Value.GetProperty("schedule").GetString()!));
            yield return new(run.Name, () => CheckRun(folder, inputs, run.Name, run.Value, schedule));
            if (folder.Has($"{run.Name}_alternatives.npz"))
                yield return new($"{run.Name}, other readings", () =>
                    CheckAlternatives(folder, inputs, run.Name, run.Value, schedule)
                );
        }
    }

    private static void CheckSchedule(JsonElement expected, double tolerance)
    {
        var schedule = Schedule(expected);
        var values = expected.GetProperty("values").EnumerateArray().Select(value => value.GetDouble()).ToArray();
        for (var step = 0; step < values.Length; step++)
            Assert.True(
                Math.Abs(values[step] - schedule.At(step)) <= tolerance,
                $"step {step}: expected {values[step]:r}, got {schedule.At(step):r}"
            );
    }

    private static void CheckRun(
        FixtureFolder folder,
        string inputs,
        string name,
        JsonElement run,
        LearningRate schedule
    )
    {
        using var scope = NewDisposeScope();
        var given = ReadAll(inputs);
        var expected = ReadAll(folder.PathOf($"{name}.npz"));
        var (norms, multipliers) = (expected["grad_norm"], expected["schedule"]);
        var kept = folder.Meta.GetProperty("kept_steps").EnumerateArray().Select(step => step.GetInt64()).ToList();
        Trajectory(given, run, schedule, half: null, (step, norm, optimizer, parameters) =>
        {
            Close($"step {step}, gradient norm", norms[step], tensor((float)norm), 1e-5 * norm);
            Close($"step {step}, schedule", multipliers[step], tensor((float)schedule.At(step)), 1e-6);
            if (optimizer is Adafactor adafactor)
                Close($"step {step}, beta2", expected["beta2"][step], tensor((float)adafactor.Beta2(step + 1)), 1e-6);
            Near(
                $"step {step}",
                parameters,
                parameter => expected[$"param/{parameter}"][step],
                Tolerances.Of(folder.Meta.GetProperty("tolerance")),
                Halves(optimizer)
            );
            foreach (var (parameter, _, _) in parameters)
            {
                var what = $"step {step}, {parameter}";
                CheckState(what, step, "v_row", $"{parameter}:row");
                CheckState(what, step, "v_col", $"{parameter}:column");
                CheckState(what, step, "v", $"{parameter}:square");
                CheckState(what, kept.IndexOf(step), "nu", $"{parameter}:square");
                CheckState(what, step, "mu_stored", $"{parameter}:momentum");
                var bits = $"{(optimizer is Adafactor ? "momentum" : "mu")}_stored_bf16_bits/{parameter}";
                if (expected.ContainsKey(bits))
                    CheckBits(what, expected[bits][step], optimizer.State[$"{parameter}:momentum"]);

                void CheckState(string what, long row, string array, string remembered)
                {
                    if (row < 0 || !expected.ContainsKey($"{array}/{parameter}"))
                        return;
                    var value = expected[$"{array}/{parameter}"][row];
                    Close(
                        $"{what} {array}",
                        value,
                        optimizer.State[remembered],
                        1e-5 * value.abs().max().item<float>()
                    );
                }
            }
        });
    }

    /// <summary>
    /// bfloat16 momentum read otherwise: not ours, except that without bfloat16 it is one thing only.
    /// </summary>
    private static void CheckAlternatives(
        FixtureFolder folder,
        string inputs,
        string name,
        JsonElement run,
        LearningRate schedule
    )
    {
        using var scope = NewDisposeScope();
        var given = ReadAll(inputs);
        var expected = ReadAll(folder.PathOf($"{name}_alternatives.npz"));
        var kept = folder.Meta.GetProperty("kept_steps").EnumerateArray().Select(step => step.GetInt64()).ToList();
        Trajectory(given, run, schedule, half: false, (step, _, _, parameters) =>
        {
            if (kept.IndexOf(step) is >= 0 and var row)
                Near(
                    $"step {step}",
                    parameters,
                    parameter => expected[$"float32_momentum/param/{parameter}"][row],
                    Tolerances.Of(folder.Meta.GetProperty("tolerance")),
                    flips: false
                );
        });
    }

    private static void Trajectory(
        Dictionary<string, Tensor> given,
        JsonElement run,
        LearningRate schedule,
        bool? half,
        Action<long, double, TuningOptimizer, List<TunedParameter>> after
    )
    {
        var parameters = given
            .Keys.Where(name => name.StartsWith("param/", StringComparison.Ordinal))
            .Select(name => new TunedParameter(
                name["param/".Length..],
                given[name].clone().requires_grad_(),
                name.EndsWith("/kernel", StringComparison.Ordinal)
            ))
            .ToList();
        var gradients = parameters.ToDictionary(
            parameter => parameter.Name,
            parameter => given[$"grad/{parameter.Name}"]
        );
        var options = Options(run);
        using var optimizer = TuningOptimizer.Create(
            parameters,
            half is null ? options : options with { HalfMomentum = half }
        );
        for (var step = 0L; step < run.GetProperty("steps").GetInt64(); step++)
        {
            using var scope = NewDisposeScope();
            foreach (var parameter in parameters)
                parameter.Tensor.grad = gradients[parameter.Name][step];
            var norm = optimizer.Step(schedule.At(step));
            after(step, norm, optimizer, parameters);
        }
    }

    private static Dictionary<string, Tensor> ReadAll(string path)
    {
        using var file = Checkpoint.Open(path);
        return file.Tensors.Keys.ToDictionary(name => name, name => file.Read(name).clone());
    }

    private static OptimizerOptions Options(JsonElement run)
    {
        var settings = run.GetProperty("settings").GetString()!;
        var adafactor =
            settings.Contains("adafactor", StringComparison.Ordinal)
            || settings.Contains("beta2_cap", StringComparison.Ordinal);
        var clip = run.GetProperty("grad_clip_norm");
        return new()
        {
            Kind =
                adafactor ? OptimizerKind.Adafactor
                : settings.StartsWith("lion", StringComparison.Ordinal) ? OptimizerKind.Lion
                : OptimizerKind.AdamW,
            LearningRate = run.GetProperty("lr").GetDouble(),
            WeightDecay = run.GetProperty("wd").GetDouble(),
            ClipNorm = clip.ValueKind == JsonValueKind.Null ? null : clip.GetDouble(),
            Momentum = Setting(adafactor ? "momentum" : "b1") ?? 0.9,
            Beta2 = Setting(adafactor ? "beta2_cap" : "b2"),
            Epsilon = Setting("eps") is { } epsilon && !adafactor ? epsilon : 1e-8,
            DecayRate = Setting("decay_rate") ?? 0.8,
            SmallestFactored = (int)(Setting("min_dim_size_to_factor") ?? 32),
            HalfMomentum =
                settings.Contains("bf16", StringComparison.Ordinal)
                || settings.Contains("bfloat16", StringComparison.Ordinal),
        };

        double? Setting(string key) =>
            Regex.Match(settings, $@"\b{key} ([\d.e+-]+)") is { Success: true } match
                ? double.Parse(match.Groups[1].Value.TrimEnd('.'), CultureInfo.InvariantCulture)
                : null;
    }

    private static LearningRate Schedule(JsonElement schedule)
    {
        return new(
            Enum.Parse<LearningRateShape>(schedule.GetProperty("kind").GetString()!, ignoreCase: true),
            (long)Number("total", 0)
        )
        {
            WarmupSteps = (long)Number("warmup", 0),
            CooldownSteps = (long)Number("cooldown", 0),
            Timescale = Number("timescale", 10_000),
            Shift = Number("shift", 0),
            End = Number("end", 0),
            Power = Number("power", 1),
            Stairs = [.. Numbers("steps").Select(number => (long)number)],
            Multipliers = [.. Numbers("mults")],
        };

        double Number(string key, double otherwise) =>
            schedule.TryGetProperty(key, out var value) ? value.GetDouble() : otherwise;
        IEnumerable<double> Numbers(string key) =>
            schedule.TryGetProperty(key, out var list) ? list.EnumerateArray().Select(one => one.GetDouble()) : [];
    }

    /// <summary>
    /// What meta.json says in words: "max &lt;= 2e-6", "99.8% of the elements &lt;= 2e-6 and all &lt;= 1e-4", "1e-6". A
    /// rounding difference in float32 can flip a rounding to bfloat16, for few elements and not far.
    /// </summary>
    private sealed record Tolerances(double Usual, double AfterFlip, double ShareWithoutFlip, double Schedule)
    {
        public static Tolerances Of(JsonElement said)
        {
            double[] Numbers(string key) =>
                [
                    .. Regex
                        .Matches(said.GetProperty(key).GetString()!, @"\d[\d.]*(?:e[+-]?\d+)?")
                        .Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture)),
                ];
            var halves = Numbers("runs with bf16 momentum");
            return new(Numbers("adam")[0], halves[^1], halves[0] / 100, Numbers("schedules")[0]);
        }
    }

    private static bool Halves(TuningOptimizer optimizer) =>
        optimizer.State.Values.Any(tensor => tensor.dtype == ScalarType.BFloat16);

    private static void CheckBits(string what, Tensor expected, Tensor momentum)
    {
        var wanted = expected.contiguous().bytes.ToArray();
        var stored = momentum.view(-1).bytes.ToArray();
        var bits =
            wanted.Length == stored.Length
                ? MemoryMarshal.Cast<byte, ushort>(wanted).ToArray()
                : MemoryMarshal.Cast<byte, int>(wanted).ToArray().Select(value => (ushort)value).ToArray();
        var own = MemoryMarshal.Cast<byte, ushort>(stored).ToArray();
        Assert.Equal(bits.Length, own.Length);
        var same = bits.Zip(own).Count(pair => pair.First == pair.Second) / (double)own.Length;
        Assert.True(same >= 0.97, $"{what} momentum: {1 - same:p1} of the bfloat16 values differ");
    }

    private static void Near(
        string what,
        List<TunedParameter> parameters,
        Func<string, Tensor> expected,
        Tolerances allowed,
        bool flips
    )
    {
        var error = cat(
            parameters.Select(parameter => (expected(parameter.Name) - parameter.Tensor).abs().view(-1)).ToArray()
        );
        var most = error.max().item<float>();
        var usual = (error <= allowed.Usual).to_type(ScalarType.Float64).mean().item<double>();
        Assert.True(
            most <= (flips ? allowed.AfterFlip : allowed.Usual) && usual >= allowed.ShareWithoutFlip,
            $"{what}: parameters differ by up to {most:g3}, {usual:p2} of them within {allowed.Usual:g1}"
        );
    }

    private static void Close(string what, Tensor expected, Tensor got, double tolerance)
    {
        Assert.Equal(expected.shape, got.shape);
        var error = (expected - got).abs().max().item<float>();
        Assert.True(error <= tolerance, $"{what}: largest difference {error:g3}, allowed {tolerance:g3}");
    }
}

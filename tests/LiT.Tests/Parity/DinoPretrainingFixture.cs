using System.Text.Json;
using LiT.Pretraining;
using LiT.Tuning.Optimizers;
using TorchSharp;

namespace LiT.Tests.Parity;

/// <summary>
/// Loss, centre, schedules, head, teacher and updates of self-supervised pre-training, as tests/fixtures/dino.py works
/// them out from the paper and the authors' conventions; where one of those is turned round, the numbers are clearly
/// others.
/// </summary>
public sealed class DinoPretrainingFixture : IFixtureKind
{
    public string Folder => "dino_pretraining";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        var expected = JsonDocument.Parse(File.ReadAllText(folder.PathOf("expected.json"))).RootElement;
        var tolerance = folder.Tolerance();
        foreach (var kind in expected.EnumerateObject())
        foreach (var (i, given) in kind.Value.EnumerateArray().Index())
            yield return new($"{kind.Name} {i}", () =>
            {
                using var scope = torch.NewDisposeScope();
                Action<JsonElement, double> check = kind.Name switch
                {
                    "losses" => Loss,
                    "schedules" => Schedule,
                    "temperatures" => Temperature,
                    "heads" => Head,
                    "followers" => Follower,
                    "updates" => Update,
                    _ => throw new InvalidOperationException($"no test knows {kind.Name}"),
                };
                check(given, tolerance);
            });
    }

    private static void Loss(JsonElement given, double tolerance)
    {
        using var loss = new DinoLoss(
            given.GetProperty("centre").GetArrayLength(),
            Number(given, "studentTemperature"),
            Number(given, "centreMomentum")
        );
        loss.Centre.copy_(Matrix(given.GetProperty("centre")));
        var (student, teacher) = (Matrix(given.GetProperty("student")), Matrix(given.GetProperty("teacher")));
        student.requires_grad = true;
        var terms = loss.Of(
            student,
            teacher,
            given.GetProperty("views").GetInt32(),
            Number(given, "teacherTemperature")
        );
        var value = terms.Loss.item<float>();
        Near([Number(given, "loss")], [value], tolerance);
        Near([Number(given, "teacherEntropy")], [terms.TeacherEntropy], tolerance);
        Near([Number(given, "information")], [terms.Information], tolerance);
        foreach (var flip in given.GetProperty("flippedLoss").EnumerateObject())
            Seen(flip, [value], tolerance);

        loss.UpdateCentre(teacher);
        Near(Flat(given.GetProperty("centreAfter")), Flat(loss.Centre), tolerance);
        foreach (var flip in given.GetProperty("flippedCentre").EnumerateObject())
            Seen(flip, Flat(loss.Centre), tolerance);
    }

    private static void Schedule(JsonElement given, double tolerance)
    {
        var values = Flat(given.GetProperty("values"));
        var got = values
            .Select(
                (_, step) =>
                    DinoSchedules.Cosine(
                        Number(given, "first"),
                        Number(given, "last"),
                        step,
                        values.Length,
                        given.GetProperty("warmup").GetInt64()
                    )
            )
            .ToArray();
        Near(values, got, 1e-12);
        foreach (var flip in given.GetProperty("flipped").EnumerateObject())
            Seen(flip, got, 1e-12);
    }

    private static void Temperature(JsonElement given, double tolerance)
    {
        var values = Flat(given.GetProperty("values"));
        Near(
            values,
            [
                .. values.Select(
                    (_, epoch) =>
                        DinoSchedules.TeacherTemperature(
                            Number(given, "first"),
                            Number(given, "last"),
                            epoch,
                            given.GetProperty("warmup").GetInt32()
                        )
                ),
            ],
            1e-12
        );
    }

    private static void Head(JsonElement given, double tolerance)
    {
        var weights = given.GetProperty("weights");
        using var head = new DinoHead(
            weights.GetProperty("fc1.weight")[0].GetArrayLength(),
            weights.GetProperty("fc1.weight").GetArrayLength(),
            weights.GetProperty("fc3.weight").GetArrayLength(),
            weights.GetProperty("last").GetArrayLength()
        );
        using var unrecorded = torch.no_grad();
        foreach (var (name, weight) in head.state_dict())
            weight.copy_(Matrix(weights.GetProperty(name)).reshape(weight.shape));
        var got = Flat(head.call(Matrix(given.GetProperty("states"))));
        Near(Flat(given.GetProperty("outputs")), got, tolerance);
        foreach (var flip in given.GetProperty("flipped").EnumerateObject())
            Seen(flip, got, tolerance);
    }

    private static void Follower(JsonElement given, double tolerance)
    {
        using var unrecorded = torch.no_grad();
        var (own, others) = (Matrix(given.GetProperty("teacher")), Matrix(given.GetProperty("student")));
        DinoNetwork.Follow(own, others, Number(given, "momentum"));
        Near(Flat(given.GetProperty("after")), Flat(own), tolerance);
        foreach (var flip in given.GetProperty("flipped").EnumerateObject())
            Seen(flip, Flat(own), tolerance);
    }

    private static void Update(JsonElement given, double tolerance)
    {
        var (rates, decays) = (Flat(given.GetProperty("rates")), Flat(given.GetProperty("decays")));
        var gradients = Matrix(given.GetProperty("gradients"));
        using var weight = Matrix(given.GetProperty("start")).squeeze(0).clone().requires_grad_();
        using var updates = new DinoUpdates(
            [new TunedParameter("head.last", weight, given.GetProperty("decaying").GetBoolean())],
            Number(given, "longest"),
            given.GetProperty("frozen").GetInt64()
        );
        List<double> trace = [];
        for (var step = 0; step < rates.Length; step++)
        {
            updates.Clear();
            (weight * gradients[step]).sum().backward();
            updates.Step(rates[step], decays[step]);
            trace.AddRange(Flat(weight));
        }
        Near(Flat(given.GetProperty("after")), [.. trace], tolerance);
        foreach (var flip in given.GetProperty("flipped").EnumerateObject())
            Seen(flip, [.. trace], tolerance);
    }

    private static void Near(double[] expected, double[] got, double tolerance)
    {
        Assert.Equal(expected.Length, got.Length);
        Assert.True(Apart(expected, got) <= tolerance, $"{Apart(expected, got)} apart");
    }

    private static void Seen(JsonProperty flip, double[] got, double tolerance) =>
        Assert.True(Apart(Flat(flip.Value), got) > 2 * tolerance, $"'{flip.Name}' would not be seen");

    private static double Apart(double[] expected, double[] got) =>
        expected.Zip(got, (one, other) => Math.Abs(one - other)).Max();

    private static double Number(JsonElement given, string name) => given.GetProperty(name).GetDouble();

    private static double[] Flat(torch.Tensor tensor) =>
        [.. tensor.detach().contiguous().data<float>().Select(value => (double)value)];

    private static double[] Flat(JsonElement numbers) =>
        numbers.ValueKind == JsonValueKind.Array
            ? [.. numbers.EnumerateArray().SelectMany(Flat)]
            : [numbers.GetDouble()];

    private static torch.Tensor Matrix(JsonElement rows)
    {
        var columns = rows[0].ValueKind == JsonValueKind.Array ? rows[0].GetArrayLength() : rows.GetArrayLength();
        var numbers = Flat(rows).Select(value => (float)value).ToArray();
        return torch.tensor(numbers, [numbers.Length / columns, columns]);
    }
}

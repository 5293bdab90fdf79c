using System.CommandLine;
using System.Globalization;
using LiT.Planning;
using LiT.Tuning.Runs;

namespace LiT.Cli.Commands;

/// <summary>lit plan: what a recipe takes on given machines, computed from their rates.</summary>
internal static class PlanCommand
{
    public static Command Build()
    {
        Option<string> recipe = new("--recipe")
        {
            Description = $"The recipe: a JSON file, or {string.Join(", ", TuneRecipe.Names)}.",
            Required = true,
        };
        Option<string?> machine = new("--machine")
        {
            Description =
                "A JSON file that describes one of the machines. Default: this one, whose products and memory are "
                + "measured in some seconds.",
        };
        Option<string> machines = new("--machines")
        {
            Description = "Numbers of machines, with commas between.",
            DefaultValueFactory = _ => "1,8,64",
        };
        Option<long?> pairs = new("--pairs")
        {
            Description = "Pictures with captions. Default: what the recipe takes at most.",
        };
        Option<string?> imageTower = new("--image-tower")
        {
            Description = "The locked tower as a size, such as vit:g/14. Default: the recipe's, or vit:B/16.",
        };
        Option<string?> textTower = new("--text-tower")
        {
            Description = "The text tower as a size, such as bert:base. Default: the recipe's, or bert:base.",
        };
        Option<bool> weak = new("--weak")
        {
            Description = "Let the batch grow with the machines, the recipe's on each (weak scaling).",
        };
        Command command = new("plan", "Compute memory, traffic, time and store size of a recipe on given machines.")
        {
            recipe,
            machine,
            machines,
            pairs,
            imageTower,
            textTower,
            weak,
        };
        Limits.Positive(pairs);
        command.Does(
            (parsed, _) =>
            {
                var threads = CommonOptions.ComputeOf(parsed).Threads;
                var run = PlannedRun.Of(
                    TuneRecipe.Read(parsed.GetRequiredValue(recipe)),
                    parsed.GetValue(pairs),
                    parsed.GetValue(imageTower),
                    parsed.GetValue(textTower)
                );
                var one = parsed.GetValue(machine) is { } file ? PlanMachine.Read(file) : PlanMachine.Here(threads);
                var numbers = NumbersOf(parsed.GetValue(machines)!);
                var grows = parsed.GetValue(weak);
                List<PlannedMachines> all =
                [
                    .. numbers.Select(count =>
                        PlannedMachines.Of(run, one, count, grows ? run.Batch * count : run.Batch)
                    ),
                ];
                if (CommonOptions.IsJson(parsed))
                    Terminal.Write(Document(run, one, all));
                else
                    Print(run, one, all);
                return Task.FromResult(ExitCode.Done);
            }
        );
        return command;
    }

    private static List<int> NumbersOf(string text) =>
        [
            .. text.Split(',')
                .Select(number =>
                    int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
                        ? count
                        : throw new UsageException($"--machines {text}: give numbers such as 1,8,64.")
                ),
        ];

    private static object Document(PlannedRun run, PlanMachine machine, List<PlannedMachines> all) =>
        new
        {
            Recipe = run,
            Machine = machine.Numbers.ToDictionary(
                number => number.Name,
                number => new { number.Value, How = machine.How(number.Name) }
            ),
            StoreBytes = StoreBytes(run, machine),
            Plans = all.Select(plan => new
            {
                plan.Machines,
                plan.Batch,
                MemoryBytes = plan.Memory,
                Fits = plan.Memory <= machine.MemoryGiB * (1L << 30),
                TrafficBytes = plan.Traffic,
                StepSeconds = plan.Step,
                TextSeconds = plan.Text,
                LossSeconds = plan.Loss,
                UpdateSeconds = plan.Update,
                ExchangeSeconds = plan.Exchange,
                ExchangeShare = plan.Exchange / plan.Step,
                PairsPerSecond = plan.Batch / plan.Step,
                Efficiency = Efficiency(plan, all[0]),
                TuningSeconds = plan.Tuning,
                EmbeddingSeconds = plan.Embedding,
            }),
        };

    // Pairs a second of a machine, beside those of the first line's.
    private static double Efficiency(PlannedMachines plan, PlannedMachines first) =>
        plan.Batch / plan.Step / plan.Machines / (first.Batch / first.Step / first.Machines);

    private static double StoreBytes(PlannedRun run, PlanMachine machine) =>
        run.Pairs * (2.0 * run.Width + machine.MetadataBytes);

    private static void Print(PlannedRun run, PlanMachine machine, List<PlannedMachines> all)
    {
        Terminal.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{run.Pairs:N0} pairs, {run.Steps:N0} steps of {run.Batch:N0}; {run.ImageTower}, "
                    + $"{run.ImageWeights:N0} weights, "
                    + $"{run.ImageFlops / 1e9:N1} GFLOP a picture, {run.Width} numbers; {run.TextTower}, "
                    + $"{run.TextWeights:N0} weights, {run.Tokens:N1} ids a caption"
            )
        );
        Terminal.Line($"store: {Bytes(StoreBytes(run, machine))} in float16");
        Terminal.Table(
            ["machines", "batch", "memory", "traffic a step", "step", "exchange", "efficiency", "tuning", "embedding"],
            all.Select(plan =>
                (IReadOnlyList<string>)
                    [
                        string.Create(CultureInfo.InvariantCulture, $"{plan.Machines}"),
                        string.Create(CultureInfo.InvariantCulture, $"{plan.Batch:N0}"),
                        Bytes(plan.Memory) + (plan.Memory <= machine.MemoryGiB * (1L << 30) ? "" : " (too much)"),
                        Bytes(plan.Traffic),
                        Time(plan.Step),
                        string.Create(CultureInfo.InvariantCulture, $"{100 * plan.Exchange / plan.Step:F1}%"),
                        string.Create(CultureInfo.InvariantCulture, $"{Efficiency(plan, all[0]):F2}"),
                        Time(plan.Tuning),
                        Time(plan.Embedding),
                    ]
            )
        );
        foreach (var kind in new[] { "measured", "assumed" })
            Terminal.Line(
                $"{kind}: "
                    + string.Join(
                        ", ",
                        machine
                            .Numbers.Where(number => machine.How(number.Name) == kind)
                            .Select(number =>
                                string.Create(CultureInfo.InvariantCulture, $"{number.Name} {number.Value}")
                            )
                            .DefaultIfEmpty("nothing")
                    )
            );
        Terminal.Line(
            string.Create(
                CultureInfo.InvariantCulture,
                $"assumed as well: captions fill {100 * PlannedRun.Filled:F0}% of a row of ids; one process a machine; "
                    + $"all else computed from these"
            )
        );
    }

    private static string Bytes(double bytes) =>
        bytes >= 1e12 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e12:F2} TB")
        : bytes >= 1e9 ? string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F2} GB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB");

    private static string Time(double seconds) =>
        seconds >= 2 * 86400 ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 86400:F1} days")
        : seconds >= 2 * 3600 ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 3600:F1} h")
        : string.Create(CultureInfo.InvariantCulture, $"{seconds:F2} s");
}

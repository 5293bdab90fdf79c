using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Classification;
using LiT.Reports;
using LiT.Studies;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;

namespace LiT.Cli.Commands;

/// <summary>lit study: compare ways of tuning on the same data.</summary>
internal static class StudyCommand
{
    public static Command Build()
    {
        Option<string> folder = new("--out")
        {
            Description = "The study's folder; run again, finished runs are kept and an interrupted one goes on.",
            Required = true,
        };
        Option<string> test = new("--test")
        {
            Description =
                "Pictures to score every run on: zero-shot where they have labels, retrieval where they have captions.",
            Required = true,
        };
        Option<string?> classes = new("--classes") { Description = "Class names of --test, the first for label 0." };
        Option<string?> templates = new("--templates")
        {
            Description = "Prompt templates for --test, one a line, with {} where the class name goes.",
        };
        Option<string?> imageTower = new("--image-tower")
        {
            Description = "The pre-trained image tower; a store names its own.",
        };
        Option<string?> imageScratch = new("--image-scratch") { Description = "An image tower from scratch, for uu." };
        Option<string?> textInit = new("--text-init")
        {
            Description = "A pre-trained text tower, for settings that end with U or L: a file, a bundle or a run.",
        };
        Option<string?> file = new("--file")
        {
            Description =
                """A study as JSON: {"base": {…}, "vary": {"lock": ["Lu", "LU"]}, "cells": [{"name": "…"}], "seeds": [0, 1]}.""",
        };
        Option<string?> recipe = new("--recipe")
        {
            Description =
                "What all cells share: a JSON file, a run's config.json, or one of "
                + $"{string.Join(", ", TuneRecipe.Names)}.",
        };
        Option<string[]> vary = new("--vary")
        {
            Description =
                "NAME=VALUE,VALUE: what is varied, such as lock=Lu,LU or batch=64,256 or "
                + "optimizer.learningRate=0.001,0.003; | stands between values that hold commas.",
            DefaultValueFactory = _ => [],
        };
        var seeds = Lists.Numbers("--seeds", "Seeds of every cell. Default: 0.", least: 0);
        Option<int?> pictures = new("--pictures")
        {
            Description = "At most so many pictures are tuned on, spread evenly.",
        };
        Option<bool> keep = new("--keep-checkpoints") { Description = "Keep the checkpoints of runs that are done." };
        DataOptions data = new() { TakesCaptions = true };
        Command command = new(
            "study",
            "Compare ways of tuning (lock settings, losses, batches, towers, seeds) on the same data."
        )
        {
            folder,
            test,
            classes,
            templates,
            imageTower,
            imageScratch,
            textInit,
            file,
            recipe,
            vary,
            seeds,
            pictures,
            keep,
        };
        data.AddTo(command);
        command.Subcommands.Add(StudyTowersCommand.Build());
        Limits.Positive(pictures);
        command.Does(
            (parsed, cancel) =>
            {
                var plan = parsed.GetValue(file) is { } path ? StudyPlan.Read(path) : new StudyPlan();
                if (parsed.GetValue(recipe) is { } name)
                {
                    var shared = (JsonObject)JsonSerializer.SerializeToNode(TuneRecipe.Read(name), TuningOptions.Json)!;
                    TuneRecipe.Merge(shared, plan.Base);
                    plan = plan with { Base = shared };
                }
                plan = plan with { Vary = [.. plan.Vary, .. parsed.GetValue(vary)!.Select(StudyPlan.ParseVary)] };
                if (parsed.GetValue(seeds) is { Length: > 0 } list)
                    plan = plan with { Seeds = list };
                StudyRequest request = new()
                {
                    Data = data.PathOf(parsed),
                    Samples = data.OptionsOf(parsed),
                    ImageTower = parsed.GetValue(imageTower) is { } tower ? LitModel.ImageTowerOf(tower) : null,
                    ImageScratch = parsed.GetValue(imageScratch),
                    TextInit = parsed.GetValue(textInit),
                    Test = parsed.GetRequiredValue(test),
                    Evaluation = new()
                    {
                        Images = new() { Samples = data.OptionsOf(parsed) with { KeepOwnCaptions = true } },
                        Classes = parsed.GetValue(classes) is { } names ? ClassLists.Read(names).Names : null,
                        Templates = parsed.GetValue(templates) is { } lines
                            ? PromptTemplates.Read(lines)
                            : PromptTemplates.Default,
                    },
                    Out = parsed.GetRequiredValue(folder),
                    Pictures = parsed.GetValue(pictures),
                    KeepCheckpoints = parsed.GetValue(keep),
                    Compute = CommonOptions.ComputeOf(parsed),
                    Tuned = run => TuningReport.Write(run),
                    InWords = Wording.Of,
                    Written = rows => StudyReport.Write(parsed.GetRequiredValue(folder), rows),
                };
                StudyResults results;
                using (ProgressLine progress = new())
                    results = StudyRun.Run(request, plan, Terminal.Say, progress, cancel);
                Print(parsed, results);
                return Task.FromResult(
                    results.Rows.SelectMany(row => row.Runs).Any(run => run.Failure is not null)
                        ? ExitCode.Failed
                        : ExitCode.Done
                );
            }
        );
        return command;
    }

    private static void Print(Asked parsed, StudyResults results)
    {
        if (CommonOptions.IsJson(parsed))
        {
            Terminal.Write(
                new
                {
                    Cells = results.Rows.Select(row => new
                    {
                        row.Name,
                        row.Choices,
                        row.Metrics,
                        row.Seconds,
                        row.Runs,
                    }),
                    Best = StudyResults
                        .MetricNames(results.Rows)
                        .ToDictionary(
                            name => name,
                            name =>
                                results
                                    .Rows.Where(row => row.Metrics.ContainsKey(name))
                                    .MaxBy(row => row.Metrics[name].Mean)!
                                    .Name
                        ),
                    results.Report,
                    results.Csv,
                }
            );
            return;
        }
        string[] shown =
        [
            .. StudyResults
                .MetricNames(results.Rows)
                .Where(name => name is "top1" or "top5" || name.EndsWith("R1", StringComparison.Ordinal)),
        ];
        Terminal.Table(
            ["cell", .. shown, "seconds"],
            results.Rows.Select(row =>
                new[] { row.Name }
                    .Concat(
                        shown.Select(name =>
                            row.Metrics.TryGetValue(name, out var number) ? StudyReport.Words(number) : ""
                        )
                    )
                    .Append(FormattableString.Invariant($"{row.Seconds:F0}"))
                    .ToArray()
            ),
            $"Means over {results.Rows.Max(row => row.Runs.Count)} seed(s), with half of the 95% interval"
        );
        foreach (var run in results.Rows.SelectMany(row => row.Runs).Where(run => run.Failure is not null))
            Terminal.Complain($"{run.Cell}, seed {run.Seed}: {run.Failure}");
        Terminal.Line($"{results.Report} shows how it went; {results.Csv} has a line a run");
    }
}

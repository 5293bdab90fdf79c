using System.Text.Json.Nodes;
using LiT.Reports;
using LiT.Studies;
using LiT.Tests.Reports;

namespace LiT.Tests.Studies;

public class StudyPlanTests
{
    [Fact]
    public void Every_combination_of_what_is_varied_is_a_cell()
    {
        StudyPlan plan = new()
        {
            Vary =
            [
                StudyPlan.ParseVary("lock=Lu,LL"),
                StudyPlan.ParseVary("batch=64,256"),
                StudyPlan.ParseVary("optimizer.learningRate=0.01"),
            ],
        };
        var cells = plan.Cells();
        Assert.Equal(
            [
                "lock=Lu batch=64 optimizer.learningRate=0.01",
                "lock=Lu batch=256 optimizer.learningRate=0.01",
                "lock=LL batch=64 optimizer.learningRate=0.01",
                "lock=LL batch=256 optimizer.learningRate=0.01",
            ],
            cells.Select(cell => cell.Name)
        );
        var last = cells[^1].Recipe;
        Assert.Equal(
            ("LL", 256, 0.01),
            (last.Lock!.Letters, last.Over(new()).Batch, last.Over(new()).Optimizer.LearningRate)
        );
    }

    [Fact]
    public void Values_that_hold_commas_are_parted_by_bars()
    {
        var (name, values) = StudyPlan.ParseVary(
            "textTower=text:width=8,depth=1,heads=1|text:width=16,depth=1,heads=1"
        );
        Assert.Equal("textTower", name);
        Assert.Equal(
            ["text:width=8,depth=1,heads=1", "text:width=16,depth=1,heads=1"],
            values.Select(value => value!.ToString())
        );
    }

    [Fact]
    public void A_file_may_name_cells_one_by_one_over_a_common_base()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write(
            "study.json",
            """{ "base": { "options": { "batch": 8 } }, "cells": [ { "name": "wide", "textTower": "bert:tiny" }, { "name": "small", "options": { "steps": 3 } } ], "seeds": [4, 5] }"""
        );
        var plan = StudyPlan.Read(path);
        Assert.Equal([4, 5], plan.Seeds);
        var cells = plan.Cells();
        Assert.Equal(["wide", "small"], cells.Select(cell => cell.Name));
        Assert.All(cells, cell => Assert.Equal(8, cell.Recipe.Over(new()).Batch));
        Assert.Equal(3, cells[1].Recipe.Over(new()).Steps);
    }

    [Theory]
    [InlineData("""{"bases":{}}""", "the member bases is not known")]
    [InlineData("""{"vary":[1]}""", "cannot be used as a study")]
    [InlineData("{", "cannot be used as a study")]
    public void A_file_that_is_no_study_is_named(string json, string says)
    {
        using var folder = new TemporaryFolder();
        Assert.Contains(
            says,
            Assert.Throws<LitException>(() => StudyPlan.Read(folder.Write("study.json", json))).Message
        );
    }

    [Fact]
    public void A_name_that_is_no_choice_of_a_run_is_refused() =>
        Assert.Contains(
            "the member bath is not known",
            Assert
                .Throws<LitException>(() => new StudyPlan { Vary = [("bath", [JsonValue.Create(3)])] }.Cells())
                .Message
        );

    [Fact]
    public void The_interval_of_a_mean_over_seeds_is_students()
    {
        // Mean 2, deviation 1, t(2) = 4.303: 2 ± 4.303 / sqrt(3).
        var number = StudyNumber.Of([1, 2, 3]);
        Assert.Equal(2, number.Mean);
        Assert.Equal(2 - 2.4843, number.Low!.Value, 4);
        Assert.Equal(2 + 2.4843, number.High!.Value, 4);
        Assert.Null(StudyNumber.Of([1]).Low);
    }

    [Fact]
    public void The_table_has_a_line_a_run_and_the_page_holds_together()
    {
        StudyRunResult Run(int seed, double top1) =>
            new(
                "lock=Lu",
                seed,
                new Dictionary<string, double> { ["top1"] = top1 },
                [top1 - 0.1, top1 + 0.1],
                3,
                1.5,
                10,
                2,
                []
            );
        StudyRow[] rows =
        [
            new("lock=Lu", new Dictionary<string, string> { ["lock"] = "Lu" }, [Run(0, 0.5), Run(1, 0.7)]),
            new(
                "a, \"b\"",
                new Dictionary<string, string> { ["lock"] = "Uu" },
                [Run(0, 0) with { Metrics = new Dictionary<string, double>(), Failure = "no, it <failed>" }]
            ),
        ];
        var csv = StudyResults.ToCsv(rows).TrimEnd('\n').Split('\n');
        Assert.Equal("cell,lock,seed,top1,steps,loss,temperature,seconds,doctor,failure", csv[0]);
        Assert.Equal("lock=Lu,Lu,1,0.7,3,1.5,10,2,,", csv[2]);
        Assert.StartsWith("\"a, \"\"b\"\"\",Uu,0,,", csv[3]);
        var page = Pages.Check(StudyReport.Build("nowhere", rows));
        Assert.Contains("60.0% ± 127.1", page.Descendants("td").Select(cell => cell.Value));
    }
}

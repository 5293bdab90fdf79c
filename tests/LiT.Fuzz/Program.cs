using System.Diagnostics;
using System.Globalization;
using LiT.Fuzz;

// LiT.Fuzz [--fixtures DIR] [--target NAME] [--mutations N] [--seed N] [--first N] [--seconds N] [--keep DIR]
var options = new Dictionary<string, string>
{
    ["--fixtures"] = Path.Combine("tests", "LiT.Tests", "Fixtures", "reference"),
    ["--target"] = "",
    ["--mutations"] = "10000",
    ["--seed"] = "0",
    ["--first"] = "0",
    ["--seconds"] = "160",
    ["--keep"] = Path.Combine("out", "fuzz"),
};
for (var i = 0; i < args.Length; i += 2)
{
    if (options.ContainsKey(args[i]) && i + 1 < args.Length)
    {
        options[args[i]] = args[i + 1];
        continue;
    }
    Console.Error.WriteLine(
        $"{args[i]}: no such option, or its value is missing. There are {string.Join(", ", options.Keys)}."
    );
    return 2;
}
long Number(string option) => long.Parse(options[option], CultureInfo.InvariantCulture);

var targets = FuzzTarget
    .All(options["--fixtures"])
    .Where(target => options["--target"] is "" || target.Name == options["--target"])
    .ToList();
if (targets.Count == 0)
{
    Console.Error.WriteLine($"--target {options["--target"]}: there is none of this name.");
    return 2;
}
var (first, each, limit) = (
    Number("--first"),
    Number("--mutations") / targets.Count,
    TimeSpan.FromSeconds(Number("--seconds") / targets.Count)
);
var findings = 0;
foreach (var target in targets)
{
    var work = Directory.CreateTempSubdirectory("lit-fuzz-").FullName;
    foreach (var companion in target.Companions)
        File.Copy(companion, Path.Combine(work, Path.GetFileName(companion)));
    var run = new FuzzRun((int)Number("--seed"), work);
    var clock = Stopwatch.StartNew();
    var (done, found) = (first, 0);
    for (; done < first + each && clock.Elapsed < limit && found < 10; done++)
    {
        if (run.Try(target, done) is not { } finding)
            continue;
        found++;
        Directory.CreateDirectory(options["--keep"]);
        var kept = Path.Combine(options["--keep"], $"{finding.Target}-{finding.Seed}-{finding.Iteration}");
        File.WriteAllBytes(kept, finding.Input);
        Console.WriteLine($"{kept}: {finding.What}");
    }
    Console.WriteLine(
        $"{target.Name}: {done - first} mutations of {target.Seeds.Count} files in {clock.Elapsed.TotalSeconds:f0} s, "
            + $"{run.Refused} refused, {run.Accepted} read, slowest {run.Slowest.TotalMilliseconds:f0} ms of "
            + $"a processor, most memory beside the heap {run.MostNative / 1e6:f0} MB"
    );
    Directory.Delete(work, recursive: true);
    findings += found;
}
return findings == 0 ? 0 : 1;

using System.Diagnostics;
using System.Text.Json;

namespace LiT.Tests.Face;

/// <summary>A classifier of the library, and lit classify with the same settings, say the same.</summary>
public sealed class CommandLineTests(SmallModel small) : IClassFixture<SmallModel>
{
    [Theory]
    [InlineData("")]
    [InlineData("--decode fast --ignore-exif")]
    [InlineData("--min-precision 0.5 --present 0.2")]
    public async Task The_command_line_answers_as_the_classifier_does(string options)
    {
        var cancel = TestContext.Current.CancellationToken;
        string[] pictures =
        [
            small["turned.jpg"],
            .. Directory.EnumerateFiles(small.Pictures).Order(),
            small["none.png"],
        ];
        string[] labels = ["a", "b", "c a", "b b b"];
        using var said = JsonDocument.Parse(
            await RunAsync(
                [
                    "classify",
                    .. pictures,
                    "--model",
                    small.Bundle,
                    "--labels",
                    string.Join(',', labels),
                    "--json",
                    .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries),
                ],
                exitCode: 1 // one picture is not there
            )
        );

        using var model = await LitModel.LoadAsync(small.Bundle, null, cancel);
        var classifier = await model.ClassifierAsync(
            labels,
            new()
            {
                FastDecoding = options.Contains("fast", StringComparison.Ordinal),
                HonourExif = !options.Contains("--ignore-exif", StringComparison.Ordinal),
                MinPrecision = options.Contains("--min-precision", StringComparison.Ordinal) ? 0.5 : null,
                Present = options.Contains("--present", StringComparison.Ordinal) ? 0.2 : 0.5,
            },
            cancel
        );
        var rows = said.RootElement.EnumerateArray().GetEnumerator();
        await foreach (var file in classifier.ClassifyAsync(pictures, cancel))
        {
            Assert.True(rows.MoveNext());
            Assert.Equal(file.Path, rows.Current.GetProperty("image").GetString());
            Assert.Equal(file.Problem, Text(rows.Current, "error"));
            if (file.Picture is not { } picture)
                continue;
            Assert.Equal(
                picture.Labels,
                rows.Current.GetProperty("labels")
                    .EnumerateArray()
                    .Select(one => new LabelProbability(
                        one.GetProperty("label").GetString()!,
                        one.GetProperty("probability").GetDouble()
                    ))
            );
            Assert.Equal(picture.ExpectedPrecision, Value(rows.Current, "expectedPrecision")?.GetDouble());
            Assert.Equal(picture.NoneOfThese, Value(rows.Current, "noneOfThese")?.GetBoolean());
        }
        Assert.False(rows.MoveNext());
    }

    private static JsonElement? Value(JsonElement of, string name) =>
        of.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement of, string name) => Value(of, name)?.GetString();

    private static async Task<string> RunAsync(string[] arguments, int exitCode)
    {
        var built = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var program = Path.Combine(
            built.Parent!.Parent!.FullName,
            "LiT.Cli",
            built.Name,
            OperatingSystem.IsWindows() ? "lit.exe" : "lit"
        );
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var talk = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == exitCode, $"{process.ExitCode}: {output}\n{await talk}");
        return output;
    }
}

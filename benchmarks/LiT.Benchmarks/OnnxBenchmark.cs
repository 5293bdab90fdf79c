using System.Globalization;
using LiT.Bundles;
using LiT.Compute;
using LiT.Images;
using LiT.Onnx;
using LiT.Towers;
using Microsoft.ML.OnnxRuntime;

namespace LiT.Benchmarks;

/// <summary>
/// A network in ONNX as a tower beside ONNX Runtime alone on the same pixels: with its own threads inside a call, and
/// with as many callers of one thread each.
/// </summary>
internal static class OnnxBenchmark
{
    private const int Turns = 5;
    private const string Inside = "ONNX Runtime, threads inside a call",
        Callers = "ONNX Runtime, a caller a thread";

    /// <summary>Arguments: the tower, how many pictures, and threads.</summary>
    public static int Run(string[] options, Results results)
    {
        OnnxTowers.Use();
        var (spec, count, threads) = (
            options[0],
            TextTowerBenchmark.Number(options, 1, 48),
            TextTowerBenchmark.Number(options, 2, 2)
        );
        using var use = Parts.Use(threads);
        using var locked = ImageTowerLoader.Load(spec);
        var pixels = Pictures(locked.Preprocessing, count);
        var rows = new float[count * locked.Tower.Width];
        using Alone inside = new(spec, locked, threads),
            callers = new(spec, locked, 1);
        var (byCalls, byCallers) = (new float[rows.Length], new float[rows.Length]);
        var spent = Rounds.MedianSpent(
            Turns,
            () => ImageBatch.Represent(locked, pixels, ComputeDevice.Cpu, rows),
            () => inside.Represent(pixels, byCalls, 1),
            () => callers.Represent(pixels, byCallers, threads)
        );
        var what = $"{spec}, {threads} thread{(threads == 1 ? "" : "s")}";
        var error = Math.Max(Apart(rows, byCalls), Apart(rows, byCallers));
        results.Rate(what, "LiT", "pictures/s", count, spent[0], (Inside, spent[1]), (Callers, spent[2]));
        results.Rate(what, Inside, "pictures/s", count, spent[1]);
        results.Rate(what, Callers, "pictures/s", count, spent[2]);
        results.Number(what, "largest difference", "millionths of the largest number", 1e6 * error);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: {count / spent[0].Seconds:F2} pictures/s, {Inside} {count / spent[1].Seconds:F2}, {Callers} "
                    + $"{count / spent[2].Seconds:F2}; largest difference {error:E1} of the largest number"
            )
        );
        return 0;
    }

    private static List<float[]> Pictures(Preprocessing preprocessing, int count)
    {
        Random chance = new(1);
        List<float[]> pixels = [];
        for (var i = 0; i < count; i++)
        {
            var bytes = new byte[preprocessing.Width * preprocessing.Height * 3];
            chance.NextBytes(bytes);
            var picture = new float[preprocessing.ValueCount];
            preprocessing.Apply(new(preprocessing.Width, preprocessing.Height, bytes), picture);
            pixels.Add(picture);
        }
        return pixels;
    }

    private static double Apart(float[] one, float[] other)
    {
        var largest = 0f;
        for (var i = 0; i < one.Length; i++)
            largest = Math.Max(largest, Math.Abs(one[i] - other[i]));
        return largest / other.Max(Math.Abs);
    }

    /// <summary>The network, and the graph before it, in sessions of their own, picture by picture.</summary>
    private sealed class Alone : IDisposable
    {
        private readonly InferenceSession main;
        private readonly InferenceSession? before;
        private readonly long[] shape;
        private readonly int width;

        public Alone(string spec, LockedTower locked, int threads)
        {
            var (path, given) = TowerPath.Split(spec);
            var options = OnnxOptions.Parse(given, spec, new ImageTowerOptions());
            using SessionOptions session = new()
            {
                IntraOpNumThreads = threads,
                InterOpNumThreads = 1,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            };
            main = new(path, session);
            if (options.Preprocess is { } graph && OnnxPreprocessing.IsGraph(graph))
                before = new(OnnxPreprocessing.GraphOf(graph, path), session);
            (shape, width) = ([1, 3, locked.Preprocessing.Height, locked.Preprocessing.Width], locked.Tower.Width);
        }

        public void Represent(IReadOnlyList<float[]> pixels, float[] rows, int callers)
        {
            if (callers == 1)
                for (var i = 0; i < pixels.Count; i++)
                    One(pixels[i], rows.AsSpan(i * width, width));
            else
                Parallel.For(0, pixels.Count, new ParallelOptions { MaxDegreeOfParallelism = callers }, i =>
                    One(pixels[i], rows.AsSpan(i * width, width))
                );
        }

        private void One(float[] pixels, Span<float> row)
        {
            using RunOptions options = new();
            using var input = OrtValue.CreateTensorValueFromMemory(pixels, shape);
            if (before is null)
            {
                using var results = main.Run(options, main.InputNames, [input], main.OutputNames);
                results[0].GetTensorDataAsSpan<float>()[..row.Length].CopyTo(row);
                return;
            }
            using var prepared = before.Run(options, before.InputNames, [input], before.OutputNames);
            using var given = main.Run(options, main.InputNames, [prepared[0]], main.OutputNames);
            given[0].GetTensorDataAsSpan<float>()[..row.Length].CopyTo(row);
        }

        public void Dispose()
        {
            main.Dispose();
            before?.Dispose();
        }
    }
}

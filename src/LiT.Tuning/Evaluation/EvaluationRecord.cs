using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LiT.Classification;
using LiT.Compute;
using LiT.Data;
using static TorchSharp.torch;

namespace LiT.Evaluation;

/// <summary>The hashes and versions that go into every result.</summary>
internal static class EvaluationRecord
{
    public static EvaluationVersions Versions(ComputeDevice compute) =>
        new(
            typeof(EvaluationRecord)
                .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
                ?.InformationalVersion
                ?? "unknown",
            __version__,
            compute.Device.ToString(),
            compute.Type.ToString().ToLowerInvariant()
        )
        {
            Isa = Processor.NameOf(Processor.Isa),
            Threads = compute.Threads,
        };

    public static string OfPrompts(IEnumerable<Prompt> prompts) =>
        Lines(prompts.Select(prompt => string.Create(CultureInfo.InvariantCulture, $"{prompt.Class}\t{prompt.Text}")));

    public static string OfPictures(IEnumerable<Sample> samples, IEnumerable<int[]> labels) =>
        Lines(samples.Zip(labels, (sample, own) => $"{sample.Key}\t{string.Join(',', own)}"));

    public static string OfTexts(IEnumerable<string> lines) => Lines(lines);

    public static string OfNumbers(Embeddings rows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(
            Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{rows.Count} x {rows.Size}\n"))
        );
        for (var row = 0; row < rows.Count; row++)
            hash.AppendData(MemoryMarshal.AsBytes(rows[row]));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Lines(IEnumerable<string> lines)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var line in lines)
            hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

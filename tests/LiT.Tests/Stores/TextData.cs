using System.Security.Cryptography;
using LiT.Bundles;
using LiT.Compute;
using LiT.Data;
using LiT.Embedding;
using LiT.Stores;
using LiT.Tests.Tuning;
using LiT.Towers;

namespace LiT.Tests.Stores;

/// <summary>Pictures with captions, a locked text tower of a hundred weights, and stores of what it gives.</summary>
internal static class TextData
{
    private static readonly string[] Names = ["red", "green", "blue", "dark red", "dark green", "dark blue"];

    public static ComputeDevice Compute { get; } = ComputeDevice.Choose("cpu", "float32", 0);

    /// <summary>Captions of forty pictures: two of each, the second in German, and equal ones among them.</summary>
    public static Sample[] Samples(int count = 40) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => new Sample($"p{i:D3}", $"p{i:D3}.jpg")
                {
                    Captions = [$"a {Names[i % 6]} thing", $"ding {i}"],
                    Fields = new Dictionary<string, string> { ["caption.de"] = $"[\"ding {i}\"]" },
                }),
        ];

    /// <summary>A tower from scratch, as a constant; another seed is another tower.</summary>
    public static LockedText Tower(long seed = 5)
    {
        var tokenizer = TinyRun.Tokenizer();
        var tower = TextTowerLoader.Create(
            "text:width=16,depth=1,heads=2",
            tokenizer.Tokenizer.VocabularySize,
            tokenizer.Layout.Length,
            seed,
            tokenizer.Layout.Pad
        );
        tower.Lock();
        return new(tower, tokenizer, "tower " + seed, LockedText.Of(tower, tokenizer));
    }

    public static TextResult Embed(
        string folder,
        IEnumerable<Sample> samples,
        TextOptions? options = null,
        LockedText? tower = null,
        CancellationToken cancel = default
    )
    {
        using var own = tower is null ? Tower() : null;
        return TextRun.Run(
            tower ?? own!,
            new Given([.. samples]) { Path = "given" },
            folder,
            options ?? new() { Type = StoredType.Float32, RowsPerShard = 16 },
            Compute,
            null,
            cancel
        );
    }

    /// <summary>Every file of a folder with a hash of its bytes.</summary>
    public static SortedDictionary<string, string> Files(string folder) =>
        new(
            Directory
                .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                .Where(file => !Path.GetFileName(file).StartsWith('.'))
                .ToDictionary(
                    file => Path.GetRelativePath(folder, file),
                    file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))
                ),
            StringComparer.Ordinal
        );

    /// <summary>Samples at hand; reading may be told to stop.</summary>
    public sealed class Given(Sample[] samples, Action<int>? read = null) : SampleSource
    {
        public override string Form => "given";

        public override IEnumerable<Sample> Read(Action<Skipped> skip)
        {
            foreach (var (number, sample) in samples.Index())
            {
                read?.Invoke(number);
                yield return sample;
            }
        }
    }
}

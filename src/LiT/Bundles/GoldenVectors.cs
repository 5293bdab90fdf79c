using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Compute;
using LiT.Files;
using LiT.Text;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Bundles;

/// <summary>A text, its row of ids and its embedding.</summary>
/// <param name="Text">The text.</param>
/// <param name="Ids">Its row.</param>
/// <param name="Embedding">ztxt of unit length.</param>
internal sealed record GoldenText(string Text, long[] Ids, float[] Embedding);

/// <summary>
/// What a model gave for two pictures that anybody can draw again (<see cref="ProbeVectors"/>) and a few texts where it
/// was made. A bundle carries them as <c>golden.json</c>; computed again on another machine or version they show that
/// decoder, tokenizer and towers still give the same. Fingerprints show that the weights are the same; these, that the
/// sums are.
/// </summary>
/// <param name="Device">Where they were computed: "cpu", "cuda".</param>
/// <param name="Images">What the image tower gave; null where it was not at hand.</param>
/// <param name="Texts">What the text side gave.</param>
internal sealed record GoldenVectors(string Device, ProbeVectors? Images, IReadOnlyList<GoldenText> Texts)
{
    /// <summary>The file's name inside a bundle.</summary>
    public const string FileName = "golden.json";

    /// <summary>
    /// How far vectors may be apart, as a part of their length, between two machines that compute in float32 on the
    /// CPU: sums in another order stay some 1e-6 apart, and the smallest wrong convention (GELU's other form) 1.1e-4.
    /// </summary>
    public const double Tolerance = 1e-4;

    // GPUs round products to ten bits, bfloat16 has eight.
    private const double GpuTolerance = 5e-3,
        RoundedTolerance = 5e-2;

    private static readonly string[] Sentences =
    [
        "a photo of a cat",
        "Zwei rote ÄPFEL, 3 €",
        "an aerial view of a harbour with many small white boats, taken at sunset from a balloon",
    ];

    /// <summary>The vectors of towers in memory.</summary>
    /// <param name="towers">Text side with heads; put into evaluation mode for the time being.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="image">The image tower, or null.</param>
    public static GoldenVectors Of(TwoTowers towers, CaptionTokenizer tokenizer, LockedTower? image)
    {
        var training = towers.training;
        towers.eval();
        var at = ComputeOf(towers);
        var embeddings = TowerOutputs.Texts(towers, tokenizer, Sentences, at);
        GoldenText[] texts =
        [
            .. Sentences.Select((text, i) => new GoldenText(text, tokenizer.Row(text, out _), embeddings[i].ToArray())),
        ];
        if (training)
            towers.train();
        return new(
            at.Device.type.ToString().ToLowerInvariant(),
            image is null ? null : ProbeVectors.Of(image, ComputeOf(image.Tower)),
            texts
        );
    }

    /// <summary>
    /// What is wrong where the same model gives <paramref name="atHand"/>, as a phrase; null where nothing is.
    /// </summary>
    public string? Trouble(GoldenVectors atHand)
    {
        var allowed = Allowed(atHand);
        if (Images is not null && atHand.Images is not null && !(atHand.Images.DistanceTo(Images) <= allowed))
            return Apart("the image tower", "the test pictures", atHand.Images.DistanceTo(Images), allowed);
        foreach (var (golden, now) in Texts.Zip(atHand.Texts))
        {
            if (!golden.Ids.SequenceEqual(now.Ids))
                return $"the tokenizer gives the ids {string.Join(' ', now.Ids)} for \"{golden.Text}\" where "
                    + $"{string.Join(' ', golden.Ids)} were written down";
            if (!(Distance(now.Embedding, golden.Embedding) <= allowed))
                return Apart(
                    "the text tower",
                    $"\"{golden.Text}\"",
                    Distance(now.Embedding, golden.Embedding),
                    allowed
                );
        }
        return Texts.Count == atHand.Texts.Count
            ? null
            : $"{Texts.Count} texts were written down where {atHand.Texts.Count} are known";
    }

    /// <summary>The largest distance, as a part of a vector's length, and what is allowed.</summary>
    public (double Largest, double Allowed) DistanceTo(GoldenVectors atHand)
    {
        var texts = Texts.Zip(atHand.Texts, (a, b) => Distance(b.Embedding, a.Embedding));
        return (
            texts.Append(Images is not null && atHand.Images is not null ? atHand.Images.DistanceTo(Images) : 0).Max(),
            Allowed(atHand)
        );
    }

    /// <summary>Writes the file into a bundle.</summary>
    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    internal void Write(string folder)
    {
        JsonObject json = new()
        {
            ["about"] =
                "What the model gave where it was made, for test pictures drawn by a formula and for "
                + "texts; 'lit verify' computes them again. Vectors are little-endian float32 in base64.",
            ["device"] = Device,
            ["tolerance"] = Tolerance,
            ["images"] = Images?.ToJson(),
            ["texts"] = new JsonArray([
                .. Texts.Select(text => new JsonObject
                {
                    ["text"] = text.Text,
                    ["ids"] = new JsonArray([.. text.Ids.Select(id => JsonValue.Create(id))]),
                    ["embedding"] = Convert.ToBase64String(MemoryMarshal.AsBytes<float>(text.Embedding)),
                }),
            ]),
        };
        AtomicFile.WriteAllText(
            Path.Combine(folder, FileName),
            json.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n"
        );
    }

    /// <summary>Reads a bundle's file; null where it has none.</summary>
    /// <exception cref="LitException">It is damaged.</exception>
    public static GoldenVectors? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            var json = JsonNode.Parse(File.ReadAllText(path)) ?? throw new JsonException("null");
            return new(
                json["device"]!.GetValue<string>(),
                json["images"] is { } images ? ProbeVectors.FromJson(images) : null,
                [
                    .. json["texts"]!
                        .AsArray()
                        .Select(text => new GoldenText(
                            text!["text"]!.GetValue<string>(),
                            [.. text["ids"]!.AsArray().Select(id => id!.GetValue<long>())],
                            MemoryMarshal
                                .Cast<byte, float>(Convert.FromBase64String(text["embedding"]!.GetValue<string>()))
                                .ToArray()
                        )),
                ]
            );
        }
        catch (Exception damage)
            when (damage is JsonException or FormatException or NullReferenceException or InvalidOperationException)
        {
            throw new LitException(path, $"damaged ({JsonTrouble.Words(damage)})", "Copy the bundle again", damage);
        }
    }

    private static ComputeDevice ComputeOf(nn.Module module)
    {
        return module.parameters().FirstOrDefault() is { } weight
            ? new(weight.device, weight.dtype, get_num_threads())
            : new(CPU, ScalarType.Float32, get_num_threads()); // another runtime's
    }

    private double Allowed(GoldenVectors atHand) =>
        Images is { DType: not "float32" } || atHand.Images is { DType: not "float32" } ? RoundedTolerance
        : Device == "cpu" && atHand.Device == "cpu" ? Tolerance
        : GpuTolerance;

    private static string Apart(string who, string what, double distance, double allowed) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{who} gives other numbers for {what} than where the model was made (apart by {distance:G2} of "
                + $"their length, where {allowed} is allowed)"
        );

    private static double Distance(float[] got, float[] wanted)
    {
        if (got.Length != wanted.Length)
            return double.PositiveInfinity;
        var (apart, length) = (0.0, 0.0);
        for (var i = 0; i < got.Length; i++)
            (apart, length) = (apart + Math.Pow((double)got[i] - wanted[i], 2), length + Math.Pow(wanted[i], 2));
        return Math.Sqrt(apart / length);
    }
}

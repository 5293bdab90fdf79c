using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Onnx;

/// <summary>
/// How preprocessed pictures go through a network, everything resolved: part of the tower's fingerprint.
/// </summary>
internal sealed record OnnxWay
{
    /// <summary>Its form in files.</summary>
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        // What has its default is left out, so that a choice added later changes no fingerprint.
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
    };

    /// <summary>The network's input.</summary>
    public required string Input { get; init; }

    /// <summary>The value that is taken of it.</summary>
    public required string Output { get; init; }

    /// <summary>Whether pictures go in as [B, H, W, 3].</summary>
    public bool ChannelsLast { get; init; }

    /// <summary>Whether blue goes in first.</summary>
    public bool Bgr { get; init; }

    /// <summary>
    /// Whether pixels go in as they are, 0 to 255: what the preprocessing divided is made whole again.
    /// </summary>
    public bool WholeNumbers { get; init; }

    /// <summary>What becomes of tokens; null where the output has none.</summary>
    public TokenPooling? Pooling { get; init; }

    /// <summary>What the representation is cut by; null where it is taken whole.</summary>
    public OnnxCut? Cut { get; init; }

    /// <summary>The input of the graph before it, where there is one.</summary>
    public string? BeforeInput { get; init; }

    /// <summary>Its output.</summary>
    public string? BeforeOutput { get; init; }

    /// <summary>One line of JSON, the same for equal ways.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json);

    /// <summary>Pixels through the graphs.</summary>
    /// <param name="network">The network.</param>
    /// <param name="before">The graph that prepares pictures, or null.</param>
    /// <param name="pixels">Preprocessed, [B, 3, H, W].</param>
    /// <returns>The output as the network gives it, [B, …] in float32.</returns>
    /// <exception cref="LitException">A graph fails.</exception>
    public Tensor Run(OnnxNetwork network, OnnxNetwork? before, Tensor pixels)
    {
        var x = WholeNumbers ? pixels.round() : pixels;
        x = Bgr ? x.flip(1) : x;
        x = ChannelsLast ? x.permute(0, 2, 3, 1) : x;
        return network.Run(before is null ? x : before.Run(x));
    }
}

/// <summary>A dense layer to fewer numbers behind a network: its weights as they are written.</summary>
/// <param name="Width">Numbers that it gives, w.</param>
/// <param name="Weights">Of representations of D numbers, then the bias: [w, D + 1] float32, in base64.</param>
internal sealed record OnnxCut(int Width, string Weights)
{
    /// <param name="weights">[w, D].</param>
    /// <param name="bias">[w].</param>
    public static OnnxCut Of(Tensor weights, Tensor bias)
    {
        using var scope = NewDisposeScope();
        var all = cat([weights, bias.unsqueeze(1)], 1).to(ScalarType.Float32).cpu().contiguous();
        return new(
            (int)weights.shape[0],
            Convert.ToBase64String(MemoryMarshal.AsBytes(all.data<float>().ToArray().AsSpan()))
        );
    }

    /// <summary>The layer.</summary>
    /// <param name="inputs">D, what the network gives.</param>
    /// <param name="path">Where it stands, for messages.</param>
    /// <exception cref="LitException">It is damaged, or cuts what another output or pooling gives.</exception>
    public Head ToHead(int inputs, string path)
    {
        var bytes = new byte[Weights.Length];
        if (
            !Convert.TryFromBase64String(Weights, bytes, out var length)
            || Width < 1
            || length != 4L * Width * (inputs + 1L)
        )
            throw new LitException(
                path,
                $"was cut to {Width} numbers from other than the {inputs} that its network gives",
                "Leave what stands behind its path out, or copy the bundle again"
            );
        using var scope = NewDisposeScope();
        var all = new Embeddings(
            MemoryMarshal.Cast<byte, float>(bytes.AsSpan(0, length)).ToArray(),
            inputs + 1
        ).ToTensor();
        return Head.Dense(all.narrow(1, 0, inputs), all.select(1, inputs));
    }
}

/// <summary>Where an input has its channels, and which size of pictures it is fixed to.</summary>
/// <param name="IsLast">Whether pictures go in as [B, H, W, 3].</param>
/// <param name="Height">-1 where it is free.</param>
/// <param name="Width">-1 where it is free.</param>
internal readonly record struct PixelLayout(bool IsLast, long Height, long Width)
{
    /// <exception cref="LitException">The input takes pictures of other than three channels.</exception>
    public static PixelLayout Of(string path, OnnxValue input, bool? channelsLast)
    {
        if (input.Shape is not [_, var second, var third, var fourth])
            return new(channelsLast ?? false, -1, -1);
        var isLast = channelsLast ?? (second != 3 && fourth == 3);
        var (channels, height, width) = isLast ? (fourth, second, third) : (second, third, fourth);
        return channels is 3 or -1
            ? new(isLast, height, width)
            : throw new LitException(
                path,
                $"its input {input} takes pictures of {channels} channel{(channels == 1 ? "" : "s")}",
                "Give a network that takes red, green and blue; layout=nchw or layout=nhwc says where they are"
            );
    }
}

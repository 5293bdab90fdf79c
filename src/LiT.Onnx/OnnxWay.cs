using System.Text.Json;
using System.Text.Json.Serialization;
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

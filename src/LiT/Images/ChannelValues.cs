using System.Text.Json;
using System.Text.Json.Serialization;

namespace LiT.Images;

/// <summary>One number for each of red, green and blue; in JSON an array of three.</summary>
[JsonConverter(typeof(ChannelValuesJson))]
internal readonly record struct ChannelValues(float R, float G, float B)
{
    /// <summary>The same number for all three.</summary>
    public static implicit operator ChannelValues(float value) => new(value, value, value);

    /// <summary>By channel: 0 red, 1 green, 2 blue.</summary>
    public float this[int channel] =>
        channel switch
        {
            0 => R,
            1 => G,
            2 => B,
            _ => throw new ArgumentOutOfRangeException(nameof(channel)),
        };
}

internal sealed class ChannelValuesJson : JsonConverter<ChannelValues>
{
    public override ChannelValues Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        JsonSerializer.Deserialize<float[]>(ref reader, options) is [var r, var g, var b]
            ? new(r, g, b)
            : throw new JsonException("three numbers are expected, one for each channel");

    public override void Write(Utf8JsonWriter writer, ChannelValues value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        for (var channel = 0; channel < 3; channel++)
            writer.WriteNumberValue(value[channel]);
        writer.WriteEndArray();
    }
}

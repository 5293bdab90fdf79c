using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace LiT.Images;

/// <summary>A colour of 8 bits a channel, written <c>#rrggbb</c>.</summary>
[JsonConverter(typeof(Rgb24Json))]
internal readonly record struct Rgb24(byte R, byte G, byte B)
{
    /// <summary>#ffffff.</summary>
    public static Rgb24 White { get; } = new(255, 255, 255);

    /// <summary>#000000.</summary>
    public static Rgb24 Black { get; } = new(0, 0, 0);

    /// <summary>Reads <c>#rrggbb</c> or <c>rrggbb</c>.</summary>
    /// <exception cref="UsageException">The text is no colour.</exception>
    public static Rgb24 Parse(string text)
    {
        var digits = text.StartsWith('#') ? text[1..] : text;
        return
            digits.Length == 6
            && int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var rgb)
            ? new((byte)(rgb >> 16), (byte)(rgb >> 8), (byte)rgb)
            : throw new UsageException($"'{text}' is no colour. Write six hexadecimal digits, for example #ffffff.");
    }

    /// <inheritdoc/>
    public override string ToString() => $"#{R:x2}{G:x2}{B:x2}";
}

internal sealed class Rgb24Json : JsonConverter<Rgb24>
{
    public override Rgb24 Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) =>
        Rgb24.Parse(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, Rgb24 value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

using System.Text.Json.Serialization;

namespace LiT.Images;

/// <summary>The resampling of the program that a tower was trained with. They differ visibly, so a tower keeps its own.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ResizeMethod>))]
internal enum ResizeMethod
{
    /// <summary>Pictures already have the tower's size; another size is an error.</summary>
    None,

    /// <summary><c>tf.image.resize</c>, bilinear, half-pixel centres, no antialiasing, truncated to 8 bits (vit_jax, big_vision).</summary>
    TensorFlowBilinear,

    /// <summary><c>tf.image.resize</c>, bilinear with antialiasing, truncated to 8 bits.</summary>
    TensorFlowBilinearAntialias,

    /// <summary><c>tf.image.resize</c>, area, truncated to 8 bits (big_vision's resize_small).</summary>
    TensorFlowArea,

    /// <summary>Pillow's bilinear, antialiased, 8-bit fixed point (torchvision, Hugging Face).</summary>
    PillowBilinear,

    /// <summary>Pillow's bicubic (a = -0.5), antialiased, 8-bit fixed point (DINO, timm).</summary>
    PillowBicubic,

    /// <summary>Pillow's Lanczos (a = 3), antialiased, 8-bit fixed point.</summary>
    PillowLanczos,
}

/// <summary>A part of a picture, in pixels.</summary>
internal readonly record struct Window(int X, int Y, int Width, int Height)
{
    public static Window Whole(int width, int height) => new(0, 0, width, height);
}

/// <summary>Resizes pictures exactly as the named programs do.</summary>
internal static class Resizing
{
    /// <summary>The picture at another size. Of the same size it is returned as it is.</summary>
    public static RgbImage Resize(RgbImage image, int width, int height, ResizeMethod method) =>
        new(width, height, Resize(image, width, height, method, Window.Whole(width, height)));

    /// <summary>Part of the resized picture; only what the part needs is computed.</summary>
    /// <returns>[Height, Width, 3] of the window. It may be the picture's own pixels.</returns>
    internal static byte[] Resize(RgbImage image, int width, int height, ResizeMethod method, Window window)
    {
        if (width == image.Width && height == image.Height)
            return window == Window.Whole(width, height) ? image.Pixels : Cut(image, window);
        return method switch
        {
            ResizeMethod.TensorFlowBilinear
            or ResizeMethod.TensorFlowBilinearAntialias
            or ResizeMethod.TensorFlowArea => TensorFlowResize.Truncated(
                TensorFlowResize.Resize(image, width, height, method, window)
            ),
            ResizeMethod.PillowBilinear => PillowResize.Resize(image, width, height, PillowFilter.Bilinear, window),
            ResizeMethod.PillowBicubic => PillowResize.Resize(image, width, height, PillowFilter.Bicubic, window),
            ResizeMethod.PillowLanczos => PillowResize.Resize(image, width, height, PillowFilter.Lanczos, window),
            _ => throw new LitException(
                $"a picture of {image.Width} x {image.Height} where {width} x {height} is expected. "
                    + "Resize it, or choose a resize method in the preprocessing."
            ),
        };
    }

    /// <summary>A copy of part of the picture, [Height, Width, 3] of the window.</summary>
    internal static byte[] Cut(RgbImage image, Window window)
    {
        var cut = new byte[window.Width * window.Height * 3];
        for (var y = 0; y < window.Height; y++)
            image
                .Pixels.AsSpan(((window.Y + y) * image.Width + window.X) * 3, window.Width * 3)
                .CopyTo(cut.AsSpan(y * window.Width * 3));
        return cut;
    }
}

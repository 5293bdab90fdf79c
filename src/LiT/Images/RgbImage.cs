namespace LiT.Images;

/// <summary>A decoded picture: 8-bit RGB, interleaved, row by row from the top, [Height, Width, 3].</summary>
internal sealed record RgbImage(int Width, int Height, byte[] Pixels);

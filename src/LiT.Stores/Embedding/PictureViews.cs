using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using LiT.Images;
using LiT.Stores;

namespace LiT.Embedding;

/// <summary>
/// How many times a picture is embedded, and how the times after the first differ from the plain picture. What is
/// changed follows from the seed, the view's number and the hash of the picture's bytes: the same picture gets the same
/// views wherever it lies and whichever process embeds it.
/// </summary>
/// <param name="Count">Views a picture; the first is the plain picture.</param>
/// <param name="Changes">What the others undergo.</param>
/// <param name="Seed">Decides the changes.</param>
internal sealed record PictureViews(int Count, Augmentation Changes, long Seed)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    /// <summary>The plain picture alone.</summary>
    public static PictureViews Plain { get; } = new(1, Augmentation.None, 0);

    /// <summary>The views that a store was made with.</summary>
    public static PictureViews Of(StoreDescription description) =>
        description.ViewChanges is { } changes
            ? new(
                description.Views,
                changes["changes"].Deserialize<Augmentation>(Json) ?? Augmentation.None,
                (long)changes["seed"]!
            )
            : Plain;

    /// <summary>What a store says of its views; null for the plain picture alone.</summary>
    public JsonNode? ToJson() =>
        Count == 1
            ? null
            : new JsonObject { ["seed"] = Seed, ["changes"] = JsonSerializer.SerializeToNode(Changes, Json) };

    /// <summary>
    /// The size that a picture must keep so that its views, too, are only scaled down; null where pictures are not
    /// resized.
    /// </summary>
    /// <param name="preprocessing">The tower's.</param>
    public PictureSize? NotBelow(Preprocessing preprocessing)
    {
        if (preprocessing.NotBelow is not { } plain || Count == 1)
            return preprocessing.NotBelow;
        var part = Math.Sqrt(Changes.SmallestCrop) * 3 / 4; // a crop's proportions may be 3:4
        return new((int)Math.Ceiling(plain.Width / part), (int)Math.Ceiling(plain.Height / part));
    }

    /// <summary>A picture's views as the tower's input, [Count, 3, H, W].</summary>
    /// <param name="image">Decoded.</param>
    /// <param name="preprocessing">The tower's.</param>
    /// <param name="sha256">Hash of the encoded bytes.</param>
    public float[] Pixels(RgbImage image, Preprocessing preprocessing, ReadOnlySpan<byte> sha256)
    {
        var size = preprocessing.ValueCount;
        var pixels = new float[Count * size];
        preprocessing.Apply(image, pixels.AsSpan(0, size));
        // A tower that takes pictures of one size only is given no crop that would have to be resized.
        var changes =
            preprocessing.Method == ResizeMethod.None ? Changes with { SmallestCrop = 1, LargestCrop = 1 } : Changes;
        for (var view = 1; view < Count; view++)
        {
            var chance = Chance.For(Seed, view, BinaryPrimitives.ReadInt64LittleEndian(sha256));
            changes.Apply(image, preprocessing, ref chance, pixels.AsSpan(view * size, size));
        }
        return pixels;
    }
}

using System.Text.Json;
using LiT.Data;
using LiT.Evaluation;
using LiT.Images;

namespace LiT.TestSets;

/// <summary>
/// ObjectNet (Barbu et al. 2019): folders of objects, each picture with a red border of 2 pixels that is cut off, and
/// the published mappings from objects to ImageNet classes. Objects without an ImageNet class are left out.
/// </summary>
internal static class ObjectNet
{
    private const int Border = 2;

    /// <param name="root">objectnet-1.0 with images/ and mappings/, or the folder that holds it.</param>
    /// <param name="options">Limits.</param>
    public static IEnumerable<TestPicture> Read(string root, SampleOptions options)
    {
        if (Layout.FolderIn(root, "objectnet-1.0") is { } inside)
            root = inside;
        var images = Layout.Needed(Layout.FolderIn(root, "images"), root, "the folder images");
        var mappings = Layout.Needed(Layout.FolderIn(root, "mappings"), root, "the folder mappings");
        var classes = Classes(mappings);
        foreach (
            var picture in Layout.ClassFolders(images, options, folder => classes.ContainsKey(folder) ? folder : null)
        )
        {
            var (name, ids) = classes[picture.Label!];
            yield return picture with
            {
                Label = name,
                Labels = ids,
                Bytes = () => WithoutBorder(picture.Bytes()),
            };
        }
    }

    /// <summary>folder → (object's name, its ImageNet synsets)</summary>
    private static Dictionary<string, (string Name, string[] Ids)> Classes(string mappings)
    {
        Dictionary<string, string> Texts(string file)
        {
            var path = Layout.Needed(Layout.FileIn(mappings, file), mappings, file);
            using var json = Layout.Json(path);
            return Layout.Of(path, () =>
                json
                    .RootElement.EnumerateObject()
                    .ToDictionary(
                        member => member.Name,
                        member =>
                            member.Value.ValueKind == JsonValueKind.String
                                ? member.Value.GetString()!
                                : member.Value.GetRawText()
                    )
            );
        }
        var objects = Texts("objectnet_to_imagenet_1k.json");
        var pytorchOf = Texts("pytorch_to_imagenet_2012_id.json").ToDictionary(pair => pair.Value, pair => pair.Key);
        var labelFile = Layout.Needed(
            Layout.FileIn(mappings, "imagenet_to_label_2012_v2"),
            mappings,
            "imagenet_to_label_2012_v2"
        );
        var numberOf = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var ((line, number), i) in Layout.Lines(labelFile).Select((entry, i) => (entry, i)))
            numberOf[line] = pytorchOf.GetValueOrDefault($"{i}")
                ?? throw new LitException(
                    labelFile,
                    Place.Line(number),
                    "pytorch_to_imagenet_2012_id.json has no number for it",
                    "Take both files from one download"
                );
        var ids = ShippedClasses.ImageNetIds;
        return Texts("folder_to_objectnet_label.json")
            .Where(pair => objects.ContainsKey(pair.Value))
            .ToDictionary(
                pair => pair.Key,
                pair =>
                    (
                        pair.Value,
                        objects[pair.Value]
                            .Split("; ")
                            .Select(name =>
                            {
                                var number = numberOf.TryGetValue(name.Trim(), out var found)
                                    ? Layout.Number(found, mappings)
                                    : -1;
                                return number >= 0 && number < ids.Count
                                    ? ids[number]
                                    : throw new LitException(
                                        labelFile,
                                        $"has no class '{name}', which objectnet_to_imagenet_1k.json "
                                            + $"names for '{pair.Value}'",
                                        "Take both files from one download"
                                    );
                            })
                            .ToArray()
                    )
            );
    }

    private static byte[] WithoutBorder(byte[] encoded)
    {
        var image = Decoding.Decode(encoded);
        if (image.Width <= 2 * Border || image.Height <= 2 * Border)
            throw new LitException(
                $"a picture of {image.Width} x {image.Height} has nothing inside its border of {Border} pixels"
            );
        var window = new Window(Border, Border, image.Width - 2 * Border, image.Height - 2 * Border);
        return PixelPicture.Encode(window.Width, window.Height, Resizing.Cut(image, window));
    }
}

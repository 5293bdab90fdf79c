using System.Text.Json;
using LiT.Data;
using LiT.Evaluation;

namespace LiT.TestSets;

/// <summary>Retrieval sets: pictures with several captions each.</summary>
internal static class CaptionSets
{
    /// <summary>
    /// MS-COCO: the 5,000 test pictures of Karpathy's dataset_coco.json, else val2017 with captions_val2017.json.
    /// </summary>
    public static IEnumerable<TestPicture> Coco(string root, SampleOptions options)
    {
        if (Layout.FileIn(root, "dataset_coco.json", "karpathy/dataset_coco.json") is { } split)
            return Karpathy(root, split, ["", "images"], options);
        var path = Layout.Needed(
            Layout.FileIn(
                root,
                "captions_val2017.json",
                "annotations/captions_val2017.json",
                "captions_val2014.json",
                "annotations/captions_val2014.json"
            ),
            root,
            "dataset_coco.json (Karpathy's split) or annotations/captions_val2017.json"
        );
        return CocoAnnotations(root, path, options);
    }

    /// <summary>
    /// Flickr30k: the 1,000 test pictures of Karpathy's dataset_flickr30k.json, else every picture of
    /// results_20130124.token.
    /// </summary>
    public static IEnumerable<TestPicture> Flickr30k(string root, SampleOptions options)
    {
        string[] folders = ["flickr30k-images", "flickr30k_images", "images", "Images", ""];
        if (Layout.FileIn(root, "dataset_flickr30k.json", "karpathy/dataset_flickr30k.json") is { } split)
            return Karpathy(root, split, folders, options);
        var path = Layout.Needed(
            Layout.FileIn(root, "results_20130124.token", "flickr30k/results_20130124.token"),
            root,
            "dataset_flickr30k.json (Karpathy's split) or results_20130124.token"
        );
        var captions = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (line, number) in Layout.Lines(path))
        {
            if (
                line.Split('\t', 2) is not [var numbered, var caption]
                || numbered.LastIndexOf('#') is not (> 0 and var hash)
            )
                throw new LitException(
                    path,
                    Place.Line(number),
                    "not 'picture.jpg#0 TAB caption'",
                    "Download the file again"
                );
            var name = numbered[..hash];
            if (!captions.TryGetValue(name, out var own))
                captions.Add(name, own = []);
            own.Add(caption.Trim());
        }
        return captions.Select(entry => InOneOf(root, folders, entry.Key, entry.Value, options));
    }

    /// <summary>
    /// Crossmodal-3600: captions.jsonl with a line a picture and its captions in 36 languages, images/KEY.jpg.
    /// </summary>
    public static IEnumerable<TestPicture> Crossmodal(string root, SampleOptions options)
    {
        var path = Layout.Needed(
            Layout.FileIn(root, "captions.jsonl", "captions/captions.jsonl"),
            root,
            "captions.jsonl"
        );
        foreach (var (line, number) in Layout.Lines(path))
        {
            JsonDocument json;
            try
            {
                json = JsonDocument.Parse(line);
            }
            catch (JsonException)
            {
                throw new LitException(path, Place.Line(number), "no valid JSON", "Download the file again");
            }
            using (json)
            {
                if (
                    !json.RootElement.TryGetProperty("image/key", out var keyValue)
                    || keyValue.GetString() is not { } key
                )
                    throw new LitException(path, Place.Line(number), "no 'image/key'", "Download the file again");
                var byLanguage = new Dictionary<string, IReadOnlyList<string>>();
                foreach (var member in json.RootElement.EnumerateObject())
                    if (
                        member.Value.ValueKind == JsonValueKind.Object
                        && member.Value.TryGetProperty("caption", out var list)
                        && list.ValueKind == JsonValueKind.Array
                    )
                        byLanguage[member.Name] =
                        [
                            .. list.EnumerateArray()
                                .Select(text => text.GetString()?.Trim() ?? "")
                                .Where(text => text.Length > 0),
                        ];
                yield return InOneOf(
                    root,
                    ["images", ""],
                    $"{key}.jpg",
                    byLanguage.GetValueOrDefault("en") ?? [],
                    options
                ) with
                {
                    ByLanguage = byLanguage,
                };
            }
        }
    }

    /// <summary>
    /// WIT: wit_v1.test.all-….tsv with language, image_url, caption_reference_description; images/ with each picture
    /// under the last part of its address.
    /// </summary>
    public static IEnumerable<TestPicture> Wit(string root, SampleOptions options)
    {
        string[] tables =
        [
            .. Layout
                .Files(root)
                .Where(name =>
                    name.StartsWith("wit_v1", StringComparison.Ordinal)
                    && name.EndsWith(".tsv", StringComparison.Ordinal)
                ),
        ];
        if (tables.Length == 0)
            throw new LitException(
                root,
                "wit_v1.test.all-….tsv is missing",
                "Unpack the tables there; 'lit data sets' says what the folder must look like"
            );
        var pictures = new Dictionary<string, Dictionary<string, List<string>>>(StringComparer.Ordinal);
        foreach (var table in tables)
        {
            var path = Path.Combine(root, table);
            string[]? columns = null;
            foreach (var (line, number) in Layout.Lines(path, trim: false))
            {
                var cells = line.Split('\t');
                if (columns is null)
                {
                    columns = cells;
                    continue;
                }
                string Cell(string name) =>
                    Array.IndexOf(columns, name) is >= 0 and var at && at < cells.Length
                        ? cells[at].Trim()
                        : throw new LitException(
                            path,
                            Place.Line(number),
                            $"no column '{name}'",
                            "Take the published table with its first line"
                        );
                var (language, url, caption) = (
                    Cell("language"),
                    Cell("image_url"),
                    Cell("caption_reference_description")
                );
                if (caption.Length == 0)
                    continue;
                var name = Uri.UnescapeDataString(url.Split('/')[^1]);
                if (!pictures.TryGetValue(name, out var own))
                    pictures.Add(name, own = []);
                if (!own.TryGetValue(language, out var texts))
                    own.Add(language, texts = []);
                if (!texts.Contains(caption))
                    texts.Add(caption);
            }
        }
        return pictures.Select(entry =>
            InOneOf(root, ["images", ""], entry.Key, entry.Value.GetValueOrDefault("en") ?? [], options) with
            {
                ByLanguage = entry.Value.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<string>)pair.Value),
            }
        );
    }

    private static List<TestPicture> Karpathy(string root, string path, string[] folders, SampleOptions options)
    {
        using var json = Layout.Json(path);
        return Layout.Of(path, () => json
                .RootElement.GetProperty("images")
                .EnumerateArray()
                .Where(image => image.GetProperty("split").GetString() == "test")
                .Select(image =>
                {
                    var name = image.GetProperty("filename").GetString()!;
                    if (image.TryGetProperty("filepath", out var place))
                        name = $"{place.GetString()}/{name}";
                    return InOneOf(
                        root,
                        folders,
                        name,
                        [
                            .. image
                                .GetProperty("sentences")
                                .EnumerateArray()
                                .Select(sentence => sentence.GetProperty("raw").GetString()!.Trim())
                                .Where(text => text.Length > 0),
                        ],
                        options
                    );
                })
                .ToList());
    }

    private static List<TestPicture> CocoAnnotations(string root, string path, SampleOptions options)
    {
        using var json = Layout.Json(path);
        return Layout.Of(path, () =>
        {
            var captions = json
                .RootElement.GetProperty("annotations")
                .EnumerateArray()
                .ToLookup(
                    one => one.GetProperty("image_id").GetInt64(),
                    one => one.GetProperty("caption").GetString()!.Trim()
                );
            var year = Path.GetFileNameWithoutExtension(path).Split('_')[^1];
            return json
                .RootElement.GetProperty("images")
                .EnumerateArray()
                .Select(image =>
                    InOneOf(
                        root,
                        [year, $"images/{year}", ""],
                        image.GetProperty("file_name").GetString()!,
                        [.. captions[image.GetProperty("id").GetInt64()]],
                        options
                    )
                )
                .ToList();
        });
    }

    private static TestPicture InOneOf(
        string root,
        string[] folders,
        string name,
        IReadOnlyList<string> captions,
        SampleOptions options
    )
    {
        var path = folders.Select(folder => Path.Combine(root, folder, name)).FirstOrDefault(File.Exists)
            ?? Path.Combine(root, folders[0], name);
        return TestPicture.InFile(path, name, null, options) with { Captions = [.. captions] };
    }
}

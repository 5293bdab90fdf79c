using System.Globalization;
using System.Text.Json;
using LiT.Data;
using LiT.Files;

namespace LiT.Stores;

/// <summary>
/// Pictures of a store whose name, place or words are others than their file of metadata says: they were moved, or
/// described anew. The rows stay where they are. Each of the files has the form of <see cref="ColumnFile"/>, with two
/// columns more: which picture, and its fields.
/// </summary>
internal sealed class RewordedPictures : IDisposable
{
    // U+001E stands between texts, so it is in no name that anybody gives.
    private const string PlaceColumn = "\u001eplace",
        FieldsColumn = "\u001efields";
    private const string Remedy = "Copy the folder again, or embed again";
    private readonly List<ColumnFile> files = [];
    private readonly Dictionary<int, Dictionary<int, (ColumnFile File, int Row)>> bySegment = [];

    /// <param name="paths">The files, the earliest first.</param>
    /// <exception cref="LitException">One is damaged, of a later version, or not there.</exception>
    public RewordedPictures(IEnumerable<string> paths)
    {
        try
        {
            foreach (var path in paths)
            {
                ColumnFile file = new(path, Remedy);
                files.Add(file);
                for (var row = 0; row < file.Rows; row++)
                {
                    var (segment, picture) = PlaceOf(file, row);
                    if (!bySegment.TryGetValue(segment, out var some))
                        bySegment.Add(segment, some = []);
                    some[picture] = (file, row);
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>How many lines each file has, in their order.</summary>
    public IEnumerable<int> Lengths => files.Select(file => file.Rows);

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => bySegment.Count == 0;

    /// <summary>The places, each once.</summary>
    public IEnumerable<PicturePlace> Places =>
        bySegment.SelectMany(some => some.Value.Keys.Select(picture => new PicturePlace(some.Key, picture)));

    /// <summary>Those of one file of rows, by picture; null where there are none.</summary>
    public IReadOnlyDictionary<int, (ColumnFile File, int Row)>? Of(int segment) =>
        bySegment.GetValueOrDefault(segment);

    /// <summary>What is said of a picture now; null where its metadata hold.</summary>
    public Sample? Find(PicturePlace place) =>
        bySegment.TryGetValue(place.Segment, out var some) && some.TryGetValue(place.Picture, out var at)
            ? SampleOf(at.File, at.Row)
            : null;

    /// <summary>Closes the files.</summary>
    public void Dispose() => files.ForEach(file => file.Dispose());

    /// <summary>Whether a column is one of these files' own.</summary>
    public static bool IsHidden(string column) => column is [ColumnFile.Between, ..];

    /// <exception cref="LitException">The disk is full, or the folder cannot be written to.</exception>
    public static void Write(string path, IReadOnlyList<(PicturePlace Place, Sample Words)> pictures) =>
        AtomicFile.WriteAllBytes(
            path,
            ColumnFile.Of([
                .. pictures.Select(one =>
                    one.Words with
                    {
                        Fields = new Dictionary<string, string>(one.Words.Fields)
                        {
                            [PlaceColumn] = string.Create(
                                CultureInfo.InvariantCulture,
                                $"{one.Place.Segment}:{one.Place.Picture}"
                            ),
                            [FieldsColumn] = JsonSerializer.Serialize(one.Words.Fields),
                        },
                    }
                ),
            ])
        );

    private static PicturePlace PlaceOf(ColumnFile file, int row) =>
        file.Text(PlaceColumn, row)?.Split(':') is [var segment, var picture]
        && int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && int.TryParse(picture, NumberStyles.None, CultureInfo.InvariantCulture, out var place)
            ? new(number, place)
            : throw new LitException(file.Name, $"line {row} does not say which picture it is about", Remedy);

    private static Sample SampleOf(ColumnFile file, int row)
    {
        var key = file.Text("key", row) ?? "";
        return new(key, file.Text("origin", row) ?? key)
        {
            Captions = file.Texts("captions", row),
            Label = file.Text("label", row),
            Fields = FieldsOf(file, row),
        };
    }

    private static Dictionary<string, string> FieldsOf(ColumnFile file, int row)
    {
        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(file.Text(FieldsColumn, row) ?? "{}") ?? [];
        }
        catch (JsonException damage)
        {
            throw new LitException(file.Name, $"line {row} is damaged", Remedy, damage);
        }
    }
}

using System.Text.Encodings.Web;
using System.Text.Json;
using LiT.Data;
using LiT.Evaluation;

namespace LiT.TestSets;

/// <summary>A named test set, read from the folder in which it is published.</summary>
internal sealed class TestSetSource(TestSet set, string folder, SampleOptions options) : SampleSource
{
    private static readonly JsonSerializerOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public override string Form => set.Title;

    public override IReadOnlyList<string>? Classes => set.Ids;

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        if (!Directory.Exists(folder))
            throw new LitException($"{folder}: there is no such folder. {set.Title} needs {set.Layout}");
        var any = false;
        foreach (var picture in set.Read(folder, options))
        {
            any = true;
            if (picture.Trouble is { } trouble)
            {
                skip(new(Pictures.OneLine(picture.Key), Pictures.OneLine(picture.Key), trouble));
                continue;
            }
            var fields = new Dictionary<string, string>();
            if (picture.Labels is { } several)
                fields[Evaluation.Labels.SeveralField] = JsonSerializer.Serialize(several, Plain);
            foreach (var (language, captions) in picture.ByLanguage ?? new Dictionary<string, IReadOnlyList<string>>())
                fields[CaptionLanguages.LanguageField + language] = JsonSerializer.Serialize(captions, Plain);
            yield return new(picture.Key, $"{set.Name}:{picture.Key}")
            {
                ReadImage = picture.Bytes,
                Label = picture.Label,
                Captions = picture.Captions,
                Fields = fields,
            };
        }
        if (!any)
            throw new LitException($"{folder}: holds no picture of {set.Title}. It needs {set.Layout}");
    }
}

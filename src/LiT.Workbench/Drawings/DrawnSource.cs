using LiT.Data;

namespace LiT.Drawings;

/// <summary>A split of the drawings as samples, without a file; pictures are encoded when somebody reads them.</summary>
internal sealed class DrawnSource(DrawnSplit split, int count, int seed) : SampleSource
{
    public override string Form => "drawings";

    public override IReadOnlyList<string> Classes =>
        split == DrawnSplit.Compositions ? DrawnVocabulary.HeldOutCompositions : DrawnVocabulary.KindNames;

    public override long? KnownCount => count;

    public override IEnumerable<Sample> Read(Action<Skipped> skip) =>
        DrawnDataset
            .Draw(split, count, seed)
            .Select(drawing => new Sample(drawing.Key, $"{Path}:{drawing.Key}")
            {
                ReadImage = drawing.EncodePng,
                Captions = drawing.Captions,
                Label = drawing.Label,
                Fields = new Dictionary<string, string>
                {
                    ["kind"] = drawing.Kind,
                    ["colour"] = drawing.Colour,
                    ["composition"] = drawing.Composition,
                    ["count"] = $"{drawing.Count}",
                    ["heldOut"] = drawing.HeldOut ? "true" : "false",
                },
            });
}

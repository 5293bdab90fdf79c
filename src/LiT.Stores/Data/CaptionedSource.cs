namespace LiT.Data;

/// <summary>Pictures of a source with captions from a file of their own.</summary>
internal sealed class CaptionedSource(SampleSource source, GivenCaptions given) : SampleSource
{
    public override string Form => source.Form;

    public override IReadOnlyList<string>? Classes => source.Classes;

    public override bool HasPictures => source.HasPictures;

    public override long? KnownCount => source.KnownCount;

    public override IReadOnlyList<string> PassedOver => source.PassedOver;

    /// <summary>What became of the file's rows; known once all pictures were read.</summary>
    public IReadOnlyList<string> Remarks { get; private set; } = [];

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        given.Begin();
        foreach (var sample in source.Read(skip))
            yield return given.In(sample);
        Remarks = [.. given.InWords(Path)];
    }
}

using LiT.Data;

namespace LiT.Stores;

/// <summary>The pictures of a store as samples without pixels.</summary>
internal sealed class StoreSamples(EmbeddingStore store) : SampleSource
{
    public override string Form => "embedding store";

    public override bool HasPictures => false;

    public override long? KnownCount => store.Rows / store.Views;

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        for (var row = 0L; row < store.Rows; row += store.Views)
            yield return At(store, row);
    }

    /// <summary>The picture of a row.</summary>
    public static Sample At(EmbeddingStore store, long row) =>
        new(store.Key(row), store.Origin(row))
        {
            Captions = store.Captions(row),
            Label = store.Label(row),
            Fields = store.Fields(row),
        };
}

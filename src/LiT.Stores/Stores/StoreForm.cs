using System.Runtime.CompilerServices;
using LiT.Data;

namespace LiT.Stores;

/// <summary>A store's folder as a form of data: samples whose pictures are embedded already.</summary>
internal sealed class StoreForm : SampleSource
{
    private readonly string folder;
    private readonly string form;

    private StoreForm(string folder)
    {
        this.folder = folder;
        using var store = EmbeddingStore.Open(folder);
        var samples = store.Samples();
        (form, KnownCount) = (samples.Form, samples.KnownCount);
    }

    /// <inheritdoc/>
    public override string Form => form;

    /// <inheritdoc/>
    public override long? KnownCount { get; }

    /// <inheritdoc/>
    public override bool HasPictures => false;

    /// <summary>Opens the store for as long as it is read.</summary>
    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        using var store = EmbeddingStore.Open(folder);
        foreach (var sample in store.Samples().Read(skip))
            yield return sample;
    }

    // Whoever opens data may do so before anything of this room was touched, and the room below does not know it.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Introduce() =>
        Samples.Register((path, _) => EmbeddingStore.IsStore(path) ? new StoreForm(path) { Path = path } : null);
#pragma warning restore CA2255
}

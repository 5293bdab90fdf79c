using System.Runtime.CompilerServices;
using LiT.Towers;

namespace LiT.Bundles;

/// <summary>The catalogue's names, for whoever loads a tower.</summary>
internal sealed class PublishedNames : ITowerNames
{
    /// <inheritdoc/>
    public (string Path, string? Options)? Find(string name) =>
        ModelCatalogue.Find(name) is { } model ? (ModelCache.Require(model), model.Options) : null;

    /// <inheritdoc/>
    public bool Has(string name) => ModelCatalogue.Find(name) is { } model && ModelCache.Has(model);

    /// <inheritdoc/>
    public IReadOnlyList<string> Like(string name) => ModelCatalogue.Like(name);

    // Towers are loaded by whoever comes first, and the room below does not know this one.
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void Introduce() => TowerPath.Register(new PublishedNames());
#pragma warning restore CA2255
}

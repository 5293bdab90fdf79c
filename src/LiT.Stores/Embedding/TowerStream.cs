using LiT.Bundles;
using LiT.Compute;
using LiT.Towers;

namespace LiT.Embedding;

/// <summary>
/// The one way of prepared pictures through a locked tower: some at a time, given on in the source's order with
/// whatever stood between them.
/// </summary>
/// <param name="tower">The tower.</param>
/// <param name="compute">Where, and in which type.</param>
/// <param name="picturesAtOnce">Pictures that go through the tower together.</param>
internal sealed class TowerStream(LockedTower tower, ComputeDevice compute, int picturesAtOnce)
{
    /// <summary>Views of each picture; a picture's row holds them one after the other.</summary>
    public int Views { get; init; } = 1;

    /// <summary>Things in a block at most, pictures that pass the tower by and skipped samples among them.</summary>
    public int MostInBlock { get; init; } = int.MaxValue;

    /// <summary>Every prepared picture through the tower.</summary>
    public IEnumerable<RepresentedBlock> Blocks(IEnumerable<Prepared> prepared) =>
        Blocks(prepared.Select(one => (one, Goes: one.Picture is not null)));

    /// <summary>
    /// The pictures that are to go through the tower. The next thing is asked for when the reader has done with the
    /// block before, so that it may depend on what became of that.
    /// </summary>
    /// <param name="prepared">Pictures and skipped samples; only pictures can go.</param>
    /// <returns>Blocks that are valid until the next one.</returns>
    public IEnumerable<RepresentedBlock> Blocks(IEnumerable<(Prepared One, bool Goes)> prepared)
    {
        var size = Views * tower.Tower.Width;
        var rows = new float[picturesAtOnce * size];
        List<Prepared> all = [];
        List<PreparedPicture> pictures = [];
        foreach (var (one, goes) in prepared)
        {
            all.Add(one);
            if (goes)
                pictures.Add(one.Picture!);
            if (pictures.Count < picturesAtOnce && all.Count < MostInBlock)
                continue;
            yield return Represented();
            all.Clear();
            pictures.Clear();
        }
        if (all.Count > 0)
            yield return Represented();

        RepresentedBlock Represented()
        {
            ImageBatch.Represent(tower, [.. pictures.Select(one => one.Pixels)], compute, rows, Views);
            return new(all, pictures, rows.AsMemory(0, pictures.Count * size), size);
        }
    }
}

/// <summary>
/// Some things of a source in their order, with what the tower gave for the pictures that went through it.
/// </summary>
/// <param name="All">Pictures and skipped samples.</param>
/// <param name="Pictures">Those of them that went through the tower.</param>
/// <param name="Values">The tower's own representations of these, not of unit length, one after the other.</param>
/// <param name="Size">Numbers of one picture: views x width.</param>
internal sealed record RepresentedBlock(
    IReadOnlyList<Prepared> All,
    IReadOnlyList<PreparedPicture> Pictures,
    ReadOnlyMemory<float> Values,
    int Size
)
{
    /// <summary>What the tower gave for one of <see cref="Pictures"/>.</summary>
    public ReadOnlySpan<float> this[int picture] => Values.Span.Slice(picture * Size, Size);
}

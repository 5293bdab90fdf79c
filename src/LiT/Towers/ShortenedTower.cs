using LiT.Images;
using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// Sizes of a tower whose representation goes through a head to fewer numbers, as one tower: its rows are what stands
/// in a store that was cut.
/// </summary>
internal sealed record ShortenedTowerConfig : ImageTowerConfig
{
    internal const string Kind = "shortened";

    /// <summary>The tower in front, without the heads that came with it.</summary>
    public required ImageTowerConfig Tower { get; init; }

    /// <summary>Numbers of the representation.</summary>
    public required int Outputs { get; init; }

    /// <summary>Width inside the head; null for one dense layer.</summary>
    public int? Hidden { get; init; }

    /// <summary>Whether the head is gated.</summary>
    public bool Gated { get; init; }

    /// <summary>Whether the head standardises what it is given.</summary>
    public bool Standardises { get; init; }

    /// <inheritdoc/>
    public override string InWords => $"{Tower.InWords}, cut to {Outputs} numbers";

    internal override int BlockCount => Tower.BlockCount;

    internal override ImageTower Build(Device? device = null) => new ShortenedTower(this, device);
}

/// <summary>A tower and the head behind it, [B, 3, H, W] → [B, Outputs].</summary>
internal sealed class ShortenedTower : ImageTower<ShortenedTowerConfig>, ICutTower
{
    private readonly ImageTower tower;
    private readonly Head head;

    internal ShortenedTower(ShortenedTowerConfig config, Device? device = null)
        : base(nameof(ShortenedTower), Buildable(config), config.Outputs, device)
    {
        tower = (config.Tower with { Heads = [] }).Build(device);
        head = new(tower.Width, config.Outputs, config.Hidden, device, config.Standardises, config.Gated);
        RegisterComponents();
    }

    /// <inheritdoc/>
    public Head Cut => head;

    /// <summary>
    /// A locked tower, cut: its representation, or what a head makes of it, along some directions. The tower and the
    /// head stay what they are, and their numbers are copied.
    /// </summary>
    /// <param name="locked">The tower; one that was cut before is cut further.</param>
    /// <param name="head">What its representation goes through; null for nothing.</param>
    /// <param name="directions">Rows of the length of what comes out of that, [w, E].</param>
    /// <exception cref="LitException">It is computed in bytes, or elsewhere, and can have no such head.</exception>
    public static LockedTower Of(LockedTower locked, Head? head, Tensor directions)
    {
        using var unrecorded = no_grad();
        var cut = head is null ? locked.Tower as ICutTower : null;
        using var along = Head.Along(head ?? cut?.Cut, directions);
        var made = Behind(locked, cut is ShortenedTower whole ? whole.tower : locked.Tower, along);
        made.Lock();
        return new(
            made,
            locked.Preprocessing,
            locked.Family,
            made.Config?.InWords ?? $"{locked.Architecture}, cut to {along.Outputs} numbers",
            locked.Names,
            ImageTowerFile.Fingerprint(made, locked.Preprocessing)
        );
    }

    private static ImageTower Behind(LockedTower locked, ImageTower front, Head head)
    {
        if (front is ForeignTower foreign)
            return (head.AsDense() is null ? null : foreign.CutBy(head))
                ?? throw new LitException(
                    locked.Architecture,
                    "another runtime computes this image tower, and the head behind it is more than one dense layer",
                    "Tune with `ImageHead` linear, or none"
                );
        if (front.Config is not { } inner || front.IsInt8)
            throw new LitException(
                locked.Architecture,
                "this image tower is computed in bytes, and no head can become a part of it",
                "Cut a model of the tower in float32"
            );
        ShortenedTower made = new(
            new()
            {
                Tower = inner with { Heads = [] },
                ImageSize = inner.ImageSize,
                ImageHeight = inner.ImageHeight,
                Outputs = head.Outputs,
                Hidden = head.Hidden,
                Gated = head.Gated,
                Standardises = head.Standardises,
            }
        );
        Layers.CopyWeights(front, made.tower);
        Layers.CopyWeights(head, made.head);
        return made;
    }

    /// <inheritdoc/>
    public string FingerprintInFront(Preprocessing preprocessing) => ImageTowerFile.Fingerprint(tower, preprocessing);

    /// <inheritdoc/>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        return head.call(tower.call(images)).MoveToOuterDisposeScope(); // [B, Outputs]
    }

    private static ShortenedTowerConfig Buildable(ShortenedTowerConfig config) =>
        config is { Outputs: >= 1 and <= 1 << 20, Hidden: null or (>= 1 and <= 1 << 20) }
        && config.Tower is not ShortenedTowerConfig
            ? config
            : throw new ArgumentException($"A tower cannot be cut to {config.Outputs} numbers.", nameof(config));

    private protected override void InitialiseBody(Generator random)
    {
        tower.Initialise(random);
        foreach (var (name, parameter) in head.named_parameters())
            if (name.EndsWith("weight", StringComparison.Ordinal))
                Layers.LecunNormal(parameter, random);
            else
                nn.init.zeros_(parameter);
    }
}

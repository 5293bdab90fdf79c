namespace LiT.Bundles;

/// <summary>The tower whose numbers are needed.</summary>
/// <param name="Fingerprint">Hash of its weights and preprocessing.</param>
/// <param name="Name">How it was called, for messages.</param>
internal sealed record ExpectedTower(string Fingerprint, string Name);

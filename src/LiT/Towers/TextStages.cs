namespace LiT.Towers;

/// <summary>
/// Where a text tower can be cut: blocks that one after the other take the states of all tokens, each with weights of
/// its own that nothing else uses.
/// </summary>
/// <param name="Blocks">Name of the list of blocks, <c>encoder.blocks</c>.</param>
/// <param name="Before">Names of what stands before the first; whatever else the tower has follows the last.</param>
internal sealed record TextStages(string Blocks, IReadOnlyList<string> Before);

using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>Where text towers come from: a string that describes one from scratch, or a file.</summary>
public static class TextTowerLoader
{
    /// <summary>A text tower from scratch, in training mode. The same arguments give the same weights.</summary>
    /// <param name="spec">What <see cref="TextTowerSpec"/> reads.</param>
    /// <param name="vocabularySize">Ids of the tokenizer.</param>
    /// <param name="tokenLength">Ids in a row.</param>
    /// <param name="seed">Of the random weights.</param>
    /// <param name="padding">The id that fills rows.</param>
    /// <exception cref="UsageException">The string does not say a tower.</exception>
    public static TextTower Create(string spec, int vocabularySize, int tokenLength, long seed, int padding = 0)
    {
        var config = TextTowerSpec.Parse(spec, vocabularySize, tokenLength, padding);
        using var random = new Generator((ulong)seed, CPU);
        return config.Create(random);
    }
}

using LiT.Evaluation;

namespace LiT.Reports;

/// <summary>What an evaluation's numbers depend on, as rows of a table.</summary>
internal static class EvaluationFacts
{
    public static IEnumerable<IReadOnlyList<string>> Of(
        EvaluationProtocol protocol,
        EvaluationHashes hashes,
        EvaluationVersions versions,
        string? fingerprint,
        double? temperature,
        int seed
    )
    {
        IEnumerable<(string, string?)> facts =
        [
            ("test set", protocol.TestSet),
            ("language", protocol.Language),
            ("class names", protocol.ClassNames),
            ("aliases", protocol.Aliases),
            ("labels that count", protocol.Labels),
            ("pictures were prepared by", protocol.Preprocessing),
            ("temperature", temperature is { } t ? Figures.Plain(t) : null),
            ("image tower (fingerprint)", fingerprint),
            ("text tower (hash)", hashes.TextTower),
            ("prompts (hash)", hashes.Prompts),
            ("pictures (hash)", hashes.Pictures),
            ("embeddings (hash)", hashes.Embeddings),
            ("program", $"LiT {versions.Lit}, libtorch {versions.Libtorch}, {versions.Device}, {versions.Dtype}"),
            ("instruction set", versions.Isa),
            ("threads", versions.Threads is { } threads ? Figures.Plain(threads) : null),
            ("seed", $"{seed}"),
        ];
        return from fact in facts
            where !string.IsNullOrEmpty(fact.Item2)
            select (IReadOnlyList<string>)[fact.Item1, fact.Item2];
    }
}

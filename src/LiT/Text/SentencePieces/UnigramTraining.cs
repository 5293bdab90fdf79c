namespace LiT.Text.SentencePieces;

/// <summary>
/// Pieces of a unigram language model (Kudo 2018, arXiv 1804.10959, section 3.2): many substrings to begin with, their
/// probabilities by expectation and maximisation over all segmentations, and those dropped that are missed least.
/// </summary>
internal static class UnigramTraining
{
    private const int LongestPiece = 16,
        SeedFactor = 10,
        Rounds = 2;
    private const double KeptAtOnce = 0.75;

    /// <param name="words">Words in characters, with how often they were seen.</param>
    /// <param name="characters">Pieces that stay in any case.</param>
    /// <param name="size">Pieces wanted, the characters among them.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>Pieces with the logarithm of their probability, the most probable first.</returns>
    internal static IReadOnlyList<(string Text, float Score)> Pieces(
        IReadOnlyList<(string[] Parts, long Count)> words,
        IReadOnlyList<string> characters,
        int size,
        CancellationToken cancel
    )
    {
        var scores = Seed(words, characters, Math.Max(size * SeedFactor, size + 1000));
        var fixedOnes = characters.ToHashSet(StringComparer.Ordinal);
        while (true)
        {
            Dictionary<string, double> expected = [];
            for (var round = 0; round < Rounds; round++)
            {
                cancel.ThrowIfCancellationRequested();
                expected = Expected(words, scores);
                scores = Maximised(expected, scores, fixedOnes);
            }
            if (scores.Count <= size)
                break;
            scores = Pruned(words, scores, fixedOnes, Math.Max(size, (int)(scores.Count * KeptAtOnce)));
        }
        return
        [
            .. scores
                .OrderByDescending(piece => piece.Value)
                .ThenBy(piece => piece.Key, StringComparer.Ordinal)
                .Select(piece => (piece.Key, (float)piece.Value)),
        ];
    }

    private static Dictionary<string, double> Seed(
        IReadOnlyList<(string[] Parts, long Count)> words,
        IReadOnlyList<string> characters,
        int most
    )
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (parts, count) in words)
            for (var start = 0; start < parts.Length; start++)
            {
                var piece = "";
                for (var end = start; end < Math.Min(parts.Length, start + LongestPiece); end++)
                {
                    piece += parts[end];
                    counts[piece] = counts.GetValueOrDefault(piece) + count;
                }
            }
        var fixedOnes = characters.ToHashSet(StringComparer.Ordinal);
        var chosen = counts
            .Where(one => one.Value > 1 && !fixedOnes.Contains(one.Key))
            .OrderByDescending(one => one.Value * one.Key.Length)
            .ThenBy(one => one.Key, StringComparer.Ordinal)
            .Take(most)
            .Concat(characters.Select(one => KeyValuePair.Create(one, Math.Max(1, counts.GetValueOrDefault(one)))))
            .ToList();
        var all = chosen.Sum(one => (double)one.Value);
        return chosen.ToDictionary(one => one.Key, one => Math.Log(one.Value / all), StringComparer.Ordinal);
    }

    /// <summary>How often each piece is expected to be used, over all segmentations of all words.</summary>
    private static Dictionary<string, double> Expected(
        IReadOnlyList<(string[] Parts, long Count)> words,
        Dictionary<string, double> scores
    )
    {
        var expected = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var (parts, count) in words)
        {
            var arcs = Arcs(parts, scores);
            var forward = Logs(parts.Length + 1);
            var backward = Logs(parts.Length + 1);
            forward[0] = backward[parts.Length] = 0;
            foreach (var (start, end, _, score) in arcs)
                forward[end] = Sum(forward[end], forward[start] + score);
            for (var i = arcs.Count - 1; i >= 0; i--)
                backward[arcs[i].Start] = Sum(backward[arcs[i].Start], backward[arcs[i].End] + arcs[i].Score);
            foreach (var (start, end, piece, score) in arcs)
                expected[piece] =
                    expected.GetValueOrDefault(piece)
                    + count * Math.Exp(forward[start] + score + backward[end] - forward[parts.Length]);
        }
        return expected;
    }

    /// <summary>
    /// Probabilities that fit the expectations, those of rare pieces lowered by the digamma function (Liang and Klein
    /// 2009), as the reference does.
    /// </summary>
    private static Dictionary<string, double> Maximised(
        Dictionary<string, double> expected,
        Dictionary<string, double> before,
        HashSet<string> fixedOnes
    )
    {
        var kept = before
            .Keys.Select(piece => (piece, Count: expected.GetValueOrDefault(piece)))
            .Where(one => one.Count >= 0.5 || fixedOnes.Contains(one.piece))
            .Select(one => (one.piece, Count: Math.Max(one.Count, 0.5)))
            .ToList();
        var all = Digamma(kept.Sum(one => one.Count));
        return kept.ToDictionary(one => one.piece, one => Digamma(one.Count) - all, StringComparer.Ordinal);
    }

    /// <summary>Keeps the pieces without which the words would become least probable.</summary>
    private static Dictionary<string, double> Pruned(
        IReadOnlyList<(string[] Parts, long Count)> words,
        Dictionary<string, double> scores,
        HashSet<string> fixedOnes,
        int size
    )
    {
        var used = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (parts, count) in words)
        foreach (var piece in Best(parts, scores, without: null).Pieces)
            used[piece] = used.GetValueOrDefault(piece) + count;
        var losses = scores
            .Where(piece => !fixedOnes.Contains(piece.Key))
            .Select(piece =>
            {
                var count = used.GetValueOrDefault(piece.Key);
                if (count == 0)
                    return (piece.Key, Loss: 0.0);
                var parts = Characters
                    .CodePoints.Of(piece.Key)
                    .Select(point => Characters.CodePoints.Text([point]))
                    .ToArray();
                return (piece.Key, Loss: count * (piece.Value - Best(parts, scores, without: piece.Key).Score));
            });
        var kept = losses
            .OrderByDescending(one => one.Loss)
            .ThenBy(one => one.Key, StringComparer.Ordinal)
            .Take(Math.Max(0, size - fixedOnes.Count))
            .Select(one => one.Key)
            .Concat(fixedOnes);
        return kept.ToDictionary(piece => piece, piece => scores[piece], StringComparer.Ordinal);
    }

    private static (double Score, List<string> Pieces) Best(
        string[] parts,
        Dictionary<string, double> scores,
        string? without
    )
    {
        var best = Logs(parts.Length + 1);
        var last = new (int Start, string Piece)[parts.Length + 1];
        best[0] = 0;
        foreach (var (start, end, piece, score) in Arcs(parts, scores))
        {
            if (piece == without || best[start] + score <= best[end])
                continue;
            (best[end], last[end]) = (best[start] + score, (start, piece));
        }
        List<string> pieces = [];
        for (var at = parts.Length; at > 0; at = last[at].Start)
            pieces.Add(last[at].Piece);
        return (best[parts.Length], pieces);
    }

    /// <summary>Every piece in a word, by where it begins.</summary>
    private static List<(int Start, int End, string Piece, double Score)> Arcs(
        string[] parts,
        Dictionary<string, double> scores
    )
    {
        List<(int, int, string, double)> arcs = [];
        for (var start = 0; start < parts.Length; start++)
        {
            var piece = "";
            for (var end = start; end < Math.Min(parts.Length, start + LongestPiece); end++)
            {
                piece += parts[end];
                if (scores.TryGetValue(piece, out var score))
                    arcs.Add((start, end + 1, piece, score));
            }
        }
        return arcs;
    }

    private static double[] Logs(int count)
    {
        var logs = new double[count];
        Array.Fill(logs, double.NegativeInfinity);
        return logs;
    }

    private static double Sum(double a, double b) =>
        double.IsNegativeInfinity(a) ? b
        : double.IsNegativeInfinity(b) ? a
        : Math.Max(a, b) + Math.Log(1 + Math.Exp(-Math.Abs(a - b)));

    private static double Digamma(double x)
    {
        var result = 0.0;
        for (; x < 7; x++)
            result -= 1 / x;
        x -= 0.5;
        var square = 1 / (x * x);
        return result + Math.Log(x) + square * (1.0 / 24 - square * (7.0 / 960 - square * 31.0 / 8064));
    }
}

using System.Collections;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace LiT.Towers;

/// <summary>One line of a table of names: a tensor of theirs, or several by a pattern, and what it is here.</summary>
/// <param name="Theirs">
/// Their name, without a file's prefix. <c>{i}</c> stands for a number, <c>{i+1}</c> where they count from one,
/// <c>{i+1:00}</c> for leading zeros, <c>{a|b}</c> for either, <c>{*}</c> for anything.
/// </param>
/// <param name="Ours">
/// Our name with the same letters. A letter that their name lacks means that theirs is stacked: its first axis is that
/// number.
/// </param>
/// <param name="Axes">How the axes change (of one slice, where theirs is stacked).</param>
/// <param name="Part">Which part of ours it is, where several of theirs are one of ours (query, key, value).</param>
/// <param name="Parts">How many equal parts ours has along its first axis.</param>
/// <param name="Optional">Files may lack it; ours then stays as it was made.</param>
internal sealed class WeightRow(
    string Theirs,
    string Ours,
    Axes Axes,
    int Part = 0,
    int Parts = 1,
    bool Optional = false
)
{
    /// <summary>Their name or pattern.</summary>
    public string Theirs { get; } = Theirs;

    /// <summary>Our name or pattern.</summary>
    public string Ours { get; } = Ours;

    /// <summary>How the axes change.</summary>
    public Axes Axes { get; } = Axes;

    /// <summary>Which part of ours it is.</summary>
    public int Part { get; } = Part;

    /// <summary>How many parts ours has.</summary>
    public int Parts { get; } = Parts;

    /// <summary>Whether files may lack it.</summary>
    public bool Optional { get; } = Optional;

    internal NamePattern TheirPattern { get; } = new(Theirs);

    internal NamePattern OurPattern { get; } = new(Ours);

    internal WeightRow Under(string theirs, string ours) =>
        new(theirs + Theirs, ours + Ours, Axes, Part, Parts, Optional);
}

/// <summary>Which tensor of a file became which of ours.</summary>
/// <param name="Theirs">Their name as the file writes it.</param>
/// <param name="Ours">Our name; with <c>[1/3]</c> behind it where it is a part.</param>
/// <param name="Shape">Their shape.</param>
/// <param name="Change">What was done to the axes, or nothing.</param>
internal sealed record MatchedName(string Theirs, string Ours, IReadOnlyList<long> Shape, string Change);

/// <summary>What was read from a file, and what was not and why.</summary>
/// <param name="Source">The file in words: container, whose names, prefix.</param>
/// <param name="Names">Every tensor that was read.</param>
/// <param name="Skipped">Tensors of the tower that were left out on purpose, one phrase each.</param>
/// <param name="Outside">What else the file holds, one phrase each.</param>
internal sealed record MatchedNames(
    string Source,
    IReadOnlyList<MatchedName> Names,
    IReadOnlyList<string> Skipped,
    IReadOnlyList<string> Outside
);

/// <summary>
/// The names that somebody else gave the weights of a tower, as a table: their name, ours, axes. Loading is strict:
/// every tensor of the tower must be in the file with the right shape, and every tensor of the file must be known.
/// </summary>
/// <param name="family">Whose names these are, for messages: "ViT (vit_jax, big_vision)".</param>
internal sealed class WeightMap(string family) : IEnumerable<WeightRow>
{
    private readonly List<WeightRow> rows = [];
    private readonly List<(NamePattern Theirs, string Because)> skips = [];

    /// <summary>Whose names these are.</summary>
    public string Family { get; } = family;

    /// <summary>Adds a line: a tensor that is here as it is there.</summary>
    public void Add(string theirs, string ours) => Add(theirs, ours, Axes.Same);

    /// <summary>Adds a line: a tensor with other axes.</summary>
    public void Add(string theirs, string ours, Axes axes) => rows.Add(new WeightRow(theirs, ours, axes));

    /// <summary>Adds a line: a tensor that is one of several equal parts of ours.</summary>
    public void Add(string theirs, string ours, Axes axes, int part, int of) =>
        rows.Add(new WeightRow(theirs, ours, axes, part, of));

    /// <summary>Adds a line as it stands.</summary>
    public void Add(WeightRow row) => rows.Add(row);

    /// <summary>Adds the lines of another table with something before the names of both sides.</summary>
    public void Add(WeightMap others, string theirs, string ours)
    {
        rows.AddRange(others.rows.Select(row => row.Under(theirs, ours)));
        skips.AddRange(others.skips);
    }

    /// <summary>The same table with one more pattern of theirs that is left out on purpose.</summary>
    /// <param name="theirs">Their name or a pattern of it.</param>
    /// <param name="because">Why it is not needed, for <c>lit models show</c>.</param>
    public WeightMap Skipping(string theirs, string because)
    {
        var map = new WeightMap(Family);
        map.rows.AddRange(rows);
        map.skips.AddRange(skips);
        map.skips.Add((new NamePattern(theirs), because));
        return map;
    }

    /// <summary>The same table without what becomes some part of ours, whose tensors are left out on purpose.</summary>
    /// <param name="ours">What our names of that part begin with.</param>
    /// <param name="because">Why it is not needed, for <c>lit models show</c>.</param>
    public WeightMap Without(string ours, string because)
    {
        var map = new WeightMap(Family);
        map.rows.AddRange(rows.Where(row => !row.Ours.StartsWith(ours, StringComparison.Ordinal)));
        map.skips.AddRange(skips);
        map.skips.AddRange(rows.Except(map.rows).Select(row => (row.TheirPattern, because)));
        return map;
    }

    /// <summary>Whether a name, whatever stands before it, is one of the table's.</summary>
    internal bool Knows(string name)
    {
        for (var start = 0; start >= 0; start = name.IndexOfAny(['.', '/'], start) is >= 0 and var end ? end + 1 : -1)
            if (rows.Exists(row => row.TheirPattern.NumbersIn(name[start..]) is not null))
                return true;
        return false;
    }

    /// <summary>The table that says every name is as here: the project's own files.</summary>
    public static WeightMap Own(string family, Module tower)
    {
        var map = new WeightMap(family);
        foreach (var name in tower.state_dict().Keys)
            map.Add(name, name);
        return map;
    }

    /// <inheritdoc/>
    public IEnumerator<WeightRow> GetEnumerator() => rows.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>
    /// Fills the tower's parameters and buffers from a file; types are converted to the tower's. Nothing is changed
    /// unless everything fits.
    /// </summary>
    /// <exception cref="LitException">One message with all that is missing, left over or of another shape.</exception>
    public MatchedNames Load(WeightSource source, Module tower)
    {
        var ours = tower.state_dict();
        var plan = Planned(source, ours.ToDictionary(entry => entry.Key, entry => entry.Value.shape));
        using var unrecorded = no_grad();
        foreach (var step in plan.Steps)
        {
            using var scope = NewDisposeScope();
            var theirs = source.Checkpoint.Read(source.Prefix + step.Name);
            foreach (var (place, slice) in step.Places)
            {
                var (row, target) = (step.Row, ours[place]);
                var length = row.Parts == 1 ? 0 : target.shape[0] / row.Parts;
                if (row.Parts > 1)
                    target = target.narrow(0, row.Part * length, length);
                target.copy_(row.Axes.Apply(slice is { } index ? theirs.select(0, index) : theirs));
            }
        }
        return new MatchedNames(
            $"{source.Checkpoint.Container}, {Family}"
                + (source.Prefix.Length == 0 ? "" : $", under '{source.Prefix}'"),
            [.. plan.Steps.Select(step => step.Described(source))],
            plan.Skipped,
            source.Outside
        );
    }

    private sealed record Step(string Name, WeightRow Row, IReadOnlyList<(string Ours, long? Slice)> Places)
    {
        public MatchedName Described(WeightSource source)
        {
            var stacked = Places[0].Slice is not null;
            var change =
                stacked && Row.Axes.Words.Length > 0 ? "unstacked, " + Row.Axes.Words
                : stacked ? "unstacked"
                : Row.Axes.Words;
            return new MatchedName(
                source.Prefix + Name,
                (stacked ? $"{Places[0].Ours} … {Places[^1].Ours}" : Places[0].Ours)
                    + (Row.Parts > 1 ? $"[{Row.Part + 1}/{Row.Parts}]" : ""),
                source.ShapeOf(Name),
                change
            );
        }
    }

    private (List<Step> Steps, List<string> Skipped) Planned(WeightSource source, Dictionary<string, long[]> ours)
    {
        var filled = new Dictionary<(string Ours, int Part), string>();
        var steps = new List<Step>();
        List<string> skipped = [],
            leftOver = [],
            misshapen = [];
        foreach (var (name, tensor) in source.Tensors.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            var full = source.Prefix + name;
            if (skips.Find(skip => skip.Theirs.NumbersIn(name) is not null) is { Theirs: not null } skip)
            {
                skipped.Add($"{full}: {skip.Because}");
                continue;
            }
            var known = rows.Select(row => (Row: row, Numbers: row.TheirPattern.NumbersIn(name)!))
                .Where(found => found.Numbers is not null)
                .ToList();
            if (known.Count == 0)
                leftOver.Add(full);
            // One line for a tensor, unless each takes a part of it.
            foreach (var (row, numbers) in known.Where((found, i) => i == 0 || found.Row.Axes.IsPart))
            {
                var places = Places(source, name, row, numbers, ours, filled, leftOver, misshapen);
                if (places.Count > 0)
                    steps.Add(new Step(name, row, places));
            }
        }
        var missing = Missing(ours.Keys, filled, source.Prefix);
        if (missing.Count + leftOver.Count + misshapen.Count > 0)
            throw new LitException(
                $"{source.Checkpoint.Path} looks like {Family}, but does not fit: "
                    + string.Join(
                        "; ",
                        new[]
                        {
                            Listed("missing", missing),
                            Listed("left over", leftOver),
                            Listed("of another shape", misshapen),
                        }.Where(part => part.Length > 0)
                    )
                    + ". Check that the file is complete and of this architecture."
            );
        return (steps, skipped);
    }

    private static List<(string, long?)> Places(
        WeightSource source,
        string name,
        WeightRow row,
        Dictionary<char, int> numbers,
        Dictionary<string, long[]> ours,
        Dictionary<(string Ours, int Part), string> filled,
        List<string> leftOver,
        List<string> misshapen
    )
    {
        var (full, tensor) = (source.Prefix + name, source.Tensors[name]);
        var depth = row.OurPattern.Letters.Where(letter => !numbers.ContainsKey(letter)).ToList();
        var stacked = depth.Count == 1 && tensor.Shape.Count > 0;
        var shape = row.Axes.ShapeOf(stacked ? [.. tensor.Shape.Skip(1)] : tensor.Shape);
        var places = new List<(string, long?)>();
        for (var slice = 0; slice < (stacked ? Math.Min(tensor.Shape[0], 100_000) : 1); slice++)
        {
            if (stacked)
                numbers[depth[0]] = slice;
            var place = row.OurPattern.NameWith(numbers);
            if (!ours.TryGetValue(place, out var wanted))
                leftOver.Add(stacked ? $"{full}[{slice}]" : full);
            else if (!filled.TryAdd((place, row.Part), full))
                leftOver.Add($"{full} (means the same as {filled[(place, row.Part)]})");
            else if (shape is null || !Fits(shape, wanted, row.Parts))
                misshapen.Add($"{full} [{string.Join(", ", tensor.Shape)}] for {place} [{string.Join(", ", wanted)}]");
            else
                places.Add((place, stacked ? slice : null));
        }
        return places;
    }

    private List<string> Missing(IEnumerable<string> ours, Dictionary<(string, int), string> filled, string prefix)
    {
        var missing = new List<string>();
        foreach (var name in ours)
        {
            var known = rows.Select(row => (Row: row, Numbers: row.OurPattern.NumbersIn(name)))
                .Where(w => w.Numbers is not null)
                .ToList();
            if (known.Count == 0)
                missing.Add($"{name} (which has no name there)");
            foreach (var part in known.GroupBy(w => w.Row.Part))
                if (!filled.ContainsKey((name, part.Key)) && !part.Any(w => w.Row.Optional))
                    missing.Add(prefix + part.First().Row.TheirPattern.NameWith(part.First().Numbers!));
        }
        return missing;
    }

    private static bool Fits(long[] theirs, long[] ours, int parts) =>
        theirs.Length == ours.Length
        && (
            parts == 1
                ? theirs.SequenceEqual(ours)
                : ours[0] % parts == 0 && theirs[0] == ours[0] / parts && theirs.Skip(1).SequenceEqual(ours.Skip(1))
        );

    private static string Listed(string what, List<string> names) =>
        names.Count == 0
            ? ""
            : $"{names.Count} {what} "
                + $"({string.Join(", ", names.Take(12))}{(names.Count > 12 ? $" and {names.Count - 12} more" : "")})";
}

using LiT.Checkpoints;

namespace LiT.Towers;

/// <summary>
/// The part of a checkpoint that holds one tower: the tensors under one prefix, by their names without it. Frameworks
/// wrap the same weights in many ways (<c>params/</c>, <c>opt/target/</c>, <c>img/</c>, <c>state_dict.module.</c>,
/// <c>teacher.backbone.</c> …); what stands outside the prefix belongs to somebody else and is passed over.
/// </summary>
internal sealed class WeightSource
{
    /// <param name="checkpoint">The open file; it stays the caller's.</param>
    /// <param name="prefix">What every name of the tower begins with, including its last '.' or '/'.</param>
    public WeightSource(Checkpoint checkpoint, string prefix = "")
    {
        Checkpoint = checkpoint;
        Prefix = prefix;
        Tensors = checkpoint
            .Tensors.Values.Where(tensor => tensor.Name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(tensor => tensor.Name[prefix.Length..]);
    }

    /// <summary>The open file.</summary>
    public Checkpoint Checkpoint { get; }

    /// <summary>What was cut from every name, or nothing.</summary>
    public string Prefix { get; }

    /// <summary>The tensors under the prefix by their names without it.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>Whether the tower has a tensor of that name.</summary>
    public bool Has(string name) => Tensors.ContainsKey(name);

    /// <summary>The shape of a tensor.</summary>
    /// <exception cref="LitException">The name is unknown.</exception>
    public IReadOnlyList<long> ShapeOf(string name) =>
        Tensors.TryGetValue(name, out var tensor)
            ? tensor.Shape
            : throw new LitException(
                Checkpoint.Path,
                $"there is no '{Prefix}{name}'",
                "Check that the file is complete"
            );

    /// <summary>One size of a tensor, counted from the end where the axis is negative.</summary>
    /// <exception cref="LitException">The name is unknown or the tensor has fewer axes.</exception>
    public int Size(string name, int axis)
    {
        var shape = ShapeOf(name);
        var place = axis < 0 ? shape.Count + axis : axis;
        return place >= 0 && place < shape.Count && shape[place] is > 0 and < int.MaxValue
            ? (int)shape[place]
            : throw new LitException(
                Checkpoint.Path,
                $"'{Prefix}{name}' has the shape [{string.Join(", ", shape)}], which is not what a tensor of this "
                    + "name has elsewhere",
                "Check where the file comes from"
            );
    }

    /// <summary>The first tensor whose name is like one of the patterns (<see cref="WeightRow"/>), or null.</summary>
    public string? FindIfThere(params string[] patterns)
    {
        foreach (var pattern in patterns)
        {
            var name = new NamePattern(pattern);
            if (Tensors.Keys.FirstOrDefault(key => name.NumbersIn(key) is not null) is { } found)
                return found;
        }
        return null;
    }

    /// <summary>The first tensor whose name is like one of the patterns.</summary>
    /// <exception cref="LitException">There is none.</exception>
    public string Find(params string[] patterns) =>
        FindIfThere(patterns)
        ?? throw new LitException(
            Checkpoint.Path,
            $"there is no '{Prefix}{patterns[0]}'",
            "Check that the file is complete"
        );

    /// <summary>
    /// How many numbered parts there are: one more than the highest n for which a name begins
    /// <c>before</c>n<c>after</c>.
    /// </summary>
    public int CountOf(string before, string after)
    {
        var highest = -1;
        foreach (var name in Tensors.Keys)
            if (
                name.StartsWith(before, StringComparison.Ordinal)
                && name.IndexOf(after, before.Length, StringComparison.Ordinal) is > 0 and var end
                && int.TryParse(name.AsSpan(before.Length, end - before.Length), out var number)
            )
                highest = Math.Max(highest, number);
        return Believable(highest + 1);
    }

    /// <summary>
    /// The same number of blocks, unless the file has fewer tensors than that: a tower of such a depth is not built to
    /// find out.
    /// </summary>
    /// <exception cref="LitException">There are fewer tensors.</exception>
    public int Believable(int blocks) =>
        blocks <= Tensors.Count
            ? blocks
            : throw new LitException(
                Checkpoint.Path,
                $"would have {blocks} blocks, and has {Tensors.Count} tensors",
                "Check where the file comes from"
            );

    /// <summary>
    /// Tensors of the file that stand outside the prefix, as one phrase for each top-level name, such as "opt (9
    /// tensors)".
    /// </summary>
    public IReadOnlyList<string> Outside =>
        [
            .. Checkpoint
                .Tensors.Keys.Where(name => !name.StartsWith(Prefix, StringComparison.Ordinal))
                .GroupBy(name => Top(name, Prefix), StringComparer.Ordinal)
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => $"{group.Key} ({group.Count()} tensor{(group.Count() == 1 ? "" : "s")})"),
        ];

    /// <summary>
    /// Every part of the file under which all the landmarks stand, the one to use first: big_vision's rule for trees
    /// with <c>params</c> or <c>opt/target</c> (utils.py, load_params), a DINO teacher before its student, MoCo's base
    /// encoder before its momentum encoder.
    /// </summary>
    /// <param name="checkpoint">The open file.</param>
    /// <param name="landmarks">Names that the tower's files always have, without a prefix.</param>
    public static IReadOnlyList<WeightSource> Holding(Checkpoint checkpoint, params string[] landmarks)
    {
        var names = checkpoint.Tensors.Keys;
        var tree =
            names.Any(name => name.StartsWith("params/", StringComparison.Ordinal)) ? "params/"
            : names.Any(name => name.StartsWith("opt/target/", StringComparison.Ordinal)) ? "opt/target/"
            : "";
        return
        [
            .. names
                .Where(name => name.EndsWith(landmarks[0], StringComparison.Ordinal))
                .Select(name => name[..^landmarks[0].Length])
                .Where(prefix => prefix.Length == 0 || prefix[^1] is '.' or '/')
                .Where(prefix => prefix.StartsWith(tree, StringComparison.Ordinal))
                .Where(prefix => landmarks.All(landmark => checkpoint.Tensors.ContainsKey(prefix + landmark)))
                .OrderBy(Demerits)
                .ThenBy(prefix => prefix.Length)
                .ThenBy(prefix => prefix, StringComparer.Ordinal)
                .Select(prefix => new WeightSource(checkpoint, prefix)),
        ];
    }

    private static readonly string[] SecondChoices =
    [
        "student",
        "momentum_encoder",
        "predictor",
        "optimizer",
        "opt",
        "mu",
        "nu",
    ];

    private static int Demerits(string prefix) =>
        prefix.Split('.', '/').Count(part => SecondChoices.Contains(part, StringComparer.Ordinal));

    // The first part of the name that is not shared with the prefix, so that "params/img/" beside "params/txt/" says
    // "params/txt".
    private static string Top(string name, string prefix)
    {
        var shared = 0;
        for (var i = 0; i < Math.Min(name.Length, prefix.Length) && name[i] == prefix[i]; i++)
            if (name[i] is '.' or '/')
                shared = i + 1;
        var end = name.IndexOfAny(['.', '/'], shared);
        return end < 0 ? name : name[..end];
    }
}

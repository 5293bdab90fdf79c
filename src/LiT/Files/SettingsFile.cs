using System.Globalization;
using System.Text.Json;

namespace LiT.Files;

/// <summary>
/// A JSON file of settings that stands beside somebody else's weights or vocabulary. Of every key one of three things
/// becomes: a reader asks for it and follows it, it is known to be without effect here
/// (<see cref="SettingsWithoutEffect"/>), or it is left over and told by name. A value of another kind than expected is
/// an error; an absent one, or null, is null.
/// </summary>
internal sealed class SettingsFile
{
    // A table of thousands of class names and no more; what is larger is no file of settings.
    private const long LargestFile = 64 << 20;

    private readonly JsonElement? json;
    private readonly string place;
    private readonly HashSet<string> asked = new(StringComparer.Ordinal);
    private readonly List<string> followed = [];

    /// <param name="beside">The file that the settings belong to, for messages.</param>
    /// <param name="json">The content, or null where there is no such file.</param>
    /// <param name="name">What the file is called.</param>
    /// <param name="place">The member of the file that this is, as in "pretrained_cfg.", or nothing for the
    /// whole.</param>
    public SettingsFile(string beside, JsonElement? json, string name = "config.json", string place = "")
    {
        (Beside, Name, this.place) = (beside, name, place);
        this.json =
            json is { ValueKind: JsonValueKind.Object } known ? known
            : json is { } other
                ? throw new LitException(
                    $"{name} beside {beside}: is a {Kind(other)} and no object. Give the file as it was published."
                )
            : null;
    }

    /// <summary>The file that the settings belong to.</summary>
    public string Beside { get; }

    /// <summary>What the file is called.</summary>
    public string Name { get; }

    /// <summary>Whether there is such a file.</summary>
    public bool IsThere => json is not null;

    /// <summary>What was asked for and found, as "key value" each, in the order in which it was asked.</summary>
    public IReadOnlyList<string> Followed => followed;

    /// <summary>
    /// The file of that name in the folder of another, or in the folder itself; not there where there is none.
    /// </summary>
    /// <exception cref="LitException">It cannot be read or is no JSON object.</exception>
    public static SettingsFile In(string path, string name, string? file = null)
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path)) ?? ".";
        var full = Path.Combine(folder, file ?? name);
        return new(path, IsAt(full) ? Read(full) : null, name);
    }

    /// <summary>Whether there is a file of settings; one that cannot be read is not the same as none.</summary>
    /// <exception cref="LitException">It is a folder, or a link that leads nowhere.</exception>
    public static bool IsAt(string path)
    {
        if (Linked.Broken(path) is { } broken)
            throw new LitException($"{path}: {broken}. Bring the file that it leads to, or take the link away.");
        if (Directory.Exists(path))
            throw new LitException($"{path}: is a folder, where a file of settings is expected. Put the file there.");
        return File.Exists(path);
    }

    /// <summary>Every key that the file has.</summary>
    public IReadOnlyList<string> Keys => json is { } there ? [.. there.EnumerateObject().Select(NameOf)] : [];

    /// <summary>Whether the file has the key, with any value but null; it is not asked for by that.</summary>
    public bool Has(string key) => Value(key) is not null;

    public int? Number(string key) =>
        Member(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= 0 ? number
        : throw Wrong(key, value, "a whole number");

    public double? Real(string key) =>
        Member(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number
        && value.TryGetDouble(out var number)
        && number >= 0
        && double.IsFinite(number)
            ? number
        : throw Wrong(key, value, "a number");

    public bool? Flag(string key) =>
        Member(key) is not { } value ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
        : throw Wrong(key, value, "true or false");

    public string? Word(string key) =>
        Member(key) is not { } value ? null : TextOf(value) ?? throw Wrong(key, value, "a word");

    public IReadOnlyList<string> Words(string key)
    {
        if (Member(key) is not { } value)
            return [];
        return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(word => TextOf(word) is not null)
            ? [.. value.EnumerateArray().Select(word => TextOf(word)!)]
            : throw Wrong(key, value, "a list of words");
    }

    public IReadOnlyList<double>? Reals(string key, int count)
    {
        if (Member(key) is not { } value)
            return null;
        return
            value.ValueKind == JsonValueKind.Array
            && value.GetArrayLength() == count
            && value
                .EnumerateArray()
                .All(one => one.ValueKind == JsonValueKind.Number && double.IsFinite(one.GetDouble()))
            ? [.. value.EnumerateArray().Select(one => one.GetDouble())]
            : throw Wrong(key, value, count == 3 ? "a list of three numbers" : $"a list of {count} numbers");
    }

    public T Choice<T>(string key, T absent, params ReadOnlySpan<(string Word, T Means)> choices)
    {
        if (Member(key) is not { } value)
            return absent;
        foreach (var (word, means) in choices)
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(word))
                return means;
        throw Wrong(key, value, $"one of {string.Join(", ", choices.ToArray().Select(choice => choice.Word))}");
    }

    /// <summary>Refuses a file that says something that is not built here.</summary>
    public void Expect(string key, params ReadOnlySpan<string> words)
    {
        if (Member(key) is not { } value)
            return;
        foreach (var word in words)
            if (value.ValueKind == JsonValueKind.String && value.ValueEquals(word))
                return;
        throw Wrong(key, value, string.Join(" or ", words.ToArray()));
    }

    /// <summary>Refuses a file that says another yes or no than what is built here.</summary>
    public void Expect(string key, bool only)
    {
        if (Flag(key) is { } said && said != only)
            throw NotBuilt(key, only ? "true" : "false");
    }

    /// <summary>Refuses a file that says another number than the weights have, or than is built here.</summary>
    public void Expect(string key, double number, string because)
    {
        if (Real(key) is { } said && Math.Abs(said - number) > 1e-9 * Math.Abs(number))
            throw new LitException(
                $"{Name} beside {Beside}: {place}{key} is {Text(Value(key)!.Value)}, and {because} "
                    + $"{number.ToString(CultureInfo.InvariantCulture)}. Check that the two files belong "
                    + "together."
            );
    }

    /// <summary>Asks for a key whose kind of value is not fixed.</summary>
    public JsonElement? Any(string key) => Member(key);

    /// <summary>
    /// A member that is an object, as settings of its own; not there where it is missing. What is left of it is left of
    /// its file.
    /// </summary>
    public SettingsFile Part(string key)
    {
        if (Value(key) is not { } value)
            return new(Beside, null, Name, $"{place}{key}.");
        asked.Add(key);
        return value.ValueKind == JsonValueKind.Object
            ? new(Beside, value, Name, $"{place}{key}.")
            : throw Wrong(key, value, "an object");
    }

    /// <summary>Marks keys as seen to, such as those that another key takes the place of.</summary>
    public void Settled(params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            asked.Add(key);
    }

    /// <summary>
    /// The keys that nobody asked for and that are not known to be without effect; a null or an empty list says
    /// nothing.
    /// </summary>
    public IReadOnlyList<string> Left(SettingsWithoutEffect known) =>
        json is not { } there
            ? []
            :
            [
                .. there
                    .EnumerateObject()
                    .Where(member => SaysSomething(member.Value))
                    .Select(NameOf)
                    .Where(key => !asked.Contains(key) && !known.Has(key))
                    .Select(key => place + key),
            ];

    /// <summary>One sentence about all keys that are left, or null where none is.</summary>
    public string? Warning(SettingsWithoutEffect known, params SettingsFile[] parts)
    {
        List<string> left = [.. Left(known), .. parts.SelectMany(part => part.Left(known))];
        return left.Count == 0
            ? null
            : $"{Name} beside {Beside}: {Listed(left)} {(left.Count == 1 ? "is" : "are")} not known "
                + "here and passed over. "
                + "If it changes what the model computes, the results are not the original's.";
    }

    /// <summary>What to say of a value that asks for something that is not built here.</summary>
    public LitException NotBuilt(string key, string instead) =>
        new(
            $"{Name} beside {Beside}: {place}{key} is {Text(Value(key)!.Value)}, and only {instead} "
                + "can be read here. Give another checkpoint, or one that was saved so."
        );

    /// <summary>What to say of a value that is not what it should be.</summary>
    public LitException Wrong(string key, string wanted) => Wrong(key, Value(key)!.Value, wanted);

    private LitException Wrong(string key, JsonElement value, string wanted) =>
        new(
            $"{Name} beside {Beside}: {place}{key} is {Text(value)} where {wanted} is expected. Check "
                + "that the two files belong together."
        );

    private JsonElement? Member(string key)
    {
        asked.Add(key);
        if (Value(key) is not { } value)
            return null;
        var said = $"{place}{key} {(TextOf(value) is { Length: < 60 } word ? word : Text(value))}";
        if (!followed.Contains(said))
            followed.Add(said);
        return value;
    }

    private JsonElement? Value(string key) =>
        json is { } known && known.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    // In one line, however the file is laid out.
    private static string Text(JsonElement value) =>
        Compact(value) is { Length: > 60 } much ? much[..60] + "…" : Compact(value);

    private static string Compact(JsonElement value) =>
        value.ValueKind is JsonValueKind.Array or JsonValueKind.Object
            ? string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            : value.GetRawText();

    private static bool SaysSomething(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Null => false,
            JsonValueKind.Array => value.GetArrayLength() > 0,
            JsonValueKind.Object => value.EnumerateObject().Any(),
            _ => true,
        };

    /// <summary>A string's text, or null where the value is none, or none in valid Unicode.</summary>
    internal static string? TextOf(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string NameOf(JsonProperty member)
    {
        try
        {
            return member.Name;
        }
        catch (InvalidOperationException)
        {
            return "a name that is no Unicode";
        }
    }

    private static string Listed(List<string> keys) =>
        string.Join(", ", keys.Take(12).Select(key => key.Length > 60 ? key[..60] + "…" : key))
        + (keys.Count > 12 ? $" and {keys.Count - 12} more" : "");

    private static string Kind(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => "list",
            JsonValueKind.String => "text",
            JsonValueKind.Number => "number",
            _ => value.ValueKind.ToString().ToLowerInvariant(),
        };

    /// <summary>The content of a JSON file.</summary>
    /// <exception cref="LitException">It cannot be read, or is no JSON.</exception>
    public static JsonElement Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > LargestFile)
                throw new LitException(
                    path,
                    "is too large for a file of settings",
                    "Give the file as it was published"
                );
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            return document.RootElement.Clone();
        }
        catch (JsonException wrong)
        {
            throw new LitException(
                new FileInfo(path).Length == 0
                    ? $"{path}: is empty. Download it again."
                    : $"{path}: is no JSON (line {wrong.LineNumber + 1}). Download it again.",
                wrong
            );
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                path,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Check the file and its permissions",
                trouble
            );
        }
    }
}

/// <summary>Keys of settings that change nothing here, each with the reason why.</summary>
internal sealed class SettingsWithoutEffect : System.Collections.IEnumerable
{
    private readonly Dictionary<string, string> reasons = new(StringComparer.Ordinal);

    /// <summary>Adds keys that have one reason.</summary>
    public void Add(string reason, params ReadOnlySpan<string> keys)
    {
        foreach (var key in keys)
            reasons[key] = reason;
    }

    /// <summary>Whether a key is known to change nothing.</summary>
    public bool Has(string key) => reasons.ContainsKey(key);

    /// <summary>Every key with its reason.</summary>
    public IReadOnlyDictionary<string, string> Reasons => reasons;

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => reasons.GetEnumerator();
}

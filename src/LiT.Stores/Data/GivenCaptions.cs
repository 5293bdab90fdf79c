using System.Text.Json;

namespace LiT.Data;

/// <summary>
/// Captions in a file of their own, by the pictures' keys: they take the place of those that a source has, so that new
/// words cost no picture. Reading counts what cannot be used; asking counts what matched. A million of them take some
/// hundred megabytes. For one thread.
/// </summary>
internal sealed class GivenCaptions
{
    private const int MostLanguages = 1000;

    private readonly CompactTexts keys = new(findable: true),
        texts = new();
    private readonly List<Span> spans = []; // of the keys, by their numbers
    private readonly List<Caption> captions = [];
    private readonly List<string> languages = [];
    private readonly SortedDictionary<string, (long Count, long First)> unused = new(StringComparer.Ordinal);
    private readonly string path;
    private readonly bool keepOwn;
    private string? firstWithout;
    private long asked,
        without;

    private GivenCaptions(string path, bool keepOwn) => (this.path, this.keepOwn) = (path, keepOwn);

    /// <summary>The languages of the captions, in the order in which the file names them first.</summary>
    public IReadOnlyList<string> Languages => languages;

    /// <summary>The keys that have a caption, in the order of the file.</summary>
    public IEnumerable<string> Keys => Enumerable.Range(0, keys.Count).Select(key => keys[key]);

    /// <summary>Keys with a caption.</summary>
    public int Pictures => spans.Count;

    /// <summary>Captions of all keys together.</summary>
    public int Captions => captions.Count;

    /// <summary>Reads a file of captions.</summary>
    /// <param name="path">.tsv (KEY, tab, text), .csv, .jsonl or .parquet.</param>
    /// <param name="language">Leave out the captions of other languages than this, or than these (<c>de,fr</c>); null
    /// takes all. A caption whose language the file does not say is taken.</param>
    /// <param name="keepOwn">Whether pictures that the file does not name keep their own captions.</param>
    /// <exception cref="LitException">The file cannot be read, or no caption is left.</exception>
    public static GivenCaptions Read(string path, string? language = null, bool keepOwn = false)
    {
        GivenCaptions given = new(path, keepOwn);
        HashSet<string> others = new(StringComparer.Ordinal);
        var wanted = language?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var row in CaptionRows.Of(path))
            given.Add(row, wanted, others);
        if (given.captions.Count > 0)
            return given;
        var trouble = given.unused.FirstOrDefault();
        throw others.Count > 0
            ? new LitException(
                path,
                $"no caption is in the language '{language}'; it has "
                    + string.Join(", ", others.Order(StringComparer.Ordinal)),
                "Give one of these"
            )
            : new LitException(
                path,
                trouble.Key is null
                    ? "has no captions"
                    : $"no caption can be used: line {trouble.Value.First}, {trouble.Key}",
                "Write a key, a tab and a text on each line, as UTF-8"
            );
    }

    /// <summary>Forgets what was asked so far: another reading of the pictures begins.</summary>
    public void Begin()
    {
        for (var key = 0; key < spans.Count; key++)
            spans[key] = spans[key] with { Met = false };
        (asked, without, firstWithout) = (0, 0, null);
    }

    /// <summary>The captions of a picture, in the order of the file.</summary>
    public IReadOnlyList<string> Of(string key) => At(Ask(key));

    /// <summary>The place of a picture's captions; -1 where it has none. It is counted as asked for.</summary>
    public int Ask(string key)
    {
        asked++;
        var place = keys.Find(key);
        if (place < 0)
        {
            without++;
            firstWithout ??= key;
        }
        else if (!spans[place].Met)
            spans[place] = spans[place] with { Met = true };
        return place;
    }

    /// <summary>The captions at a place that <see cref="Ask"/> gave, in the order of the file.</summary>
    public IReadOnlyList<string> At(int place)
    {
        if (place < 0)
            return [];
        List<string> own = [];
        for (var at = spans[place].First; at >= 0; at = captions[at].Next)
            own.Add(texts[at]);
        return own;
    }

    /// <summary>Those of a picture that are in a language, in the order of the file.</summary>
    public IReadOnlyList<string> Of(string key, string language)
    {
        List<string> own = [];
        if (keys.Find(key) is >= 0 and var place)
            for (var at = spans[place].First; at >= 0; at = captions[at].Next)
                if (captions[at].Language >= 0 && languages[captions[at].Language] == language)
                    own.Add(texts[at]);
        return own;
    }

    /// <summary>A sample with these captions in place of its own, and those of each language as the field caption.de
    /// and so on.</summary>
    public Sample In(Sample sample)
    {
        var place = Ask(sample.Key);
        var own = At(place);
        if (own.Count == 0 && keepOwn)
            return sample;
        if (languages.Count == 0 || own.Count == 0)
            return sample with { Captions = own };
        Dictionary<string, string> fields = new(sample.Fields);
        foreach (var group in ByLanguage(spans[place].First))
            fields[CaptionLanguages.LanguageField + languages[group.Key]] = JsonSerializer.Serialize(group);
        return sample with { Captions = own, Fields = fields };
    }

    /// <summary>What became of the rows, a phrase each, once every picture was asked for.</summary>
    /// <param name="source">The pictures.</param>
    /// <exception cref="LitException">No key is a picture's.</exception>
    public IEnumerable<string> InWords(string source)
    {
        var met = spans.Count(one => one.Met);
        if (met == 0 && keepOwn)
        {
            yield return $"{path}: none of its keys is a picture of {source}, whose own captions are taken";
            yield break;
        }
        if (met == 0)
            throw new LitException(
                path,
                $"none of its {spans.Count:N0} keys is a picture of {source}: '{keys[0]}' is one, and the "
                    + $"pictures are called like '{firstWithout}'",
                "Write the keys as the store has them (metadata/*.parquet, 'key')"
            );
        var said = languages.Count > 1 ? $" in {languages.Count} languages ({string.Join(", ", languages)})" : "";
        yield return FormattableString.Invariant(
            $"{path}: {captions.Count:N0} captions{said} of {spans.Count:N0} pictures, {met:N0} of them in {source}"
        );
        if (met < spans.Count)
        {
            var lost = spans.FindIndex(one => !one.Met);
            yield return FormattableString.Invariant(
                $"{path}: {spans.Count - met:N0} of its keys name no picture of {source}, the first '{keys[lost]}', "
            ) + $"line {captions[spans[lost].First].Line}";
        }
        if (without > 0)
            yield return FormattableString.Invariant(
                $"{path}: names {asked - without:N0} of the {asked:N0} pictures of {source}, the first that it "
            ) + $"does not is '{firstWithout}'";
        foreach (var (trouble, (count, first)) in unused)
            yield return FormattableString.Invariant(
                $"{path}: {count:N0} of its rows cannot be used: {trouble} ({(count > 1 ? "first " : "")}line {first})"
            );
    }

    private IEnumerable<IGrouping<short, string>> ByLanguage(int first)
    {
        List<(short Language, string Text)> own = [];
        for (var at = first; at >= 0; at = captions[at].Next)
            if (captions[at].Language >= 0)
                own.Add((captions[at].Language, texts[at]));
        return own.GroupBy(one => one.Language, one => one.Text);
    }

    private void Add(CaptionRow row, string[]? wanted, HashSet<string> others)
    {
        if (row.Trouble is { } trouble)
        {
            if (trouble.Length > 0) // a blank line is nothing
                Lose(row, trouble);
            return;
        }
        if (row.Key.Length == 0)
        {
            Lose(row, "no key");
            return;
        }
        var language = row.Language?.Trim();
        if (string.IsNullOrEmpty(language))
            language = null;
        else if (!LanguageCode.Is(language))
        {
            Lose(row, "a language that is no code such as de or pt-BR");
            return;
        }
        if (wanted is not null && language is not null && !wanted.Contains(language, StringComparer.OrdinalIgnoreCase))
        {
            if (others.Count < MostLanguages)
                others.Add(language);
            return;
        }
        foreach (var text in row.Texts)
            AddText(row, text?.Trim(), language ?? (wanted is [var only] ? only : null));
    }

    private void AddText(CaptionRow row, string? text, string? language)
    {
        if (string.IsNullOrEmpty(text))
        {
            Lose(row, "an empty text");
            return;
        }
        if (text.Length > new SampleOptions().CaptionLimit)
        {
            Lose(row, "a text that is too long");
            return;
        }
        var key = keys.Find(row.Key);
        var number = (short)(language is null ? -1 : NumberOf(language));
        if (key >= 0 && Says(spans[key].First, text, number))
            return;
        var at = texts.Add(text);
        captions.Add(new(number, -1, row.Row));
        if (key < 0)
        {
            keys.Add(row.Key);
            spans.Add(new(at, at, false));
            return;
        }
        var last = spans[key].Last;
        captions[last] = captions[last] with { Next = at };
        spans[key] = spans[key] with { Last = at };
    }

    private bool Says(int first, string text, short language)
    {
        for (var at = first; at >= 0; at = captions[at].Next)
            if (captions[at].Language == language && texts.Is(at, text))
                return true;
        return false;
    }

    private int NumberOf(string language)
    {
        var at = languages.FindIndex(one => one.Equals(language, StringComparison.OrdinalIgnoreCase));
        if (at >= 0)
            return at;
        if (languages.Count == MostLanguages)
            throw new LitException(path, $"more than {MostLanguages} languages", "Check the column 'language'");
        languages.Add(language);
        return languages.Count - 1;
    }

    private void Lose(CaptionRow row, string trouble)
    {
        var (count, first) = unused.GetValueOrDefault(trouble, (0, row.Row));
        unused[trouble] = (count + 1, first);
    }

    // Its text has the same number.
    private readonly record struct Caption(short Language, int Next, long Line);

    private readonly record struct Span(int First, int Last, bool Met);
}

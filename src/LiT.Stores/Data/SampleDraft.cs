using System.Text;

namespace LiT.Data;

/// <summary>
/// A sample while its parts are gathered. One rule for every form: what is wrong with a caption or a label is reported,
/// and the sample goes on without it; but a picture whose words were all unusable, and which has no label, is skipped.
/// A picture that never had words is used.
/// </summary>
internal sealed class SampleDraft(string key, string origin, SampleOptions options)
{
    /// <summary>The longest text file that is read, in bytes.</summary>
    public const int TextLimit = 1 << 20;

    public const string NotUtf8 = "not valid UTF-8; the bytes that are none were replaced";

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly List<string> captions = [];
    private readonly List<string> troubles = [];
    private readonly Dictionary<string, string> fields = [];
    private string? label;
    private bool hadWords;

    public string Key => key;

    public string Origin => origin;

    public IReadOnlyList<string> Captions => captions;

    /// <summary>Adds one caption; an equal one is not added twice.</summary>
    public void AddCaption(string? caption, string? from = null)
    {
        hadWords = true;
        caption = caption?.Trim();
        if (string.IsNullOrEmpty(caption))
            LoseWords(At(from, "empty caption"));
        else if (Encoding.UTF8.GetByteCount(caption) is var length && length > options.CaptionLimit)
            LoseWords(At(from, $"caption of {length:N0} bytes where at most {options.CaptionLimit:N0} are used"));
        else if (!captions.Contains(caption))
            captions.Add(caption);
    }

    /// <summary>Adds the captions of a text file, one a line.</summary>
    public void AddCaptionLines(ReadOnlySpan<byte> text, string from)
    {
        if (UnicodeText.Utf8Of(text) is null && UnicodeText.LooksLikeUtf16(text))
        {
            LoseWords(At(from, "looks like UTF-16 text without its mark; save it as UTF-8"));
            return;
        }
        var lines = Decode(text, from)
            .ReplaceLineEndings("\n")
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0)
            AddCaption(null, from);
        foreach (var line in lines)
            AddCaption(line, from);
    }

    /// <summary>Takes a label; an index becomes its name where the classes are known.</summary>
    public void SetLabel(string? given, string? from = null)
    {
        given = given?.Trim();
        if (string.IsNullOrEmpty(given))
            return;
        if (options.Classes is { } classes && long.TryParse(given, out var index))
        {
            if (index >= 0 && index < classes.Count)
                given = classes[(int)index];
            else
            {
                troubles.Add(At(from, $"class index {index} where {classes.Count} classes are named"));
                return;
            }
        }
        label = given;
    }

    /// <summary>Notes words that are there but cannot be used.</summary>
    public void LoseWords(string trouble)
    {
        hadWords = true;
        troubles.Add(trouble);
    }

    public void SetField(string name, string value) => fields[name] = value;

    /// <summary>Notes something that was left out or mended.</summary>
    public void AddTrouble(string trouble) => troubles.Add(trouble);

    /// <summary>
    /// UTF-8 text, or UTF-16 or UTF-32 with its mark; bytes that are none are replaced by U+FFFD and reported.
    /// </summary>
    public string Decode(ReadOnlySpan<byte> text, string? from = null)
    {
        if (UnicodeText.Utf8Of(text) is { } decoded)
            text = decoded;
        try
        {
            return Strict.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            troubles.Add(At(from, NotUtf8));
            return Encoding.UTF8.GetString(text);
        }
    }

    /// <summary>The same of a picture in a file of its own.</summary>
    public Sample? Finish(string path, Action<Skipped> skip) =>
        Finish(() => Pictures.Bytes(path), skip) is { } sample ? sample with { File = path } : null;

    /// <summary>The finished sample, or null where it was reported as skipped.</summary>
    public Sample? Finish(Func<byte[]> readImage, Action<Skipped> skip)
    {
        if (hadWords && captions.Count == 0 && label is null)
        {
            skip(new(key, origin, troubles[0]));
            return null;
        }
        foreach (var trouble in troubles)
            skip(new(key, origin, trouble) { InPart = true });
        var sample = new Sample(key, origin)
        {
            ReadImage = readImage,
            Captions = captions,
            Label = label,
        };
        return fields.Count == 0 ? sample : sample with { Fields = fields };
    }

    public static string TooLong(long bytes) => $"{bytes:N0} bytes of text where at most {TextLimit:N0} are read";

    /// <summary>A trouble with the place inside the sample that it is at.</summary>
    public static string At(string? from, string trouble) => from is null ? trouble : $"{from}: {trouble}";
}

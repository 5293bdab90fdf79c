namespace LiT.Data;

/// <summary>One picture with its words, undecoded. Any part may be missing: a picture without captions, a text without a picture.</summary>
/// <param name="Key">Names the sample inside its source; equal keys are equal pictures within one source.</param>
/// <param name="Origin">Where it came from, for messages: <c>shard-0003.tar:000412.jpg</c>, <c>captions.tsv:812</c>.</param>
public sealed record Sample(string Key, string Origin)
{
    /// <summary>Reads the encoded picture's bytes (JPEG, PNG, WebP …), or null where there is no picture.</summary>
    /// <remarks>Reading may throw <see cref="LitException"/> or <see cref="IOException"/>; the reader of the sample counts it as skipped.</remarks>
    public Func<byte[]>? ReadImage { get; init; }

    /// <summary>Every caption of the picture, in the source's order, none of them empty.</summary>
    public IReadOnlyList<string> Captions { get; init; } = [];

    /// <summary>The class in words or, where only an index is known (.cls), the index in digits.</summary>
    public string? Label { get; init; }

    /// <summary>Further columns of the source, by name (metadata columns, the members of a .json).</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = new Dictionary<string, string>();
}

/// <summary>A sample, row or member that could not be used, and why, in one phrase.</summary>
public sealed record Skipped(string Key, string Origin, string Reason);

/// <summary>A readable collection of samples. Reading twice gives the same samples in the same order.</summary>
public abstract class SampleSource
{
    /// <summary>The path or pattern as the user gave it.</summary>
    public required string Path { get; init; }

    /// <summary>The form in words, for messages: "WebDataset", "class folders" …</summary>
    public abstract string Form { get; }

    /// <summary>The classes in index order where the form defines them (sorted folder names), else null.</summary>
    public virtual IReadOnlyList<string>? Classes => null;

    /// <summary>How many samples there are if that is known without reading them all.</summary>
    public virtual long? KnownCount => null;

    /// <summary>Streams the samples one at a time, in constant memory.</summary>
    /// <param name="skip">Told of every sample or row that cannot be used; reading goes on.</param>
    /// <exception cref="LitException">The source as a whole cannot be read (missing, empty, no known form).</exception>
    public abstract IEnumerable<Sample> Read(Action<Skipped> skip);
}

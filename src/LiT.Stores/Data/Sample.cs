using System.Collections.ObjectModel;

namespace LiT.Data;

/// <summary>
/// One picture with its words, undecoded. Words may be missing; the picture only where it is embedded already.
/// </summary>
/// <param name="Key">Names the sample inside its source; equal keys are equal pictures within one source.</param>
/// <param name="Origin">Where it came from, for messages: <c>shard-0003.tar:000412.jpg</c>, <c>captions.tsv, line
/// 812</c>.</param>
internal sealed record Sample(string Key, string Origin)
{
    /// <summary>
    /// Reads the encoded picture's bytes (JPEG, PNG, WebP …); null for a sample of an embedding store.
    /// </summary>
    /// <remarks>
    /// Safe from any thread, also after the source has gone on. Reading may throw <see cref="LitException"/> or
    /// <see cref="IOException"/>; the reader of the sample counts it as skipped.
    /// </remarks>
    public Func<byte[]>? ReadImage { get; init; }

    /// <summary>The file that holds the picture and nothing else; null where there is none.</summary>
    public string? File { get; init; }

    /// <summary>Every caption of the picture, in the source's order, none of them empty.</summary>
    public IReadOnlyList<string> Captions { get; init; } = [];

    /// <summary>The class in words or, where only an index is known (.cls), the index in digits.</summary>
    public string? Label { get; init; }

    /// <summary>Further columns of the source, by name (metadata columns, the members of a .json).</summary>
    public IReadOnlyDictionary<string, string> Fields { get; init; } = ReadOnlyDictionary<string, string>.Empty;
}

/// <summary>A sample, row or member that could not be used, and why, in one phrase.</summary>
internal sealed record Skipped(string Key, string Origin, string Reason)
{
    /// <summary>
    /// Only a part of the sample (one caption, a label) was left out or mended. The sample itself is used, so this does
    /// not count: found = used + skipped, where skipped leaves these out.
    /// </summary>
    public bool InPart { get; init; }
}

/// <summary>
/// One thing that a source found: a sample, or one that was skipped and why. Exactly one of the two is set.
/// </summary>
internal readonly record struct Found(Sample? Sample, Skipped? Skipped);

/// <summary>A readable collection of samples. Reading twice gives the same samples in the same order.</summary>
internal abstract class SampleSource
{
    /// <summary>The path or pattern as the user gave it.</summary>
    public required string Path { get; init; }

    /// <summary>The form in words, for messages: "WebDataset", "class folders" …</summary>
    public abstract string Form { get; }

    /// <summary>The classes in index order where the form defines them (sorted folder names), else null.</summary>
    public virtual IReadOnlyList<string>? Classes => null;

    /// <summary>False where the pictures were embedded before and only their words are left.</summary>
    public virtual bool HasPictures => true;

    /// <summary>How many samples there are if that is known without reading them all.</summary>
    public virtual long? KnownCount => null;

    /// <summary>What the last reading met and did not read (files of other kinds, columns), a phrase each.</summary>
    public virtual IReadOnlyList<string> PassedOver => [];

    /// <summary>Streams the samples one at a time, in constant memory.</summary>
    /// <param name="skip">Told of every sample or row that cannot be used; reading goes on.</param>
    /// <exception cref="LitException">The source as a whole cannot be read (missing, empty, no known form).</exception>
    public abstract IEnumerable<Sample> Read(Action<Skipped> skip);

    /// <summary>How many samples there are where none has a caption; null at the first that has one.</summary>
    /// <exception cref="LitException">The source as a whole cannot be read (missing, empty, no known form).</exception>
    public long? CountWithoutCaptions()
    {
        var found = 0L;
        foreach (var sample in Read(_ => { }))
        {
            if (sample.Captions.Count > 0)
                return null;
            found++;
        }
        return found;
    }

    /// <summary>Streams samples and skipped ones in the source's one order, the same at every reading.</summary>
    /// <exception cref="LitException">The source as a whole cannot be read (missing, empty, no known form).</exception>
    public IEnumerable<Found> ReadAll()
    {
        var skipped = new Queue<Skipped>();
        foreach (var sample in Read(skipped.Enqueue))
        {
            while (skipped.TryDequeue(out var before))
                yield return new(null, before);
            yield return new(sample, null);
        }
        while (skipped.TryDequeue(out var last))
            yield return new(null, last);
    }
}

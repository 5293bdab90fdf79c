using LiT.Data;

namespace LiT.Tests.Data;

/// <summary>A source read to its end.</summary>
internal sealed record Reading(SampleSource Source, List<Sample> Samples, List<Skipped> Skipped, List<Skipped> Notes)
{
    /// <summary>Stands for a picture: readers never decode.</summary>
    public static readonly byte[] Picture = [0xff, 0xd8, 1, 2, 3];

    public static Reading Of(string path, SampleOptions? options = null)
    {
        var source = LiT.Data.Samples.Open(path, options);
        var told = new List<Skipped>();
        var samples = source.Read(told.Add).ToList();
        Assert.Equal(samples.Count + told.Count, source.ReadAll().Count());
        Assert.Equal(samples.Select(s => s.Key), source.Read(_ => { }).Select(s => s.Key)); // the same order again
        return new(source, samples, told.FindAll(s => !s.InPart), told.FindAll(s => s.InPart));
    }

    /// <summary>The keys of the samples, one after the other.</summary>
    public string Keys => string.Join(" ", Samples.Select(sample => sample.Key));

    /// <summary>The one thing that was skipped, as it is printed.</summary>
    public string OnlySkipped => Assert.Single(Skipped) is var one ? $"{one.Origin}: {one.Reason}" : "";

    /// <summary>The one thing that was noted, as it is printed.</summary>
    public string OnlyNote => Assert.Single(Notes) is var one ? $"{one.Origin}: {one.Reason}" : "";

    public Sample this[string key] => Assert.Single(Samples, sample => sample.Key == key);
}

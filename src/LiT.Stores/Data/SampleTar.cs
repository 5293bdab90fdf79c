using System.Formats.Tar;
using System.Text;
using LiT.Files;
using LiT.Images;

namespace LiT.Data;

/// <summary>Writes samples as members of a WebDataset archive; equal samples give equal bytes.</summary>
internal sealed class SampleTar(Stream stream) : IDisposable
{
    private readonly TarWriter tar = new(stream, TarEntryFormat.Ustar, leaveOpen: true);

    /// <summary>
    /// Adds a sample: its picture as it is, captions in .txt (one a line) where they have no line breaks, everything in
    /// .json.
    /// </summary>
    /// <param name="name">Short name of the members, without a dot.</param>
    /// <param name="sample">Words, label and fields.</param>
    /// <param name="image">The encoded picture.</param>
    public void Add(string name, Sample sample, byte[] image)
    {
        Add($"{name}{Extension(image)}", image);
        if (sample.Captions.Count > 0 && !sample.Captions.Any(caption => caption.AsSpan().ContainsAny('\n', '\r')))
            Add($"{name}.txt", Encoding.UTF8.GetBytes(string.Join('\n', sample.Captions) + "\n"));
        Add($"{name}.json", JournalLines.Line(Members(sample)));
    }

    /// <summary>
    /// A sample's words as members of a JSON object; what the source called by the same names gives way.
    /// </summary>
    public static SortedDictionary<string, object> Members(Sample sample)
    {
        var members = new SortedDictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, value) in sample.Fields)
            if (name is not ("caption" or "captions" or "text" or "label" or "class"))
                members[name] = value;
        if (sample.Captions.Count > 0)
            members["caption"] = sample.Captions.Count == 1 ? sample.Captions[0] : sample.Captions;
        if (sample.Label is { } label)
            members["label"] = label;
        members["key"] = sample.Key;
        return members;
    }

    /// <summary>The extension of a picture by its content.</summary>
    public static string Extension(ReadOnlySpan<byte> image) =>
        PictureFormats.Of(image) switch
        {
            PictureFormat.Jpeg => ".jpg",
            PictureFormat.Png => ".png",
            PictureFormat.WebP => ".webp",
            PictureFormat.Gif => ".gif",
            PictureFormat.Tiff => ".tif",
            PictureFormat.Bmp => ".bmp",
            PictureFormat.Avif => ".avif",
            _ => ".jpg", // named as a picture, so that whoever reads it says what is wrong with it
        };

    public void Dispose() => tar.Dispose();

    private void Add(string name, byte[] content) =>
        tar.WriteEntry(
            new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                ModificationTime = DateTimeOffset.UnixEpoch,
                DataStream = new MemoryStream(content, writable: false),
            }
        );
}

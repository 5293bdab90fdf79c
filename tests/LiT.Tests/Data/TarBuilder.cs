using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace LiT.Tests.Data;

/// <summary>Small tar archives, made with the platform's own writer.</summary>
internal sealed class TarBuilder
{
    private readonly MemoryStream bytes = new();
    private readonly System.Formats.Tar.TarWriter writer;
    private bool closed;

    public TarBuilder(TarEntryFormat format = TarEntryFormat.Pax) => writer = new(bytes, format, leaveOpen: true);

    public TarBuilder Add(string name, string text) => Add(name, Encoding.UTF8.GetBytes(text));

    public TarBuilder Add(string name, byte[] content)
    {
        TarEntry entry = writer.Format switch
        {
            TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
            _ => new PaxTarEntry(TarEntryType.RegularFile, name),
        };
        entry.DataStream = new MemoryStream(content);
        writer.WriteEntry(entry);
        return this;
    }

    public byte[] ToArray()
    {
        if (!closed)
            writer.Dispose();
        closed = true;
        return bytes.ToArray();
    }

    public byte[] ToGzip()
    {
        var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest))
            gzip.Write(ToArray());
        return packed.ToArray();
    }
}

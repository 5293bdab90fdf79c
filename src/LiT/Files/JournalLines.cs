using System.Text.Encodings.Web;
using System.Text.Json;

namespace LiT.Files;

/// <summary>
/// A file of JSON lines that grows beside a journal: what was written after the journal's last entry is cut off again.
/// </summary>
internal sealed class JournalLines : IDisposable
{
    private static readonly JsonSerializerOptions Plain = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly string path;
    private readonly FileStream file;

    /// <param name="path">The file.</param>
    /// <param name="length">Its length as of the journal.</param>
    /// <exception cref="LitException">It is shorter than that, or cannot be written.</exception>
    public JournalLines(string path, long length)
    {
        this.path = path;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            if (file.Length < length)
            {
                file.Dispose();
                throw new LitException(path, "shorter than it was left", "Delete the folder and begin anew");
            }
            file.SetLength(length);
            file.Position = length;
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }

    /// <summary>Adds a line.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public void Add(object line)
    {
        try
        {
            file.Write(Line(line));
            file.WriteByte((byte)'\n');
        }
        catch (IOException trouble)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }

    /// <summary>The length once everything is on the disk.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public long Flushed()
    {
        try
        {
            file.Flush(flushToDisk: true);
        }
        catch (IOException trouble)
        {
            throw AtomicFile.Explained(path, trouble);
        }
        return file.Length;
    }

    /// <summary>An object as one line, without its end.</summary>
    public static byte[] Line(object line) => JsonSerializer.SerializeToUtf8Bytes(line, Plain);

    public void Dispose()
    {
        try
        {
            file.Dispose();
        }
        catch (IOException)
        {
            // Lines that did not fit on a full disk are given up with everything after the journal's last entry.
        }
    }
}

namespace LiT.Data;

/// <summary>The lines of a file as bytes, with their numbers and places, so that one can be found again.</summary>
internal sealed class LineReader : IDisposable
{
    /// <summary>A longer line is given only up to here.</summary>
    public const int Limit = 16 << 20;

    private readonly FileStream file;
    private readonly byte[] buffer = new byte[1 << 16];
    private readonly MemoryStream line = new();
    private int start,
        end;

    public LineReader(string path)
    {
        file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        var mark = new byte[3];
        var read = file.ReadAtLeast(mark, 3, throwOnEndOfStream: false);
        if (read >= 2 && mark is [0xff, 0xfe, ..] or [0xfe, 0xff, ..])
            throw new LitException($"{path}: is UTF-16 text. Save it as UTF-8.");
        Seek(mark is [0xef, 0xbb, 0xbf] ? 3 : 0, 1);
    }

    /// <summary>Number of the next line, from 1.</summary>
    public long Number { get; private set; } = 1;

    /// <summary>Where the next line begins in the file, in bytes.</summary>
    public long Offset { get; private set; }

    /// <summary>Goes to a line whose place and number are known.</summary>
    public void Seek(long offset, long number)
    {
        file.Position = offset;
        (Offset, Number, start, end) = (offset, number, 0, 0);
    }

    /// <summary>The next line without its end, or null after the last. Valid until the next call.</summary>
    public ReadOnlyMemory<byte>? Next()
    {
        line.SetLength(0);
        var any = false;
        while (true)
        {
            if (start == end)
            {
                (start, end) = (0, file.Read(buffer));
                if (end == 0)
                {
                    if (!any)
                        return null;
                    Number++;
                    return Trimmed();
                }
            }
            any = true;
            var rest = buffer.AsSpan(start..end);
            var newline = rest.IndexOf((byte)'\n');
            var part = newline < 0 ? rest : rest[..newline];
            if (line.Length + part.Length <= Limit)
                line.Write(part);
            var used = newline < 0 ? part.Length : part.Length + 1;
            start += used;
            Offset += used;
            if (newline < 0)
                continue;
            Number++;
            return Trimmed();
        }
    }

    public void Dispose() => file.Dispose();

    private ReadOnlyMemory<byte> Trimmed()
    {
        var bytes = line.GetBuffer().AsMemory(0, (int)line.Length);
        return bytes.Span is [.., (byte)'\r'] ? bytes[..^1] : bytes;
    }
}

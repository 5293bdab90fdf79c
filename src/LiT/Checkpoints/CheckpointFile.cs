using System.Runtime.InteropServices;
using LiT.Files;
using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>
/// A file that is open for reading: pieces of it as bytes or streams, never past its end, and its pages as tensors,
/// copy on write. The pages belong to the tensor on them: they stay until it is gone.
/// </summary>
internal sealed class CheckpointFile : IDisposable
{
    private readonly SafeFileHandle handle;
    private readonly DateTime written;

    private CheckpointFile(string path, SafeFileHandle handle)
    {
        Path = path;
        this.handle = handle;
        Length = RandomAccess.GetLength(handle);
        written = File.GetLastWriteTimeUtc(handle);
    }

    public string Path { get; }

    public long Length { get; }

    /// <exception cref="LitException">There is no such file, or it may not be read.</exception>
    public static CheckpointFile Open(string path)
    {
        try
        {
            return new(path, File.OpenHandle(path, options: FileOptions.RandomAccess));
        }
        catch (Exception trouble) when (trouble is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new LitException(path, "there is no such file", "Check the path", trouble);
        }
        catch (UnauthorizedAccessException trouble)
        {
            throw new LitException(path, "no permission to read it", "Change its permissions", trouble);
        }
        catch (Exception trouble) when (trouble is IOException or ArgumentException or NotSupportedException)
        {
            var why = trouble.Message.TrimEnd('.');
            throw new LitException(path, $"cannot be opened ({why})", "Check the path and the disk", trouble);
        }
    }

    /// <summary>Whether a piece of the file lies inside it.</summary>
    public bool Holds(long offset, long count) =>
        offset >= 0 && count >= 0 && offset <= Length && count <= Length - offset;

    /// <exception cref="LitException">The file ends before the piece does.</exception>
    public void Read(long offset, Span<byte> into)
    {
        if (!Holds(offset, into.Length))
            throw CutOff();
        while (into.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(handle, into, offset);
            }
            catch (IOException trouble)
            {
                var why = trouble.Message.TrimEnd('.');
                throw new LitException(Path, $"cannot be read at byte {offset} ({why})", "Check the disk", trouble);
            }
            if (read == 0)
                throw CutOff();
            into = into[read..];
            offset += read;
        }
    }

    /// <exception cref="LitException">The file ends before the piece does.</exception>
    public byte[] ReadBytes(long offset, long count)
    {
        if (!Holds(offset, count) || count > Array.MaxLength)
            throw CutOff();
        var bytes = new byte[count];
        Read(offset, bytes);
        return bytes;
    }

    /// <summary>A piece of the file as a stream.</summary>
    public Stream Range(long offset, long count) => new FileRange(this, offset, count);

    /// <summary>
    /// Elements of the file as a contiguous tensor: on the file's own pages where they are aligned and need no
    /// decoding, a copy elsewhere.
    /// </summary>
    public Tensor ReadTensor(long offset, Elements elements, IReadOnlyList<long> shape, string where)
    {
        Elements.TryCount(shape, out var count);
        if (!Holds(offset, checked(count * elements.Size)))
            throw CutOff();
        if (count == 0)
            return TensorBytes.Allocate(elements.Type, shape, where);
        if (!elements.AsTheyLie || offset % elements.Size != 0)
            return TensorBytes.Read(Range(offset, count * elements.Size), elements, shape, where);
        using var map = Map(elements, offset / elements.Size + count, where);
        using var piece = map.narrow(0, offset / elements.Size, count);
        return piece.view([.. shape]);
    }

    public LitException CutOff() => new($"{Path}: the file is cut off or damaged. Download or copy it again.");

    public void Dispose() => handle.Dispose();

    /// <summary>
    /// A map of its own for every tensor: who writes to one changes neither the file nor what the next reader gets.
    /// </summary>
    private Tensor Map(Elements elements, long count, string where)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, this);
        Tensor map;
        try
        {
            map = from_file(System.IO.Path.GetFullPath(Path), shared: false, size: count, dtype: elements.Type);
        }
        catch (ExternalException trouble)
        {
            var why = trouble.Message.Split('\n')[0];
            throw new LitException(where, $"the file cannot be mapped into memory ({why})", "Try again", trouble);
        }
        var now = Linked.Info(Path);
        if (now.Exists && now.Length == Length && now.LastWriteTimeUtc == written)
            return map;
        map.Dispose();
        throw new LitException(Path, "the file was changed while it was being read", "Try again");
    }

    private sealed class FileRange(CheckpointFile file, long offset, long count) : Stream
    {
        private long position;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => count;
        public override long Position
        {
            get => position;
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> into)
        {
            var now = (int)Math.Clamp(count - position, 0, into.Length);
            file.Read(offset + position, into[..now]);
            position += now;
            return now;
        }

        public override int Read(byte[] buffer, int start, int length) => Read(buffer.AsSpan(start, length));

        public override long Seek(long by, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int start, int length) => throw new NotSupportedException();

        public override void Flush() { }
    }
}

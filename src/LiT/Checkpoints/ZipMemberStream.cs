using System.IO.Compression;
using System.IO.Hashing;

namespace LiT.Checkpoints;

/// <summary>
/// A member's bytes, inflated where need be; whoever reads to the end knows that length and checksum are right.
/// </summary>
internal sealed class ZipMemberStream : Stream
{
    private readonly CheckpointFile file;
    private readonly ZipMember member;
    private readonly Stream inner;
    private readonly Crc32 crc = new();
    private long position;

    public ZipMemberStream(CheckpointFile file, ZipMember member)
    {
        this.file = file;
        this.member = member;
        var stored = file.Range(member.DataOffset, member.CompressedSize);
        inner = member.Deflated ? new DeflateStream(stored, CompressionMode.Decompress) : stored;
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => member.Size;
    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    /// <exception cref="LitException">The bytes are not those that were packed.</exception>
    public override int Read(Span<byte> into)
    {
        if (into.Length > Length - position)
            into = into[..(int)(Length - position)];
        if (into.Length == 0)
            return 0;
        int read;
        try
        {
            read = inner.Read(into);
            if (read == 0)
                throw Damaged("ends early");
            crc.Append(into[..read]);
            position += read;
            if (position == Length)
                CheckEnd();
        }
        catch (InvalidDataException)
        {
            throw Damaged("cannot be inflated");
        }
        return read;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Reads what is left, to check it.</summary>
    public void Finish()
    {
        Span<byte> left = stackalloc byte[256];
        while (Read(left) > 0) { }
    }

    private void CheckEnd()
    {
        Span<byte> more = stackalloc byte[1];
        if (inner.Read(more) > 0)
            throw Damaged("is longer than it says");
        if (crc.GetCurrentHashAsUInt32() != member.Crc)
            throw Damaged("does not match its checksum");
    }

    private LitException Damaged(string what) =>
        new($"{file.Path}, member {member.Name}: {what}. The file is damaged; download or copy it again.");
}

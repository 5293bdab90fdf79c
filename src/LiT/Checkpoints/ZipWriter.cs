using System.Buffers.Binary;
using System.IO.Compression;
using System.IO.Hashing;
using System.Text;

namespace LiT.Checkpoints;

/// <summary>
/// Writes a zip file whose bytes depend on nothing but its members; data begin at multiples of 64 bytes.
/// </summary>
internal sealed class ZipWriter(Stream stream)
{
    private const ushort Version = 45,
        Utf8 = 1 << 11,
        FirstOfJanuary1980 = 33,
        Zip64 = 1,
        Padding = 0xD935;
    private readonly List<ZipMember> members = [];

    /// <param name="name">The member's name, with '/' between folders.</param>
    /// <param name="deflated">Compressed, or as it is.</param>
    /// <param name="write">Writes the member's bytes.</param>
    public void Add(string name, bool deflated, Action<Stream> write)
    {
        var start = stream.Position;
        var nameLength = Encoding.UTF8.GetByteCount(name);
        var padding = (int)(64 - (start + 30 + nameLength + 20 + 4) % 64) % 64;
        var member = new ZipMember(name, deflated, 0, 0, 0, start)
        {
            DataOffset = start + 30 + nameLength + 20 + 4 + padding,
        };
        WriteLocalHeader(member, padding);

        var counted = new CheckedStream(stream);
        if (deflated)
        {
            using var deflating = new DeflateStream(stream, CompressionLevel.Optimal, leaveOpen: true);
            counted = new CheckedStream(deflating);
            write(counted);
        }
        else
        {
            write(counted);
        }
        var end = stream.Position;
        member = member with { CompressedSize = end - member.DataOffset, Size = counted.Count, Crc = counted.Crc };
        stream.Position = start;
        WriteLocalHeader(member, padding);
        stream.Position = end;
        members.Add(member);
    }

    /// <summary>Writes the directory; nothing is added afterwards.</summary>
    public void Finish()
    {
        var start = stream.Position;
        foreach (var member in members)
            WriteDirectoryEntry(member);
        var (size, end64) = (stream.Position - start, stream.Position);
        var bytes = new LittleEndian(stream);
        if (members.Count >= ushort.MaxValue || end64 >= uint.MaxValue)
        {
            bytes.U32(0x06064b50).U64(44).U16(Version).U16(Version).U32(0).U32(0);
            bytes.U64(members.Count).U64(members.Count).U64(size).U64(start);
            bytes.U32(0x07064b50).U32(0).U64(end64).U32(1);
        }
        var few = (ushort)Math.Min(members.Count, ushort.MaxValue);
        bytes.U32(0x06054b50).U16(0).U16(0).U16(few).U16(few).U32(Narrow(size)).U32(Narrow(start)).U16(0);
    }

    private void WriteLocalHeader(ZipMember member, int padding)
    {
        var name = Encoding.UTF8.GetBytes(member.Name);
        var bytes = new LittleEndian(stream);
        bytes.U32(0x04034b50).U16(Version).U16(Utf8).U16(Method(member)).U16(0).U16(FirstOfJanuary1980).U32(member.Crc);
        bytes.U32(uint.MaxValue).U32(uint.MaxValue).U16((ushort)name.Length).U16((ushort)(24 + padding));
        stream.Write(name);
        bytes.U16(Zip64).U16(16).U64(member.Size).U64(member.CompressedSize).U16(Padding).U16((ushort)padding);
        stream.Write(new byte[padding]);
    }

    private void WriteDirectoryEntry(ZipMember member)
    {
        var name = Encoding.UTF8.GetBytes(member.Name);
        var wide = new[] { member.Size, member.CompressedSize, member.HeaderOffset }
            .Where(value => value >= uint.MaxValue)
            .ToArray();
        var bytes = new LittleEndian(stream);
        bytes
            .U32(0x02014b50)
            .U16(Version)
            .U16(Version)
            .U16(Utf8)
            .U16(Method(member))
            .U16(0)
            .U16(FirstOfJanuary1980)
            .U32(member.Crc);
        bytes.U32(Narrow(member.CompressedSize)).U32(Narrow(member.Size)).U16((ushort)name.Length);
        bytes
            .U16((ushort)(wide.Length == 0 ? 0 : 4 + 8 * wide.Length))
            .U16(0)
            .U16(0)
            .U16(0)
            .U32(0)
            .U32(Narrow(member.HeaderOffset));
        stream.Write(name);
        if (wide.Length == 0)
            return;
        bytes.U16(Zip64).U16((ushort)(8 * wide.Length));
        foreach (var value in wide)
            bytes.U64(value);
    }

    private static ushort Method(ZipMember member) => (ushort)(member.Deflated ? 8 : 0);

    private static uint Narrow(long value) => (uint)Math.Min(value, uint.MaxValue);

    private readonly struct LittleEndian(Stream stream)
    {
        public LittleEndian U16(ushort value) => Write(value, 2);

        public LittleEndian U32(uint value) => Write(value, 4);

        public LittleEndian U64(long value) => Write((ulong)value, 8);

        private LittleEndian Write(ulong value, int size)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            stream.Write(bytes[..size]);
            return this;
        }
    }

    private sealed class CheckedStream(Stream inner) : Stream
    {
        private readonly Crc32 crc = new();

        public long Count { get; private set; }
        public uint Crc => crc.GetCurrentHashAsUInt32();
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => Count;
        public override long Position
        {
            get => Count;
            set => throw new NotSupportedException();
        }

        public override void Write(ReadOnlySpan<byte> bytes)
        {
            crc.Append(bytes);
            Count += bytes.Length;
            inner.Write(bytes);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush() => inner.Flush();
    }
}

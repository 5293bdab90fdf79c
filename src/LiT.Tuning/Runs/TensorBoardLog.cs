using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using LiT.Files;

namespace LiT.Tuning.Runs;

/// <summary>
/// The numbers of metrics.jsonl as TensorBoard reads them: a file of records, each a length, a checksum of it, an Event
/// message and a checksum of that (tensorflow, core/lib/io/record_writer.cc and core/util/event.proto).
/// </summary>
internal sealed class TensorBoardLog : IDisposable
{
    /// <summary>TensorBoard looks for "tfevents" in the name; one name keeps a resumed run one curve.</summary>
    internal const string FileName = "events.out.tfevents.0.lit";

    private readonly string path;
    private readonly FileStream stream;

    /// <summary>
    /// Begins the file again with the lines before: what an interrupted run wrote beyond them is gone.
    /// </summary>
    /// <param name="folder">Gets the file.</param>
    /// <param name="before">Lines that count already.</param>
    /// <param name="now">The time of the last of them.</param>
    internal TensorBoardLog(string folder, IReadOnlyList<MetricsLine> before, DateTimeOffset now)
    {
        path = Path.Combine(folder, FileName);
        var last = before.Count == 0 ? 0 : before[^1].Seconds;
        AtomicFile.Write(path, to =>
        {
            to.Write(Record(Version(now.AddSeconds(-last))));
            foreach (var line in before)
                to.Write(Record(Scalars(line, now.AddSeconds(line.Seconds - last))));
        });
        stream = new(path, FileMode.Append, FileAccess.Write, FileShare.Read, 1);
    }

    internal void Write(MetricsLine line, DateTimeOffset now)
    {
        try
        {
            stream.Write(Record(Scalars(line, now)));
        }
        catch (IOException trouble)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }

    public void Dispose() => stream.Dispose();

    /// <summary>The tags of a line: training numbers, and those of a validation apart.</summary>
    internal static IEnumerable<(string Tag, double Value)> TagsOf(MetricsLine line)
    {
        yield return ("train/loss", line.Loss);
        yield return ("train/i2tAccuracy", line.I2tAccuracy);
        yield return ("train/t2iAccuracy", line.T2iAccuracy);
        yield return ("train/temperature", line.Temperature);
        if (line.Bias is { } bias)
            yield return ("train/bias", bias);
        yield return ("train/lr", line.Lr);
        yield return ("train/gradNorm", line.GradNorm);
        yield return ("speed/pairsPerSecond", line.PairsPerSecond);
        foreach (var (name, value) in line.Val ?? new Dictionary<string, double>())
            yield return ($"val/{name}", value);
    }

    private static byte[] Version(DateTimeOffset time) =>
        Message(Double(1, Seconds(time)), Bytes(3, "brain.Event:2"u8));

    private static byte[] Scalars(MetricsLine line, DateTimeOffset time) =>
        Message(
            Double(1, Seconds(time)),
            Number(2, (ulong)line.Step),
            Bytes(
                5,
                Message([
                    .. TagsOf(line)
                        .Select(one =>
                            Bytes(1, Message(Bytes(1, Encoding.UTF8.GetBytes(one.Tag)), Single(2, (float)one.Value)))
                        ),
                ])
            )
        );

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    private static byte[] Record(byte[] data)
    {
        var record = new byte[16 + data.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Masked(record.AsSpan(0, 8)));
        data.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), Masked(data));
        return record;
    }

    /// <summary>CRC-32C, rotated and shifted so that a checksum of checksums is no fixed point.</summary>
    internal static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var one in data)
            crc = BitOperations.Crc32C(crc, one);
        crc = ~crc;
        return unchecked(BitOperations.RotateRight(crc, 15) + 0xA282EAD8);
    }

    private static byte[] Message(params byte[][] fields) => [.. fields.SelectMany(field => field)];

    private static byte[] Double(int field, double value) => [(byte)(field << 3 | 1), .. BitConverter.GetBytes(value)];

    private static byte[] Single(int field, float value) => [(byte)(field << 3 | 5), .. BitConverter.GetBytes(value)];

    private static byte[] Number(int field, ulong value) => [(byte)(field << 3), .. Varint(value)];

    private static byte[] Bytes(int field, ReadOnlySpan<byte> value) =>
        [(byte)(field << 3 | 2), .. Varint((ulong)value.Length), .. value];

    private static byte[] Varint(ulong value)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }
}

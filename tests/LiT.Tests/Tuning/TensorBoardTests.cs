using System.Buffers.Binary;
using System.Text;
using LiT.Files;
using LiT.Tuning.Runs;

namespace LiT.Tests.Tuning;

public class TensorBoardTests
{
    [Fact]
    public void The_numbers_of_a_run_can_be_read_back_from_its_event_file()
    {
        using var run = new TinyRun { Validation = new Fixed(), Options = TinyRun.Small with { ValidateEvery = 10 } };
        run.Run();
        var events = Read(run).ToList();
        Assert.Equal("brain.Event:2", events[0].Version);
        Assert.Equal(Enumerable.Range(1, 20).Select(step => (long)step), events.Skip(1).Select(one => one.Step));
        foreach (var (line, one) in run.Lines.Zip(events.Skip(1)))
        {
            Assert.Equal((float)line.Loss, one.Scalars["train/loss"]);
            Assert.Equal((float)line.Temperature, one.Scalars["train/temperature"]);
            Assert.Equal(line.Val is not null, one.Scalars.ContainsKey("val/top1"));
        }
        Assert.Equal(0.25f, events[^1].Scalars["val/top1"]);
        Assert.True(events.Zip(events.Skip(1)).All(pair => pair.First.Time <= pair.Second.Time + 0.002));
    }

    [Fact]
    public void A_resumed_run_is_one_curve()
    {
        using var run = new TinyRun();
        using var cancel = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => run.Run(cancel.Token, line =>
            {
                if (line.Step == 7)
                    cancel.Cancel();
            }));
        run.Run();
        Assert.Equal(Enumerable.Range(1, 20).Select(step => (long)step), Read(run).Skip(1).Select(one => one.Step));
    }

    private sealed class Fixed : IValidation
    {
        public IReadOnlyDictionary<string, double> Validate(long step) =>
            new Dictionary<string, double> { ["top1"] = 0.25 };
    }

    private sealed record Event(double Time, long Step, string? Version, Dictionary<string, float> Scalars);

    /// <summary>A reader that shares nothing with the writer: its own checksum, records and messages.</summary>
    private static IEnumerable<Event> Read(TinyRun run)
    {
        var bytes = File.ReadAllBytes(Assert.Single(Directory.GetFiles(run.Folder.Path, "*tfevents*")));
        List<Event> events = [];
        for (var at = 0; at < bytes.Length; )
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
            Assert.Equal(Checksum(bytes.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 8)));
            var data = bytes.AsSpan(at + 12, length);
            Assert.Equal(Checksum(data), BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 12 + length)));
            events.Add(EventOf(data));
            at += 16 + length;
        }
        return events;
    }

    private static Event EventOf(ReadOnlySpan<byte> data)
    {
        var (time, step, version, scalars) = (0.0, 0L, (string?)null, new Dictionary<string, float>());
        var at = 0;
        while (at < data.Length)
            switch (data[at++])
            {
                case 1 << 3 | 1:
                    time = BinaryPrimitives.ReadDoubleLittleEndian(data[at..]);
                    at += 8;
                    break;
                case 2 << 3:
                    step = (long)Varint(data, ref at);
                    break;
                case 3 << 3 | 2:
                    version = Encoding.UTF8.GetString(Field(data, ref at));
                    break;
                case 5 << 3 | 2:
                    var summary = new ProtoReader(Field(data, ref at), "summary", "a summary", "Write it again");
                    while (summary.Next())
                    {
                        var value = summary.Message();
                        var tag = "";
                        while (value.Next())
                            if (value.Field == 1)
                                tag = value.String();
                            else
                                scalars[tag] = value.Float();
                    }
                    break;
                default:
                    Assert.Fail($"An unknown field, {data[at - 1]}");
                    break;
            }
        return new(time, step, version, scalars);
    }

    private static ReadOnlySpan<byte> Field(ReadOnlySpan<byte> data, ref int at)
    {
        var length = (int)Varint(data, ref at);
        at += length;
        return data.Slice(at - length, length);
    }

    private static ulong Varint(ReadOnlySpan<byte> data, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            value |= (ulong)(data[at] & 0x7F) << shift;
            if (data[at++] < 0x80)
                return value;
        }
    }

    private static uint Checksum(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var one in data)
        {
            crc ^= one;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0x82F63B78;
        }
        crc = ~crc;
        return unchecked((crc >> 15 | crc << 17) + 0xA282EAD8);
    }
}

using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace LiT.Fuzz;

/// <summary>Makes a file a little wrong: the same random numbers, the same wrong file.</summary>
public static class Mutation
{
    private static readonly long[] Telling =
    [
        0,
        1,
        -1,
        2,
        7,
        127,
        128,
        255,
        256,
        32767,
        65535,
        65536,
        int.MaxValue,
        int.MinValue,
        uint.MaxValue,
        1L << 32,
        1L << 40,
        long.MaxValue,
        long.MinValue,
        long.MaxValue / 4,
    ];

    private static readonly string[] TellingNumbers =
    [
        "0",
        "1",
        "-1",
        "255",
        "65536",
        "2147483647",
        "4294967296",
        "9223372036854775807",
        "9223372036854775808",
        "99999999999999999999",
        "1e9",
        "0.5",
        "()",
        "[]",
        "{}",
        "null",
        "\"\"",
    ];

    // Opcodes of pickles: nearly everything else in a pickle is just an unknown one.
    private static readonly byte[] Opcodes =
    [
        .. "().0129FIJKLMNPQRSTUVXabcdeghijlopqrstu]}"u8,
        .. Enumerable.Range(0x80, 0x18).Select(value => (byte)value),
    ];

    /// <param name="random">Decides everything.</param>
    /// <param name="file">A file that is right.</param>
    /// <param name="other">Another one, to take pieces from.</param>
    public static byte[] Of(Random random, byte[] file, byte[] other)
    {
        if (IsZip(file) && random.Next(2) == 0)
            return MemberOfZip(random, file, other);
        var mutated = file;
        for (var times = 1 + random.Next(random.Next(2) == 0 ? 1 : 5); times > 0; times--)
            mutated = Once(random, mutated, other);
        return mutated;
    }

    private static byte[] Once(Random random, byte[] file, byte[] other)
    {
        if (file.Length == 0)
            return [.. other.AsSpan(0, random.Next(other.Length + 1))];
        var bytes = (byte[])file.Clone();
        var at = Position(random, bytes.Length);
        switch (random.Next(10))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                bytes[at] = Opcodes[random.Next(Opcodes.Length)];
                return bytes;
            case 3:
                return bytes[..at];
            case 4:
                return Lie(random, bytes, at);
            case 5:
                return LieInText(random, bytes);
            case 6: // a piece is missing
                return [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + 1 + random.Next(64))..]];
            case 7: // a piece is there twice
                var end = Math.Min(bytes.Length, at + 1 + random.Next(64));
                return [.. bytes[..end], .. bytes[at..end], .. bytes[end..]];
            case 8: // a piece of another file
                if (other.Length == 0)
                    return bytes;
                var from = random.Next(other.Length);
                var piece = other.AsSpan(from, Math.Min(other.Length - from, 1 + random.Next(256)));
                return
                [
                    .. bytes[..at],
                    .. piece,
                    .. bytes[(random.Next(2) == 0 ? at : Math.Min(bytes.Length, at + piece.Length))..],
                ];
            default: // two pieces change places
                var second = Position(random, bytes.Length);
                (bytes[at], bytes[second]) = (bytes[second], bytes[at]);
                return bytes;
        }
    }

    /// <summary>Sizes and offsets are found at the ends of files more often than in the middle.</summary>
    private static int Position(Random random, int length) =>
        random.Next(4) switch
        {
            0 => random.Next(Math.Min(length, 64)),
            1 => length - 1 - random.Next(Math.Min(length, 256)),
            _ => random.Next(length),
        };

    private static byte[] Lie(Random random, byte[] bytes, int at)
    {
        var value = random.Next(3) == 0 ? bytes.Length + random.Next(-2, 3) : Telling[random.Next(Telling.Length)];
        var size = 1 << random.Next(1, 4);
        Span<byte> wide = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(wide, value);
        if (random.Next(8) == 0)
            wide[..size].Reverse();
        wide[..Math.Min(size, bytes.Length - at)].CopyTo(bytes.AsSpan(at));
        return bytes;
    }

    private static byte[] LieInText(Random random, byte[] bytes)
    {
        var numbers = new List<(int Start, int End)>();
        for (var i = 0; i < Math.Min(bytes.Length, 8192); i++)
        {
            if (!char.IsAsciiDigit((char)bytes[i]))
                continue;
            var start = i;
            while (i < bytes.Length && char.IsAsciiDigit((char)bytes[i]))
                i++;
            numbers.Add((start, i));
        }
        if (numbers.Count == 0)
            return bytes;
        var (from, to) = numbers[random.Next(numbers.Count)];
        var lie = Encoding.ASCII.GetBytes(TellingNumbers[random.Next(TellingNumbers.Length)]);
        if (random.Next(2) == 0)
            return [.. bytes[..from], .. lie, .. bytes[to..]];
        for (var i = from; i < to; i++)
            bytes[i] = i - from < lie.Length ? lie[i - from] : (byte)' '; // lengths stay true
        return bytes;
    }

    private static bool IsZip(byte[] file) => file.AsSpan().StartsWith("PK\x03\x04"u8);

    /// <summary>
    /// A zip file that is right in itself, checksums and all, with one wrong member: readers see what is behind them.
    /// </summary>
    private static byte[] MemberOfZip(Random random, byte[] file, byte[] other)
    {
        List<(string Name, byte[] Bytes)> members = [];
        try
        {
            using var zip = new ZipArchive(new MemoryStream(file));
            foreach (var entry in zip.Entries)
            {
                using var stream = entry.Open();
                using var bytes = new MemoryStream();
                stream.CopyTo(bytes);
                members.Add((entry.FullName, bytes.ToArray()));
            }
        }
        catch (InvalidDataException)
        {
            return Once(random, file, other); // a fixture that is damaged already
        }
        if (members.Count == 0)
            return file;
        var pickle = members.FindIndex(member => member.Name.EndsWith("data.pkl", StringComparison.Ordinal));
        var which = pickle >= 0 && random.Next(4) != 0 ? pickle : random.Next(members.Count);
        for (var times = 1 + random.Next(4); times > 0; times--)
            members[which] = (members[which].Name, Once(random, members[which].Bytes, other));

        using var mutated = new MemoryStream();
        using (var zip = new ZipArchive(mutated, ZipArchiveMode.Create, leaveOpen: true))
        {
            var level = random.Next(3) == 0 ? CompressionLevel.Fastest : CompressionLevel.NoCompression;
            foreach (var (name, bytes) in members)
            {
                using var stream = zip.CreateEntry(name, level).Open();
                stream.Write(bytes);
            }
        }
        return mutated.ToArray();
    }
}

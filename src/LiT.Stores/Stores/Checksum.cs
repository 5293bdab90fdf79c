using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace LiT.Stores;

/// <summary>
/// A checksum at the speed of memory, against damage and not against malice: every word is added to a lane that is
/// turned
/// before, both of which can be undone, so that whatever one flipped word changes stays changed.
/// </summary>
internal static class Checksum
{
    private const ulong Seed = 0x9E3779B97F4A7C15;

    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, Vector256<ulong>>(bytes);
        Vector256<ulong> a = Vector256.Create(Seed),
            b = a + a,
            c = b + a,
            d = c + a;
        var i = 0;
        for (; i + 4 <= words.Length; i += 4)
        {
            a = Turned(a) + words[i];
            b = Turned(b) + words[i + 1];
            c = Turned(c) + words[i + 2];
            d = Turned(d) + words[i + 3];
        }
        for (; i < words.Length; i++)
            a = Turned(a) + words[i];
        var sum = (ulong)bytes.Length;
        foreach (var one in bytes[(words.Length * 32)..])
            sum = Mixed(sum, one);
        foreach (var lanes in (ReadOnlySpan<Vector256<ulong>>)[a, b, c, d])
            for (var lane = 0; lane < 4; lane++)
                sum = Mixed(sum, lanes[lane]);
        return sum;
    }

    private static Vector256<ulong> Turned(Vector256<ulong> lanes) => (lanes << 13) | (lanes >>> 51);

    private static ulong Mixed(ulong sum, ulong with) => ulong.RotateLeft((sum ^ with) * Seed, 29);
}

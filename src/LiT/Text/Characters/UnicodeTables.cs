using System.Globalization;
using System.IO.Compression;

namespace LiT.Text.Characters;

/// <summary>
/// The Unicode Character Database, version 15.0. .NET brings no normalisation where programs run without ICU
/// (invariant globalization), and its categories are of whatever version the runtime has; vocabularies need one that
/// stays. <c>make-tables.py</c> wrote the file.
/// </summary>
internal sealed class UnicodeTables
{
    internal const int CodePoints = 0x110000;

    private static readonly Lazy<UnicodeTables> Loaded = new(() => new UnicodeTables());

    // General category in the lower five bits, casing class above.
    private readonly byte[] classes = new byte[CodePoints];

    private UnicodeTables()
    {
        var numbers = new Numbers(Bytes());
        for (var at = 0; at < CodePoints;)
        {
            var run = numbers.Next();
            classes.AsSpan(at, run).Fill((byte)numbers.Next());
            at += run;
        }
        numbers.Table((numbers, c) => CombiningClasses.Add(c, (byte)numbers.Next()));
        numbers.Table((numbers, c) =>
        {
            var kind = numbers.Next();
            var text = numbers.CodePoints();
            (kind == 2 ? Compatibility : Canonical).Add(c, text);
            if (kind == 0) Compositions.Add((text[0], text[1]), c);
        });
        numbers.Table((numbers, c) => Lower.Add(c, numbers.CodePoints()));
        numbers.Table((numbers, first) =>
        {
            var run = numbers.Next();
            var text = numbers.CodePoints();
            for (var c = first; c < first + run; c++) NfkcCasefold.Add(c, text);
        });
    }

    internal static UnicodeTables Version15 => Loaded.Value;

    /// <summary>Canonical combining classes that are not 0.</summary>
    internal Dictionary<int, byte> CombiningClasses { get; } = [];

    /// <summary>One step of canonical decomposition.</summary>
    internal Dictionary<int, int[]> Canonical { get; } = [];

    /// <summary>One step of compatibility decomposition, where it is not canonical.</summary>
    internal Dictionary<int, int[]> Compatibility { get; } = [];

    /// <summary>Primary composites by their two parts.</summary>
    internal Dictionary<(int First, int Second), int> Compositions { get; } = [];

    /// <summary>Full lower case where it differs, without the context rule of the final sigma.</summary>
    internal Dictionary<int, int[]> Lower { get; } = [];

    /// <summary>The property NFKC_Casefold where it differs; empty for characters that are ignored by default.</summary>
    internal Dictionary<int, int[]> NfkcCasefold { get; } = [];

    internal UnicodeCategory Category(int c) => (UnicodeCategory)(classes[c] & 31);

    internal bool IsCased(int c) => classes[c] >> 5 == 1;

    internal bool IsCaseIgnorable(int c) => classes[c] >> 5 == 2;

    /// <summary>Whether a character was assigned in version 15.0, and unassigned in 14.0.</summary>
    internal static bool CameAfter14(int c)
    {
        if (c < NewIn15[0]) return false;
        var at = Array.BinarySearch(NewIn15, c);
        return at >= 0 || (~at & 1) == 1;
    }

    // DerivedAge.txt: first and last of each range, in order (a range of one has it twice).
    private static readonly int[] NewIn15 =
    [
        0xCF3, 0xCF3, 0xECE, 0xECE, 0x10EFD, 0x10EFF, 0x1123F, 0x11241, 0x11B00, 0x11B09, 0x11F00, 0x11F10,
        0x11F12, 0x11F3A, 0x11F3E, 0x11F59, 0x1342F, 0x1342F, 0x13439, 0x13455, 0x1B132, 0x1B132, 0x1B155,
        0x1B155, 0x1D2C0, 0x1D2D3, 0x1DF25, 0x1DF2A, 0x1E030, 0x1E06D, 0x1E08F, 0x1E08F, 0x1E4D0, 0x1E4F9,
        0x1F6DC, 0x1F6DC, 0x1F774, 0x1F776, 0x1F77B, 0x1F77F, 0x1F7D9, 0x1F7D9, 0x1FA75, 0x1FA77, 0x1FA87,
        0x1FA88, 0x1FAAD, 0x1FAAF, 0x1FABB, 0x1FABD, 0x1FABF, 0x1FABF, 0x1FACE, 0x1FACF, 0x1FADA, 0x1FADB,
        0x1FAE8, 0x1FAE8, 0x1FAF7, 0x1FAF8, 0x2B739, 0x2B739, 0x31350, 0x323AF,
    ];

    private static byte[] Bytes()
    {
        using var file = typeof(UnicodeTables).Assembly.GetManifestResourceStream("unicode-15.0.bin")!;
        using var unpacked = new ZLibStream(file, CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        unpacked.CopyTo(bytes);
        return bytes.ToArray();
    }

    private sealed class Numbers(byte[] bytes)
    {
        private int at;

        internal int Next()
        {
            var value = 0;
            for (var shift = 0; ; shift += 7)
            {
                var part = bytes[at++];
                value |= (part & 0x7F) << shift;
                if (part < 0x80) return value;
            }
        }

        internal int[] CodePoints()
        {
            var text = new int[Next()];
            for (var i = 0; i < text.Length; i++) text[i] = Next();
            return text;
        }

        internal void Table(Action<Numbers, int> entry)
        {
            var c = 0;
            for (var left = Next(); left > 0; left--) entry(this, c += Next());
        }
    }
}

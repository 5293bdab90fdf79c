using System.Globalization;
using System.IO.Compression;

namespace LiT.Text.Characters;

/// <summary>The first of these versions of Unicode that has a character; the last also stands for none.</summary>
internal enum UnicodeAge : byte
{
    Version8,
    Version9,
    Version14,
    Version15,
}

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

    // Runs of equal age: where each begins.
    private readonly List<int> ageStarts = [];
    private readonly List<UnicodeAge> ages = [];

    private UnicodeTables()
    {
        var numbers = new Numbers(Bytes());
        for (var at = 0; at < CodePoints; )
        {
            var run = numbers.Next();
            classes.AsSpan(at, run).Fill((byte)numbers.Next());
            at += run;
        }
        numbers.Table((numbers, c) => CombiningClasses.Add(c, (byte)numbers.Next()));
        numbers.Table(
            (numbers, c) =>
            {
                var kind = numbers.Next();
                var text = numbers.CodePoints();
                (kind == 2 ? Compatibility : Canonical).Add(c, text);
                if (kind == 0)
                    Compositions.Add((text[0], text[1]), c);
            }
        );
        numbers.Table((numbers, c) => Lower.Add(c, numbers.CodePoints()));
        numbers.Table(
            (numbers, first) =>
            {
                var run = numbers.Next();
                var text = numbers.CodePoints();
                for (var c = first; c < first + run; c++)
                    NfkcCasefold.Add(c, text);
            }
        );
        numbers.Table(
            (numbers, first) =>
            {
                ageStarts.Add(first);
                ages.Add((UnicodeAge)numbers.Next());
            }
        );
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

    /// <summary>
    /// The property NFKC_Casefold where it differs; empty for characters that are ignored by default.
    /// </summary>
    internal Dictionary<int, int[]> NfkcCasefold { get; } = [];

    internal UnicodeCategory Category(int c) => (UnicodeCategory)(classes[c] & 31);

    /// <summary>The category as a version had it that did not know later characters yet.</summary>
    internal UnicodeCategory Category(int c, UnicodeAge version) =>
        c < 0x80 || Age(c) <= version ? Category(c) : UnicodeCategory.OtherNotAssigned;

    internal bool IsCased(int c) => classes[c] >> 5 == 1;

    internal bool IsCaseIgnorable(int c) => classes[c] >> 5 == 2;

    /// <summary>
    /// The version in which a character was first assigned, as far as tokenizers tell versions apart.
    /// </summary>
    internal UnicodeAge Age(int c)
    {
        if (c < 0x80)
            return UnicodeAge.Version8;
        var at = ageStarts.BinarySearch(c);
        return ages[at < 0 ? ~at - 1 : at];
    }

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
                if (part < 0x80)
                    return value;
            }
        }

        internal int[] CodePoints()
        {
            var text = new int[Next()];
            for (var i = 0; i < text.Length; i++)
                text[i] = Next();
            return text;
        }

        internal void Table(Action<Numbers, int> entry)
        {
            var c = 0;
            for (var left = Next(); left > 0; left--)
                entry(this, c += Next());
        }
    }
}

using System.Globalization;

namespace LiT.Stores;

/// <summary>Days and points in time as seconds since the year 1, UTC where nothing else is said.</summary>
internal static class Dates
{
    private static readonly string[] Forms =
    [
        "yyyy-MM-dd",
        "yyyy-MM-ddTHH:mm",
        "yyyy-MM-ddTHH:mm:ss",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFF",
        "yyyy-MM-ddTHH:mm:ssK",
        "yyyy-MM-ddTHH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd HH:mm",
        "yyyy-MM-dd HH:mm:ss",
        "yyyy:MM:dd HH:mm:ss", // as EXIF has it
    ];

    /// <summary>NaN for what is no date.</summary>
    public static double Seconds(string text) =>
        text.Length >= 10
        && char.IsAsciiDigit(text[0])
        && DateTime.TryParseExact(
            text.Trim(),
            Forms,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
            out var date
        )
            ? Seconds(date)
            : double.NaN;

    public static double Seconds(DateTime date) => Math.Round(date.Ticks / 1e7, 3);

    /// <summary>A point in time to the millisecond.</summary>
    public static string Exact(double seconds) =>
        new DateTime((long)Math.Round(seconds * 1000) * TimeSpan.TicksPerMillisecond, DateTimeKind.Utc).ToString(
            "yyyy-MM-ddTHH:mm:ss.fffZ",
            CultureInfo.InvariantCulture
        );

    public static string Text(double seconds)
    {
        DateTime date = new(
            (long)(Math.Clamp(seconds, 0, 315_537_897_599) * 1000) * TimeSpan.TicksPerMillisecond,
            DateTimeKind.Utc
        );
        return date.ToString(
            date.TimeOfDay == TimeSpan.Zero ? "yyyy-MM-dd" : "yyyy-MM-ddTHH:mm:ssZ",
            CultureInfo.InvariantCulture
        );
    }
}

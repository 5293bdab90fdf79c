using System.Globalization;

namespace LiT.Reports;

/// <summary>Numbers as a reader wants them: a few digits that mean something. What is no number shows as a dash.</summary>
internal static class Figures
{
    public const string Missing = "–";

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>0.8125 as 81.3%.</summary>
    public static string Percent(double share) =>
        double.IsFinite(share) ? (share * 100).ToString("0.0", Invariant) + "%" : Missing;

    /// <summary>Four digits that count, thousands set apart: 12,345 · 3.217 · 0.0004521.</summary>
    public static string Plain(double value)
    {
        if (!double.IsFinite(value))
            return Missing;
        if (value == 0)
            return "0";
        var size = Math.Abs(value);
        if (size >= 1e9 || size < 1e-5)
            return value.ToString("0.###e0", Invariant);
        if (size >= 1000 || value == Math.Round(value))
            return value.ToString("#,0", Invariant);
        return value.ToString(
            "0." + new string('#', Math.Clamp(3 - (int)Math.Floor(Math.Log10(size)), 0, 9)),
            Invariant
        );
    }

    /// <summary>A tick of an axis: 12k, 0.5, 1e-4.</summary>
    public static string Tick(double value, double step)
    {
        var size = Math.Abs(value);
        if (size >= 1e9)
            return value.ToString("0.##e0", Invariant);
        if (size >= 1e6 && step >= 1e4)
            return (value / 1e6).ToString("0.##", Invariant) + "M";
        if (size >= 1e4 && step >= 100)
            return (value / 1e3).ToString("0.#", Invariant) + "k";
        if (size < step / 1e6)
            return "0";
        var digits = (int)Math.Clamp(Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 12);
        return digits > 4
            ? value.ToString("0.##e0", Invariant)
            : value.ToString(digits == 0 ? "#,0" : "0." + new string('0', digits), Invariant);
    }

    /// <summary>3,725 seconds as 1 h 2 min.</summary>
    public static string Duration(double seconds)
    {
        if (!double.IsFinite(seconds) || seconds < 0)
            return Missing;
        if (seconds < 100)
            return seconds.ToString(seconds < 10 ? "0.0" : "0", Invariant) + " s";
        var minutes = (long)Math.Round(seconds / 60);
        return minutes < 100 ? $"{minutes} min" : $"{minutes / 60} h {minutes % 60} min";
    }
}

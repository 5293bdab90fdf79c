using NetVips;

namespace LiT.Images;

/// <summary>How libvips is set up for the process: once, before its first use.</summary>
internal static class ImageLibrary
{
    // Held here because native code keeps only a pointer to it.
    private static readonly Log.LogDelegate Silence = (_, _, _) => { };

    static ImageLibrary()
    {
        NetVips.NetVips.Concurrency = 1;                                    // pictures are decoded side by side, not rows
        Cache.Max = 0;                                                      // no picture is decoded twice
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Silence);    // broken pictures are reported by our own words
    }

    /// <summary>Does nothing by itself: the first call runs the static constructor.</summary>
    public static void Prepare() { }
}

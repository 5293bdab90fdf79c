using NetVips;

namespace LiT.Images;

/// <summary>How libvips is set up for the process: once, before its first use.</summary>
internal static class ImageLibrary
{
    // libvips keeps one error text for all threads. Whoever wants to know its words is alone with it.
    private static readonly ReaderWriterLockSlim ErrorText = new();

    // Held here because native code keeps only a pointer to it.
    private static readonly Log.LogDelegate Listener = Listen;

    [ThreadStatic]
    private static string? warning;

    static ImageLibrary()
    {
        if (!ModuleInitializer.VipsInitialized)
            return; // who reads a picture is told (NativeLibraries)
        NetVips.NetVips.Concurrency = 1; // pictures are decoded side by side, not rows
        Cache.Max = 0; // no picture is decoded twice
        Log.SetLogHandler("VIPS", Enums.LogLevelFlags.Warning, Listener); // broken pictures are reported by our own words
    }

    /// <summary>Does nothing by itself: the first call runs the static constructor.</summary>
    public static void Prepare() { }

    /// <summary>Held while pictures are read.</summary>
    /// <exception cref="LitException">libvips is not at hand.</exception>
    public static Reader Reading()
    {
        NativeLibraries.RequireVips();
        ErrorText.EnterReadLock();
        warning = null;
        return default;
    }

    /// <summary>Not null where libjpeg has warned of a JPEG that this thread has read and closed; the words may be another's.</summary>
    public static string? TakeWarning() => warning;

    /// <summary>libjpeg's first warning of one picture; null where it gives none. Nothing else is read meanwhile.</summary>
    /// <param name="read">Reads and closes it, without <see cref="Reading"/>.</param>
    public static string? WarningOf(Action read)
    {
        ErrorText.EnterWriteLock();
        try
        {
            try
            {
                Image.JpegloadBuffer([0]).Dispose();
            }
            catch (VipsException)
            {
                // Others' words are cleared with it.
            }
            warning = null;
            read();
            return warning;
        }
        finally
        {
            ErrorText.ExitWriteLock();
        }
    }

    // When a JPEG is closed, on the thread that closes it: "read gave 2 warnings", then the error text.
    private static void Listen(string domain, Enums.LogLevelFlags level, string message) =>
        warning = $"{warning}{message}\n";

    /// <summary>Ends with the reading.</summary>
    internal readonly ref struct Reader
    {
        /// <summary>Lets others read the error text.</summary>
        public void Dispose() => ErrorText.ExitReadLock();
    }
}

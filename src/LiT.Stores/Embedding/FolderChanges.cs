using System.Diagnostics;

namespace LiT.Embedding;

/// <summary>
/// Waits until something changes in a folder. What does not tell is looked at now and then in any case.
/// </summary>
internal sealed class FolderChanges : IDisposable
{
    private static readonly TimeSpan LookFor = TimeSpan.FromSeconds(1);
    private readonly string folder;
    private readonly AutoResetEvent changed = new(false);
    private FileSystemWatcher? watcher;
    private bool there; // when it was last looked for; it may go before anybody waits

    /// <param name="folder">A folder, or a file; it may come and go.</param>
    public FolderChanges(string folder)
    {
        this.folder = folder;
        Follow();
    }

    /// <summary>Waits for a change, and then until nothing has changed for a while.</summary>
    /// <param name="settle">How long nothing must have changed.</param>
    /// <param name="longest">However much changes, it is no longer than that.</param>
    /// <param name="every">Comes back after so long without any change.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public void Wait(TimeSpan settle, TimeSpan longest, TimeSpan every, CancellationToken cancel)
    {
        WaitHandle[] either = [changed, cancel.WaitHandle];
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < every && Path.Exists(folder) == there)
            if (WaitHandle.WaitAny(either, LookFor) is 0 or 1)
                break;
        cancel.ThrowIfCancellationRequested();
        if (watcher is null || Path.Exists(folder) != there)
            Follow();
        clock.Restart();
        while (clock.Elapsed < longest && WaitHandle.WaitAny(either, settle) != WaitHandle.WaitTimeout)
            cancel.ThrowIfCancellationRequested();
    }

    public void Dispose()
    {
        watcher?.Dispose();
        changed.Dispose();
    }

    private void Follow()
    {
        watcher?.Dispose();
        watcher = null;
        there = Path.Exists(folder);
        if (!Directory.Exists(folder))
            return; // a file, or nothing: only looked at
        try
        {
            watcher = new(folder) { IncludeSubdirectories = true, InternalBufferSize = 1 << 16 };
            watcher.Changed += Changed;
            watcher.Created += Changed;
            watcher.Deleted += Changed;
            watcher.Renamed += Changed;
            watcher.Error += Changed; // too much changed to be told one by one
            watcher.EnableRaisingEvents = true;
        }
        catch (Exception trouble) when (trouble is IOException or ArgumentException)
        {
            watcher?.Dispose();
            watcher = null; // this system watches no more folders
        }
    }

    private void Changed(object sender, EventArgs what)
    {
        try
        {
            changed.Set();
        }
        catch (ObjectDisposedException)
        {
            // It came while this was closed.
        }
    }
}

using LiT.Data;
using LiT.Files;

namespace LiT.Curation;

/// <summary>An archive under a temporary name until it is whole.</summary>
internal sealed class PendingTar
{
    private readonly string path,
        temporary;
    private readonly FileStream file;
    private readonly SampleTar tar;

    /// <exception cref="LitException">The place cannot be written to.</exception>
    public PendingTar(string path)
    {
        this.path = path;
        temporary = Path.Combine(
            Path.GetDirectoryName(path)!,
            $".{Path.GetFileName(path)}.tmp-{Guid.NewGuid().ToString("N")[..12]}"
        );
        try
        {
            file = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(path, trouble);
        }
        tar = new(file);
    }

    /// <exception cref="LitException">The disk is full.</exception>
    public void Add(string name, Sample sample, byte[] image) => Guarded(() => tar.Add(name, sample, image));

    /// <summary>The archive takes its name.</summary>
    /// <exception cref="LitException">The disk is full.</exception>
    public void Finish() =>
        Guarded(() =>
        {
            tar.Dispose();
            file.Flush(flushToDisk: true);
            file.Dispose();
            File.Move(temporary, path, overwrite: true);
        });

    /// <summary>The archive is given up.</summary>
    public void Abandon()
    {
        // On a full disk the last bytes cannot be written, and need not be.
        foreach (var step in new Action[] { file.Dispose, () => File.Delete(temporary) })
        {
            try
            {
                step();
            }
            catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
            {
                // The next run clears it away.
            }
        }
    }

    private void Guarded(Action write)
    {
        try
        {
            write();
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Explained(path, trouble);
        }
    }
}

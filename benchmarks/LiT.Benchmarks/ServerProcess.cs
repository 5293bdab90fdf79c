using System.Diagnostics;

namespace LiT.Benchmarks;

/// <summary>`lit serve` as a process of its own, so that its memory is not that of who measures.</summary>
internal sealed class ServerProcess : IDisposable
{
    private readonly Process process;

    private ServerProcess(Process process, Uri address) => (this.process, Address) = (process, address);

    public Uri Address { get; }

    /// <summary>Bytes that the server holds for itself: a store's mapped rows are not among them.</summary>
    public long Memory => PeakMemory.OwnOf(process.Id);

    /// <exception cref="LitException">The program was not built, or it did not start.</exception>
    public static async Task<ServerProcess> StartAsync(string model, string store)
    {
        // artifacts/bin/LiT.Benchmarks/<configuration>/ → artifacts/bin/LiT.Cli/<configuration>/lit
        DirectoryInfo here = new(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var program = Path.Combine(here.Parent!.Parent!.FullName, "LiT.Cli", here.Name, "lit");
        if (!File.Exists(program))
            throw new LitException(program, "is not there", "Build the whole solution first");
        ProcessStartInfo start = new(program, ["serve", "--model", model, "--data", store, "--port", "0"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["NO_COLOR"] = "1";
        var process = Process.Start(start)!;
        TaskCompletionSource<Uri> listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
        void Hear(object sender, DataReceivedEventArgs heard)
        {
            if (heard.Data?.IndexOf("http://", StringComparison.Ordinal) is >= 0 and var at)
                listens.TrySetResult(new(heard.Data[at..].Trim()));
        }
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.Exited += (_, _) =>
            listens.TrySetException(new LitException(model, "the server ended", "Try `lit serve`"));
        process.EnableRaisingEvents = true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new(process, await listens.Task.ConfigureAwait(false));
    }

    public void Dispose()
    {
        if (!process.HasExited)
            process.Kill();
        process.WaitForExit();
        process.Dispose();
    }
}

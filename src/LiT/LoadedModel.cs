using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace LiT;

/// <summary>
/// The application's one model: loaded once, by whoever asks first; after a failure the next one tries again.
/// </summary>
internal sealed class LoadedModel(IOptions<LitOptions> options, ILoggerFactory? loggers = null)
    : IHealthCheck,
        IDisposable
{
    private readonly Lock gate = new();
    private Task<LitModel>? loading;
    private bool disposed;

    /// <summary>The model, for a container, which cannot wait without holding a thread.</summary>
    public LitModel Model() => LoadAsync().GetAwaiter().GetResult();

    public Classifier Classifier()
    {
        var (labels, how) = (options.Value.Labels, options.Value.Classifier);
        return labels.Count > 0
            ? Model().ClassifierAsync(labels, how).GetAwaiter().GetResult()
            : throw new LitException("LitOptions.Labels is empty. Name the labels, or make a classifier of the model.");
    }

    public Task<LitModel> LoadAsync()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            if (loading is null or { IsFaulted: true } or { IsCanceled: true })
            {
                var chosen = options.Value;
                LitSession session = new()
                {
                    Device = chosen.Device,
                    Type = chosen.Type,
                    Threads = chosen.Threads,
                    Language = chosen.Language,
                    Logger = loggers?.CreateLogger("LiT") ?? LitSession.Default.Logger,
                };
                loading = LitModel.LoadAsync(chosen.Model, session);
            }
            return loading;
        }
    }

    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    )
    {
        Task<LitModel>? now;
        lock (gate)
            now = loading;
        HealthCheckResult Bad(string why, Exception? reason = null) =>
            new(context.Registration.FailureStatus, why, reason);
        return Task.FromResult(
            now switch
            {
                null => Bad("No model is loaded yet."),
                { IsCompletedSuccessfully: true } => now.Result.IsDisposed
                    ? Bad("The model was disposed.")
                    : HealthCheckResult.Healthy($"{now.Result.Name} is loaded."),
                { IsFaulted: true } => Bad(now.Exception!.InnerException!.Message, now.Exception.InnerException),
                _ => Bad("The model is being loaded."),
            }
        );
    }

    /// <summary>
    /// Frees a model that was loaded at the start and that nobody asked for; the container knows of no such one. One
    /// that is still being loaded goes as soon as it is there.
    /// </summary>
    public void Dispose()
    {
        Task<LitModel>? last;
        lock (gate)
        {
            disposed = true;
            last = loading;
        }
        last?.ContinueWith(
            loaded => loaded.Result.Dispose(),
            CancellationToken.None,
            TaskContinuationOptions.OnlyOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }
}

/// <summary>Loads the model when the host starts.</summary>
internal sealed class LoadModelAtStart(LoadedModel model, IOptions<LitOptions> options) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) =>
        options.Value.LoadAtStart ? model.LoadAsync().WaitAsync(cancellationToken) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

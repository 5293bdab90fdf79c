using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace LiT.Server.Api;

/// <summary>
/// Whether requests should come here: not while the server stops; a store or a model that lags behind its folder is
/// told.
/// </summary>
internal sealed class Readiness(Served served, IHostApplicationLifetime life) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        Task.FromResult(
            life.ApplicationStopping.IsCancellationRequested
                ? HealthCheckResult.Unhealthy("The server is being stopped.")
            : served.Stores.FirstOrDefault(store => store.Trouble is not null) is { } lagging
                ? HealthCheckResult.Degraded($"{lagging.Name} is served as it was: {lagging.Trouble}")
            : served.Model.Trouble is { } trouble
                ? HealthCheckResult.Degraded($"{served.Model.Title} is served as it was: {trouble}")
            : HealthCheckResult.Healthy()
        );
}

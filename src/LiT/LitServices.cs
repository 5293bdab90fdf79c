using LiT;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>LiT among an application's services.</summary>
public static class LitServices
{
    /// <summary>The health check's name: healthy once the model is loaded.</summary>
    public const string HealthCheckName = "lit";

    /// <summary>
    /// Adds one model: <see cref="LitModel"/>, its generators <c>IEmbeddingGenerator&lt;string,
    /// Embedding&lt;float&gt;&gt;</c> and <c>IEmbeddingGenerator&lt;DataContent, Embedding&lt;float&gt;&gt;</c>, a
    /// <see cref="Classifier"/> where <see cref="LitOptions.Labels"/> has some, and a health check. All are singletons
    /// and safe for concurrent requests; the container disposes of the model.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="model">A bundle's folder or a published name: see <see cref="LitModel.LoadAsync"/>.</param>
    /// <param name="configure">Further settings.</param>
    public static IServiceCollection AddLiT(
        this IServiceCollection services,
        string model,
        Action<LitOptions>? configure = null
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(model);
        return services.AddLiT(options =>
        {
            options.Model = model;
            configure?.Invoke(options);
        });
    }

    /// <inheritdoc cref="AddLiT(IServiceCollection, string, Action{LitOptions}?)"/>
    public static IServiceCollection AddLiT(this IServiceCollection services, Action<LitOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services
            .AddOptions<LitOptions>()
            .Configure(options => configure?.Invoke(options))
            .Validate(options => !string.IsNullOrWhiteSpace(options.Model), "LitOptions.Model is empty: name a model.");
        services.TryAddSingleton<LoadedModel>();
        services.TryAddSingleton(provider => provider.GetRequiredService<LoadedModel>().Model());
        services.TryAddSingleton(provider => provider.GetRequiredService<LitModel>().Texts);
        services.TryAddSingleton(provider => provider.GetRequiredService<LitModel>().Images);
        services.TryAddSingleton(provider => provider.GetRequiredService<LoadedModel>().Classifier());
        services.AddHostedService<LoadModelAtStart>();
        services.AddHealthChecks();
        services.Configure<HealthCheckServiceOptions>(options =>
        {
            if (options.Registrations.All(one => one.Name != HealthCheckName))
                options.Registrations.Add(
                    new(HealthCheckName, provider => provider.GetRequiredService<LoadedModel>(), null, ["ready"])
                );
        });
        return services;
    }
}

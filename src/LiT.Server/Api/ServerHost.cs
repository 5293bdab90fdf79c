using System.Globalization;
using System.Net;
using System.Threading.RateLimiting;
using LiT.Server.Page;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace LiT.Server.Api;

/// <summary>
/// Puts the platform's pieces together: what stands before a request is answered, and how much comes in.
/// </summary>
internal static class ServerHost
{
    private const string Cors = "others";
    private const int LargeAtOnce = 8;
    private const long Large = 1 << 20;
    private const double BytesPerSecond = 240;
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(30),
        Retry = TimeSpan.FromSeconds(1);

    private static string Version => typeof(ServerHost).Assembly.GetName().Version!.ToString(3);

    public static WebApplication Build(ServerSettings settings)
    {
        // Nothing is taken from files or variables that happen to be around.
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = Measures.Name });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Listen(kestrel, settings));
        AddBounds(builder.Services, settings);
        AddTimeAndHosts(builder.Services, settings);
        AddTelemetry(builder.Services, builder.Logging, settings);
        builder.Services.AddSingleton(settings).AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Drain);
        builder.Services.AddSingleton<ServedHolder>().AddSingleton<Measures>().AddSingleton<UrlPictures>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(services => services.GetRequiredService<ServedHolder>().Served!);
        builder.Services.AddSingleton<PictureInputs>().AddSingleton<Searching>().AddSingleton<Classifying>();
        builder.Services.AddRouting().AddProblemDetails().AddExceptionHandler<Problems>().AddSingleton<Problems>();
        builder.Services.ConfigureHttpJsonOptions(options => Body.Configure(options.SerializerOptions));
        builder.Services.Configure<RouteHandlerOptions>(options => options.ThrowOnBadRequest = true);
        builder.Services.AddHealthChecks().AddCheck<Readiness>("ready");
        builder.Services.AddOpenApi("v1", ApiDocument.Describe);
        builder.Services.AddCors(options =>
            options.AddPolicy(Cors, policy =>
                policy.WithOrigins([.. settings.CorsOrigins]).AllowAnyHeader().WithMethods("GET", "POST")
            )
        );
        builder
            .Services.AddMcpServer(options => options.ServerInfo = new() { Name = "LiT", Version = Version })
            .WithHttpTransport(options => options.Stateless = true)
            .WithTools<LitTools>();
        var app = builder.Build();
        Guard(app, settings);
        Routes.Map(app);
        ClipRetrieval.Map(app);
        app.MapMcp("/mcp").RequireRateLimiting(Routes.Worked);
        PageFiles.Map(app);
        app.MapOpenApi("/openapi/{documentName}.json");
        app.MapPrometheusScrapingEndpoint("/metrics");
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false });
        app.MapHealthChecks("/health/ready");
        return app;
    }

    /// <summary>Whether a body is large, or does not say how large it is.</summary>
    private static bool IsLarge(HttpRequest request) =>
        request.ContentLength > Large || (request.ContentLength is null && request.Headers.TransferEncoding.Count > 0);

    /// <summary>Where the host listens.</summary>
    public static string AddressOf(this IServiceProvider services) =>
        services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    private static void Listen(
        Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions kestrel,
        ServerSettings settings
    )
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = (long)settings.MaxBody << 20;
        kestrel.Limits.MaxConcurrentConnections = settings.Connections;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
        kestrel.Limits.MinRequestBodyDataRate = new(BytesPerSecond, settings.BodyGrace);
        kestrel.Limits.MaxRequestLineSize = 64 << 10; // a query in an address
        var address = settings.Host switch
        {
            "localhost" => IPAddress.Loopback,
            "*" => IPAddress.IPv6Any,
            var host => IPAddress.Parse(host),
        };
        kestrel.Listen(address, settings.Port);
    }

    private static void AddBounds(IServiceCollection services, ServerSettings settings)
    {
        services.AddRateLimiter(options =>
        {
            options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            options.AddConcurrencyLimiter(Routes.Worked, limit =>
            {
                (limit.PermitLimit, limit.QueueLimit) = (settings.AtOnce, settings.Queue);
                limit.QueueProcessingOrder = QueueProcessingOrder.OldestFirst;
            });
            // Of large bodies fewer are in memory at once than of the others.
            options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, bool>(context =>
                IsLarge(context.Request)
                    ? RateLimitPartition.GetConcurrencyLimiter(true, _ =>
                        new() { PermitLimit = LargeAtOnce, QueueLimit = settings.Queue }
                    )
                    : RateLimitPartition.GetNoLimiter(false)
            );
            options.OnRejected = async (rejected, _) =>
            {
                var context = rejected.HttpContext;
                context.Response.Headers.RetryAfter = Retry.TotalSeconds.ToString(CultureInfo.InvariantCulture);
                await Problems
                    .WriteAsync(
                        context,
                        context.RequestServices.GetRequiredService<IProblemDetailsService>(),
                        StatusCodes.Status429TooManyRequests,
                        "As many requests are being worked on, or wait, as there may be. Ask again later."
                    )
                    .ConfigureAwait(false);
            };
        });
    }

    private static void AddTimeAndHosts(IServiceCollection services, ServerSettings settings)
    {
        services.AddRequestTimeouts(options =>
            options.DefaultPolicy = new RequestTimeoutPolicy
            {
                Timeout = TimeSpan.FromSeconds(settings.Timeout),
                TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable,
                WriteTimeoutResponse = context =>
                    Problems
                        .WriteAsync(
                            context,
                            context.RequestServices.GetRequiredService<IProblemDetailsService>(),
                            StatusCodes.Status503ServiceUnavailable,
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"It took longer than {settings.Timeout} seconds. Ask for less, or later."
                            )
                        )
                        .AsTask(),
            }
        );
        // A page of another site that has its own name lead to this machine would be let in by its address alone.
        services.Configure<HostFilteringOptions>(options =>
        {
            options.AllowedHosts = settings.IsLoopback ? ["localhost", "127.0.0.1", "[::1]", settings.Host] : ["*"];
            options.IncludeFailureMessage = false;
        });
    }

    private static void AddTelemetry(IServiceCollection services, ILoggingBuilder logging, ServerSettings settings)
    {
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.TimestampFormat = "HH:mm:ss ";
            console.UseUtcTimestamp = true;
        });
        logging.Services.Configure<ConsoleLoggerOptions>(options =>
            options.LogToStandardErrorThreshold = LogLevel.Trace
        );
        // The platform's own lines hold whole addresses, and so what people look for.
        logging.SetMinimumLevel(settings.LogFrom);
        logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("System", LogLevel.Warning);
        // What these tell of is told once, by Problems or by whoever started the server, and without anybody's words.
        foreach (
            var told in new[]
            {
                "Microsoft.AspNetCore.Diagnostics",
                "Microsoft.AspNetCore.Http.Timeouts",
                "Microsoft.Extensions.Hosting",
                "ModelContextProtocol",
            }
        )
            logging.AddFilter(told, LogLevel.None);
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Critical);
        var telemetry = services
            .AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService("lit-serve"))
            .WithMetrics(metrics =>
                metrics
                    .AddMeter(Measures.Name, "System.Runtime")
                    .AddAspNetCoreInstrumentation()
                    .AddView(
                        "lit.batch.size",
                        new ExplicitBucketHistogramConfiguration { Boundaries = [1, 2, 4, 8, 16, 32, 64] }
                    )
                    .AddPrometheusExporter()
            )
            .WithTracing(traces => traces.AddSource(Measures.Name).AddAspNetCoreInstrumentation());
        if (Environment.GetEnvironmentVariable("OTEL_EXPORTER_OTLP_ENDPOINT") is { Length: > 0 })
            telemetry.UseOtlpExporter();
    }

    private static void Guard(WebApplication app, ServerSettings settings)
    {
        app.Use(Answering.Told);
        app.Use(Answering.WithHeaders);
        app.UseExceptionHandler();
        app.UseStatusCodePages(page =>
            Problems
                .WriteAsync(
                    page.HttpContext,
                    page.HttpContext.RequestServices.GetRequiredService<IProblemDetailsService>(),
                    page.HttpContext.Response.StatusCode,
                    Problems.InWords(page.HttpContext)
                )
                .AsTask()
        );
        app.UseHostFiltering();
        app.Use(Answering.ThatCanBeRead);
        app.UseRouting();
        if (settings.CorsOrigins.Count > 0)
            app.UseCors(Cors);
        if (settings.ApiKey is { } key)
            app.Use(Answering.Guarded(new(key)));
        app.UseRateLimiter();
        app.UseRequestTimeouts();
    }

    /// <summary>Who starts the server stops it: signals are the command line's affair.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

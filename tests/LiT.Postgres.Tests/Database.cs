using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LiT.Tests;

namespace LiT.Postgres.Tests;

/// <summary>
/// A PostgreSQL with pgvector that lives as long as the tests: the one that LIT_TEST_POSTGRES names (an address), or
/// PGlite where node is there and <c>tests/postgres.sh</c> has put it into artifacts.
/// </summary>
public sealed class Database : IAsyncLifetime
{
    private Process? server;
    private string? address;

    /// <summary>Why there is none; null where there is one.</summary>
    public string? Missing { get; private set; }

    /// <summary>Where PGlite is.</summary>
    public static string Folder => Path.Combine(Root.Folder, "artifacts", "pglite");

    public static bool HasPglite => Directory.Exists(Path.Combine(Folder, "node_modules", "@electric-sql", "pglite"));

    /// <summary>The address of a table, with more settings of the connection where some are given.</summary>
    internal PostgresAddress Table(string name, string settings = "")
    {
        if (Missing is { } missing)
            Assert.Skip(missing);
        return PostgresAddress.Parse($"{address}{(address!.Contains('?') ? '&' : '?')}table={name}&{settings}");
    }

    public async ValueTask InitializeAsync()
    {
        address = Environment.GetEnvironmentVariable("LIT_TEST_POSTGRES");
        if (address is { Length: > 0 })
            return;
        if (!HasPglite)
        {
            Missing =
                "There is no PostgreSQL with pgvector: run tests/postgres.sh once (it needs node), or name one in "
                + "LIT_TEST_POSTGRES.";
            return;
        }
        var port = FreePort();
        server = Start("serve", $"{port}");
        if (await server.StandardOutput.ReadLineAsync() is not "ready")
            throw new InvalidOperationException(await server.StandardError.ReadToEndAsync());
        address =
            $"postgres://postgres:secret@127.0.0.1:{port}/postgres"
            + "?sslmode=disable&server%20compatibility%20mode=NoTypeLoading&maximum%20pool%20size=1&copy=no";
    }

    public async ValueTask DisposeAsync()
    {
        if (server is null)
            return;
        server.StandardInput.Close();
        using CancellationTokenSource late = new(TimeSpan.FromSeconds(10));
        try
        {
            await server.WaitForExitAsync(late.Token);
        }
        catch (OperationCanceledException)
        {
            server.Kill();
        }
        server.Dispose();
    }

    /// <summary>Starts PGlite; its script has to lie beside its modules.</summary>
    public static Process Start(params string[] arguments)
    {
        var script = Path.Combine(Folder, $"pglite-{Environment.ProcessId}.mjs");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "pglite.mjs"), script, overwrite: true);
        return Process.Start(
            new ProcessStartInfo("node", [script, .. arguments])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

using System.CommandLine;
using LiT.Server;

namespace LiT.Cli.Commands;

/// <summary>lit serve: a model and stores behind HTTP, with a page.</summary>
internal sealed class ServeCommand
{
    private const string KeyVariable = "LIT_API_KEY";

    private readonly Option<string> model = new("--model")
    {
        Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).",
        Required = true,
    };
    private readonly Option<string[]> data = new("--data")
    {
        Description = "A store that 'lit embed' wrote. May be given several times; the first is asked by itself.",
        Required = true,
    };
    private readonly Option<string[]> pictures = new("--pictures")
    {
        Description = "Where the pictures of the store are, one for each --data; by default where it says.",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string> host = new("--host")
    {
        Description = "The address to listen at; 0.0.0.0 for all of this machine's.",
        DefaultValueFactory = _ => "127.0.0.1",
    };
    private readonly Option<int> port = new("--port")
    {
        Description = "The port; 0 takes a free one.",
        DefaultValueFactory = _ => 8080,
    };
    private readonly Option<string?> key = new("--api-key")
    {
        Description =
            $"A key that every request has to show; also {KeyVariable}, which nobody sees in a list of " + "processes.",
    };
    private readonly Option<bool> open = new("--open")
    {
        Description = "Serve whoever reaches the address, without a key.",
    };
    private readonly Option<bool> urls = new("--allow-url-images")
    {
        Description = "Fetch pictures that requests name by address, from public addresses only.",
    };
    private readonly Option<string[]> cors = new("--cors-origin")
    {
        Description = "Another site whose pages may ask, such as https://example.org. May be given several times.",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<bool> words = new("--log-words") { Description = "Let the log hold what people look for." };
    private readonly Option<bool> check = new("--check")
    {
        Description = "Load all of it, listen for a moment, and say where, to know that it would start.",
    };
    private readonly Option<int> body = CommonOptions.Usually("--max-body", "MiB of a request at most.", 32);
    private readonly Option<int> megapixels = CommonOptions.Usually(
        "--max-megapixels",
        "Larger pictures are refused.",
        100
    );
    private readonly Option<int> atOnce = CommonOptions.Usually(
        "--at-once",
        "Requests that are worked on at once.",
        64
    );
    private readonly Option<int> queue = CommonOptions.Usually("--queue", "Requests that wait beyond those.", 256);
    private readonly Option<double> timeout = new("--timeout")
    {
        Description = "Seconds for a request at most.",
        DefaultValueFactory = _ => 60,
    };

    public static Command Build()
    {
        ServeCommand serve = new();
        Command command = new("serve", "Answer searches and show a page, over HTTP, until it is stopped.")
        {
            serve.model,
            serve.data,
            serve.pictures,
            serve.host,
            serve.port,
            serve.key,
            serve.open,
            serve.urls,
            serve.cors,
            serve.words,
            serve.check,
            serve.body,
            serve.megapixels,
            serve.atOnce,
            serve.queue,
            serve.timeout,
        };
        command.Does(serve.DoAsync);
        return command;
    }

    private async Task<int> DoAsync(Asked parsed, CancellationToken cancel)
    {
        ServerSettings settings = new()
        {
            Model = parsed.GetRequiredValue(model),
            Data = parsed.GetRequiredValue(data),
            Pictures = parsed.GetValue(pictures)!,
            Host = parsed.GetValue(host)!,
            Port = parsed.GetValue(port),
            ApiKey = parsed.GetValue(key) ?? Environment.GetEnvironmentVariable(KeyVariable),
            Open = parsed.GetValue(open),
            AllowUrlImages = parsed.GetValue(urls),
            CorsOrigins = parsed.GetValue(cors)!,
            LogWords = parsed.GetValue(words),
            MaxBody = parsed.GetValue(body),
            MaxMegapixels = parsed.GetValue(megapixels),
            AtOnce = parsed.GetValue(atOnce),
            Queue = parsed.GetValue(queue),
            Timeout = parsed.GetValue(timeout),
            Session = CommonOptions.SessionOf(parsed),
            Wording = Wording.Of,
        };
        return await ServeAsync(settings, address => Announce(parsed, address), cancel, parsed.GetValue(check));
    }

    private static void Announce(Asked parsed, string address)
    {
        if (CommonOptions.IsJson(parsed))
            Terminal.Write(new { Address = address });
        else
            Terminal.Line(address);
    }

    /// <summary>Serves until it is stopped.</summary>
    /// <param name="settings">What, and to whom.</param>
    /// <param name="announce">Is told the address when requests are answered there.</param>
    /// <param name="cancel">Lets requests under way end, and ends.</param>
    /// <param name="startOnly">Ends as soon as it would serve.</param>
    internal static async Task<int> ServeAsync(
        ServerSettings settings,
        Action<string> announce,
        CancellationToken cancel,
        bool startOnly = false
    )
    {
        await using var server = await LitServer.StartAsync(settings, cancel);
        announce(server.Address.ToString().TrimEnd('/'));
        if (startOnly)
            return ExitCode.Done;
        Terminal.Say("serving until Ctrl-C");
        try
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }
        catch (OperationCanceledException)
        {
            Terminal.Say("letting requests under way end");
        }
        return ExitCode.Done;
    }
}

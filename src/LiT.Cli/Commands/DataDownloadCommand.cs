using System.CommandLine;
using LiT.Downloads;

namespace LiT.Cli.Commands;

/// <summary>lit data download: pictures behind a list of addresses.</summary>
internal static class DataDownloadCommand
{
    public static Command Build()
    {
        DownloadOptions usual = new();
        Argument<string> list = new("list")
        {
            Description =
                "List of addresses and captions: .tsv (CC3M and CC12M as they are), .csv, .jsonl, "
                + ".parquet, or metadata rows of YFCC100M.",
        };
        Option<string> folder = new("--out")
        {
            Description = "New folder for the shards; run again, an interrupted download is continued.",
            Required = true,
        };
        Option<string?> urlColumn = new("--url-column")
        {
            Description = "Column with the address, by name or number from 1.",
        };
        Option<string[]> captionColumn = new("--caption-column")
        {
            Description = "Column with a caption, by name or number from 1. May be given several times.",
        };
        Option<string?> onlyIds = new("--only-ids")
        {
            Description =
                "Of YFCC100M only the photos whose ids this file lists, such as CLIP's yfcc100m_subset_data.tsv.",
        };
        Option<int> rowsPerShard = new("--rows-per-shard")
        {
            Description = "Rows of the list in a shard; an interrupted run loses at most the shards under way.",
            DefaultValueFactory = _ => usual.RowsPerShard,
        };
        Option<int> concurrency = new("--concurrency")
        {
            Description = "Pictures fetched at once.",
            DefaultValueFactory = _ => usual.Concurrency,
        };
        Option<int> perHost = new("--per-host")
        {
            Description = "Pictures fetched at once from one host.",
            DefaultValueFactory = _ => usual.PerHost,
        };
        Option<int> hostDelay = new("--host-delay")
        {
            Description = "Least milliseconds between two requests to one host.",
            DefaultValueFactory = _ => (int)usual.HostDelay.TotalMilliseconds,
        };
        Option<int> retries = new("--retries")
        {
            Description = "New attempts after trouble that may pass.",
            DefaultValueFactory = _ => usual.Retries,
        };
        Option<double> longestWait = new("--longest-wait")
        {
            Description =
                "Seconds that a host's rows wait where it asks for that (Retry-After); rows of one that asks "
                + "for more are given up without asking.",
            DefaultValueFactory = _ => usual.LongestWait.TotalSeconds,
        };
        Option<double> timeout = new("--timeout")
        {
            Description = "Seconds for one attempt.",
            DefaultValueFactory = _ => usual.Timeout.TotalSeconds,
        };
        Option<double> maxMegabytes = new("--max-megabytes")
        {
            Description = "Longest file.",
            DefaultValueFactory = _ => usual.MaxBytes / (double)(1 << 20),
        };
        Option<int> resize = new("--resize")
        {
            Description =
                "Scale the shorter side down to this many pixels. Default: pictures stay as they are, to the byte.",
        };
        Option<int> maxSide = new("--max-side") { Description = "Scale the longer side down to this many pixels." };
        Option<int> minSide = new("--min-side") { Description = "Do not take pictures whose shorter side is shorter." };
        Option<bool> retryFailed = new("--retry-failed")
        {
            Description = "Ask again for every row whose verdict was not ok; pictures that came stay.",
        };
        Option<string> userAgent = new("--user-agent")
        {
            Description = "What the program calls itself to servers.",
            DefaultValueFactory = _ => usual.UserAgent,
        };
        Command command = new(
            "download",
            "Fetch the pictures of a list of addresses into WebDataset shards, with a verdict for each."
        )
        {
            list,
            folder,
            urlColumn,
            captionColumn,
            onlyIds,
            rowsPerShard,
            concurrency,
            perHost,
            hostDelay,
            retries,
            longestWait,
            timeout,
            maxMegabytes,
            resize,
            maxSide,
            minSide,
            retryFailed,
            userAgent,
        };
        Limits.Positive(rowsPerShard, concurrency, perHost, resize, maxSide, minSide);
        foreach (Option option in new Option[] { hostDelay, retries, longestWait, timeout, maxMegabytes })
            Limits.Numbers(option, value => value is >= 0 and < 1e6, "a number from 0 to a million");
        command.Does(
            async (parsed, cancel) =>
            {
                var limit = TimeSpan.FromSeconds(Math.Max(parsed.GetValue(timeout), 0.1));
                DownloadOptions options = usual with
                {
                    RowsPerShard = Math.Min(parsed.GetValue(rowsPerShard), 100_000),
                    Concurrency = parsed.GetValue(concurrency),
                    PerHost = parsed.GetValue(perHost),
                    HostDelay = TimeSpan.FromMilliseconds(parsed.GetValue(hostDelay)),
                    Retries = parsed.GetValue(retries),
                    LongestWait = TimeSpan.FromSeconds(parsed.GetValue(longestWait)),
                    Timeout = limit,
                    StallTimeout = limit < usual.StallTimeout ? limit : usual.StallTimeout,
                    MaxBytes = (long)(parsed.GetValue(maxMegabytes) * (1 << 20)),
                    Resize = parsed.GetValue(resize),
                    MaxSide = parsed.GetValue(maxSide),
                    MinSide = parsed.GetValue(minSide),
                    RetryFailed = parsed.GetValue(retryFailed),
                    UserAgent = Agent(parsed.GetValue(userAgent)!),
                };
                UrlListOptions columns = new()
                {
                    UrlColumn = parsed.GetValue(urlColumn),
                    CaptionColumns = parsed.GetValue(captionColumn) ?? [],
                    OnlyIds = parsed.GetValue(onlyIds),
                };
                var output = parsed.GetRequiredValue(folder);
                DownloadResult result;
                using (ProgressLine progress = new())
                    result = await DownloadRun.RunAsync(
                        parsed.GetRequiredValue(list),
                        output,
                        columns,
                        options,
                        progress,
                        cancel,
                        Terminal.Say
                    );
                if (result.WasComplete)
                    Terminal.Say(
                        $"{output} is complete already; nothing was fetched "
                            + "again."
                            + (result.Downloaded < result.Rows ? " --retry-failed asks for what failed once more." : "")
                    );
                if (CommonOptions.IsJson(parsed))
                {
                    Terminal.Write(
                        new
                        {
                            Out = output,
                            result.Rows,
                            result.Downloaded,
                            Failed = result.Rows - result.Downloaded,
                            result.Bytes,
                            result.Shards,
                            result.TriedAgain,
                            Verdicts = result.Verdicts.ToDictionary(v => v.Name, v => v.Count),
                            result.Seconds,
                        }
                    );
                    return ExitCode.Done;
                }
                Terminal.Table(
                    ["verdict", "rows"],
                    result.Verdicts.Select(verdict => new[] { verdict.Name, $"{verdict.Count}" })
                );
                Terminal.Line(
                    $"{output}: {result.Downloaded} pictures of {result.Rows} rows in {result.Shards} "
                        + $"shards{(result.TriedAgain > 0 ? $", {result.TriedAgain} rows tried again" : "")}; the "
                        + ".jsonl beside each shard has a verdict for every row."
                );
                return ExitCode.Done;
            }
        );
        return command;
    }

    private static string Agent(string given)
    {
        using var request = new HttpRequestMessage();
        return request.Headers.UserAgent.TryParseAdd(given)
            ? given
            : throw new UsageException($"--user-agent {given}: is none. Write it as name/1.0 (contact).");
    }
}

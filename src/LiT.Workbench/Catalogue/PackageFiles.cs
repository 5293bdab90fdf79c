using System.Diagnostics;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Security;
using LiT.Files;

namespace LiT.Catalogue;

/// <summary>
/// Brings files out of .NET packages: the <c>dotnet</c> client restores a project that downloads the package and
/// nothing else, from whatever sources this machine and the folders above the target have (nuget.config). An address is
/// <c>pkg:nuget/NAME@VERSION#path/in/the/package</c>, with <c>!NAME</c> behind the path of a library for a resource
/// inside it, which is read as data; no host is known here.
/// </summary>
/// <param name="folder">The folder of the model; the project lies in it while this lives.</param>
/// <param name="say">Told what is asked for.</param>
internal sealed class PackageFiles(string folder, Action<string>? say = null) : IDisposable
{
    /// <summary>What such addresses begin with.</summary>
    public const string Scheme = "pkg";

    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(15);

    private readonly Dictionary<string, string> restored = new(StringComparer.OrdinalIgnoreCase);
    private string? work;

    /// <summary>How the client is started.</summary>
    public string Client { get; init; } = "dotnet";

    /// <param name="url">A file in a package.</param>
    /// <param name="target">Its place.</param>
    /// <param name="published">The hash that is known of it, or null.</param>
    /// <param name="cancel">Ends the client; nothing is left then.</param>
    /// <exception cref="LitException">The package cannot be had, or the file is not in it or another one.</exception>
    public async Task<Downloaded> RunAsync(Uri url, string target, ExpectedHash? published, CancellationToken cancel)
    {
        var (name, version) = Package(url);
        if (!restored.TryGetValue(name, out var package))
            restored[name] = package = await RestoreAsync(name, version, cancel).ConfigureAwait(false);
        var inside = Uri.UnescapeDataString(url.Fragment.TrimStart('#'));
        var (path, resource) = inside.Split('!', 2) is [var library, var named] ? (library, named) : (inside, null);
        var whole = Path.Combine(package, path);
        var file = resource is null || !File.Exists(whole) ? whole : Resource(whole, resource);
        if (file is null || !File.Exists(file))
            throw new LitException($"{name} {version}", $"holds no {inside}", "Run the same command again");
        if (published is not null && published.Of(file) is var got && got != published.Value)
            throw new LitException(
                $"{name} {version}",
                $"its {inside} has the {published.Algorithm} {got}, where {published.Value} is expected",
                "Ask whoever keeps this machine's package sources for the package as it was published"
            );
        var bytes = Linked.Length(file);
        AtomicFile.Write(target, to =>
        {
            using var from = File.OpenRead(file);
            from.CopyTo(to);
        });
        return new(bytes, published);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (work is not null && Directory.Exists(work))
            Directory.Delete(work, recursive: true);
    }

    // A resource of a library, as a file beside it; null where there is none of that name.
    private static string? Resource(string library, string name)
    {
        using PEReader image = new(File.OpenRead(library));
        try
        {
            var metadata = image.GetMetadataReader();
            foreach (var handle in metadata.ManifestResources)
                if (
                    metadata.GetManifestResource(handle) is { Implementation.IsNil: true } found
                    && metadata.StringComparer.Equals(found.Name, name)
                )
                {
                    var all = image.GetSectionData(
                        image.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress
                    );
                    var reader = all.GetReader(checked((int)found.Offset), all.Length - checked((int)found.Offset));
                    var bytes = reader.ReadBytes(reader.ReadInt32());
                    var file = library + "." + Path.GetFileName(name);
                    File.WriteAllBytes(file, bytes);
                    return file;
                }
            return null;
        }
        catch (Exception broken)
            when (broken is BadImageFormatException or OverflowException or InvalidOperationException)
        {
            throw new LitException(
                library,
                "is no whole .NET library",
                "Ask whoever keeps this machine's package sources for the package as it was published",
                broken
            );
        }
    }

    private static (string Name, string Version) Package(Uri url) =>
        url.AbsolutePath.Split('/') is ["nuget", var package] && package.Split('@') is [var name, var version]
            ? (name, version)
            : throw new ArgumentException($"{url} is no file in a package.", nameof(url));

    private async Task<string> RestoreAsync(string name, string version, CancellationToken cancel)
    {
        say?.Invoke($"asking this machine's package sources for {name} {version}, with '{Client} restore'");
        work ??= Path.Combine(folder, $".package-{Environment.ProcessId}");
        Directory.CreateDirectory(work);
        // Empty files keep settings of a folder above away; its nuget.config counts.
        foreach (var empty in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
            await File.WriteAllTextAsync(Path.Combine(work, empty), "<Project />", cancel).ConfigureAwait(false);
        await File.WriteAllTextAsync(Path.Combine(work, "global.json"), "{}", cancel).ConfigureAwait(false);
        var project = Path.Combine(work, "package.csproj");
        await File.WriteAllTextAsync(project, Project(name, version), cancel).ConfigureAwait(false);
        var (code, output) = await ClientAsync(["restore", project, "-nologo"], cancel).ConfigureAwait(false);
        var package = Path.Combine(work, "packages", name.ToLowerInvariant(), version);
        return code == 0 && Directory.Exists(package)
            ? package
            : throw new LitException(
                $"{name} {version}",
                $"the package could not be had from this machine's package sources ({Reason(output)})",
                $"'{Client} nuget list source' names them; run the same command again when they answer"
            );
    }

    private static string Project(string name, string version) =>
        $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <TargetFramework>net$(BundledNETCoreAppTargetFrameworkVersion)</TargetFramework>
                <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
                <RestorePackagesPath>$(MSBuildProjectDirectory)/packages</RestorePackagesPath>
              </PropertyGroup>
              <ItemGroup>
                <PackageDownload Include="{SecurityElement.Escape(name)}" Version="[{SecurityElement.Escape(
                version
            )}]" />
              </ItemGroup>
            </Project>
            """;

    private async Task<(int Code, string Output)> ClientAsync(string[] arguments, CancellationToken cancel)
    {
        ProcessStartInfo start = new(Client, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = work,
        };
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en"; // the reason is found by its English word
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1"; // or a server would stay behind
        start.Environment["NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT"] = "2";
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Longest);
        Process client;
        try
        {
            client = Process.Start(start)!;
        }
        catch (Exception missing) when (missing is System.ComponentModel.Win32Exception or FileNotFoundException)
        {
            throw new LitException(
                Client,
                "the .NET SDK, which gets packages, is not on the PATH",
                "Install it, then run this again",
                missing
            );
        }
        using (client)
            try
            {
                var (output, errors) = (
                    client.StandardOutput.ReadToEndAsync(limit.Token),
                    client.StandardError.ReadToEndAsync(limit.Token)
                );
                await client.WaitForExitAsync(limit.Token).ConfigureAwait(false);
                return (
                    client.ExitCode,
                    await output.ConfigureAwait(false) + "\n" + await errors.ConfigureAwait(false)
                );
            }
            catch (OperationCanceledException)
            {
                client.Kill(entireProcessTree: true);
                await client.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
                cancel.ThrowIfCancellationRequested();
                return (1, $"error: no answer in {Longest.TotalMinutes:0} minutes");
            }
    }

    // "…/package.csproj : error NU1101: Unable to find package …" becomes what stands behind the project.
    private static string Reason(string output)
    {
        var lines = output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var line = lines.FirstOrDefault(line => line.Contains("error", StringComparison.OrdinalIgnoreCase))
            ?? lines.LastOrDefault();
        if (line is null)
            return "it says nothing";
        var at = line.IndexOf("error", StringComparison.OrdinalIgnoreCase);
        line = at < 0 ? line : line[at..];
        return line.Split(" [/", 2)[0].Trim().TrimEnd('.');
    }
}

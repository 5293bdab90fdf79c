using LiT.Bundles;

namespace LiT.Catalogue;

/// <summary>
/// Another place to download from: a base address under which files lie as in the cache (<c>BASE/NAME/FILE</c>), or a
/// pattern with <c>{host}</c> and <c>{path}</c> of the original address, such as <c>https://mirror.example{path}</c>.
/// </summary>
internal sealed class Mirror
{
    private readonly string address;

    /// <exception cref="UsageException">It is no http or https address.</exception>
    public Mirror(string address)
    {
        this.address = address;
        if (
            !Uri.TryCreate(
                address
                    .Replace("{host}", "host", StringComparison.Ordinal)
                    .Replace("{path}", "/path", StringComparison.Ordinal),
                UriKind.Absolute,
                out var uri
            ) || uri.Scheme is not ("http" or "https")
        )
            throw new UsageException(
                $"'{address}' is no mirror. Write http://host/folder, under which NAME/FILE lie, or a pattern such as https://host{{path}}."
            );
    }

    /// <summary>The address of one file of a model.</summary>
    public Uri AddressOf(CataloguedModel model, CataloguedFile file) =>
        address.Contains("{path}", StringComparison.Ordinal)
            ? new(
                address
                    .Replace("{host}", file.Url.Host, StringComparison.Ordinal)
                    .Replace("{path}", file.Url.AbsolutePath, StringComparison.Ordinal)
            )
            : new($"{address.TrimEnd('/')}/{Uri.EscapeDataString(model.Name)}/{Uri.EscapeDataString(file.Name)}");
}

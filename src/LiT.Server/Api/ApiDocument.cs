using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace LiT.Server.Api;

/// <summary>What /openapi/v1.json says beside the routes. It is the same for every server.</summary>
internal static class ApiDocument
{
    public static void Describe(OpenApiOptions options) =>
        options.AddDocumentTransformer(
            (document, _, _) =>
            {
                document.Info = new()
                {
                    Title = "LiT",
                    Version = "v1",
                    Description =
                        "Pictures found by words and by pictures, zero-shot classification, and embeddings. Errors are "
                        + "application/problem+json: 400 could not be read, 422 was read and cannot be answered.",
                };
                document.Servers = [];
                document.Components ??= new();
                document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
                {
                    ["key"] = new OpenApiSecurityScheme
                    {
                        Type = SecuritySchemeType.Http,
                        Scheme = "bearer",
                        Description = "The key that the server was started with; none where it was started without.",
                    },
                };
                return Task.CompletedTask;
            }
        );
}

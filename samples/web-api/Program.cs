// A model behind HTTP:  dotnet run -- --LiT:Model=MODEL --LiT:Labels:0="a cat" --LiT:Labels:1="a dog"
using LiT;
using Microsoft.Extensions.AI;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddLiT();
builder.Services.Configure<LitOptions>(builder.Configuration.GetSection("LiT"));
builder.Services.AddProblemDetails();
var app = builder.Build();
app.UseExceptionHandler();
app.MapHealthChecks("/health");

// curl --data-binary @photo.jpg http://localhost:5000/classify
app.MapPost("/classify", async (HttpRequest request, Classifier classifier, CancellationToken cancel) =>
{
    try
    {
        return Results.Ok(await classifier.ClassifyAsync(request.Body, cancel));
    }
    catch (PictureException broken)
    {
        return Results.Problem(broken.Message, statusCode: StatusCodes.Status422UnprocessableEntity);
    }
});

// curl --json '["a red bicycle"]' http://localhost:5000/embed
app.MapPost(
    "/embed",
    async (string[] texts, IEmbeddingGenerator<string, Embedding<float>> words, CancellationToken cancel) =>
        (await words.GenerateAsync(texts, cancellationToken: cancel)).Select(one => one.Vector)
);
app.Run();

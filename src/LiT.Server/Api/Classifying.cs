using System.Diagnostics;

namespace LiT.Server.Api;

/// <summary>Says which labels fit a picture: what every way of asking comes to.</summary>
internal sealed class Classifying(Served served, PictureInputs pictures)
{
    /// <exception cref="LitException">It cannot be answered; the message says why.</exception>
    public async Task<ClassifyResponse> ClassifyAsync(ClassifyRequest request, CancellationToken cancel)
    {
        if (request.Key is null)
            return await ClassifyAsync(
                    await pictures.ReadAsync("picture", request.Image, request.ImageUrl, cancel).ConfigureAwait(false),
                    request,
                    cancel
                )
                .ConfigureAwait(false);
        if (request.Image is not null || request.ImageUrl is not null)
            throw RefusedException.Unread("key", "there is a picture, too", "Give one of them");
        var store = served.Store(request.Store);
        var picture = await served.PicturesOf(store).ReadAsync(request.Key, cancel).ConfigureAwait(false);
        return await ClassifyAsync(picture.Bytes, request, cancel).ConfigureAwait(false);
    }

    /// <summary>The same for a picture that is at hand.</summary>
    public async Task<ClassifyResponse> ClassifyAsync(
        ReadOnlyMemory<byte> picture,
        ClassifyRequest request,
        CancellationToken cancel
    )
    {
        var clock = Stopwatch.StartNew();
        Bounds.Check("labels", request.Labels, Bounds.Labels);
        Bounds.Check("templates", request.Templates);
        if (request.Labels is not { Count: > 0 } labels)
            throw RefusedException.TooMuch("labels", "there is none", "Give the labels to choose from");
        if (request.Top is <= 0)
            throw RefusedException.TooMuch("top", $"{request.Top}", "Give a positive number of labels");
        return await served
            .Languages.AskAsync(
                request.Language,
                model => ClassifyAsync(model, picture, labels, request, clock, cancel),
                cancel
            )
            .ConfigureAwait(false);
    }

    private static async Task<ClassifyResponse> ClassifyAsync(
        ServedModel model,
        ReadOnlyMemory<byte> picture,
        IReadOnlyList<string> labels,
        ClassifyRequest request,
        Stopwatch clock,
        CancellationToken cancel
    )
    {
        ClassifierOptions options = new() { MinPrecision = request.MinPrecision, Present = request.Present ?? 0.5 };
        if (request.Templates is { Count: > 0 } templates)
            options = options with { Templates = templates };
        var classifier = await model.ClassifierAsync(labels, options, cancel).ConfigureAwait(false);
        var zimg = await model.EmbedAsync(picture, asSeen: true, cancel).ConfigureAwait(false);
        var answer = classifier.Answer(new Embeddings(zimg, zimg.Length));
        return new()
        {
            Labels =
            [
                .. answer
                    .Labels.Take(request.Top ?? int.MaxValue)
                    .Select(one => new LabelAnswer(one.Label, one.Probability)),
            ],
            ExpectedPrecision = answer.ExpectedPrecision,
            NoneOfThese = answer.NoneOfThese,
            UnseenWords = answer.UnseenWords is { Count: > 0 } unseen ? unseen : null,
            UnreadLabels = classifier.UnreadLabels is { Count: > 0 } unread ? unread : null,
            Seconds = clock.Elapsed.TotalSeconds,
        };
    }
}

using System.Runtime.CompilerServices;
using LiT.Classification;
using LiT.Images;
using Microsoft.Extensions.AI;

namespace LiT;

/// <summary>
/// Says which of some labels in words fits a picture best, and, where it is asked to, that none of them does. The
/// labels were embedded once, by <see cref="LitModel.ClassifierAsync"/>; needs its model for as long as it is used.
/// Safe for use from several threads. A picture's own bytes say what format it has; names and media types are not
/// trusted.
/// </summary>
public sealed class Classifier
{
    private const int Ahead = 8,
        LongestStream = 128 << 20;

    private readonly LitModel model;
    private readonly Embeddings classes;
    private readonly NamingCutOff? cutOff;
    private readonly UnknownWords?[] unknown;
    private readonly ClassifierOptions options;

    private Classifier(
        LitModel model,
        IReadOnlyList<string> labels,
        Embeddings classes,
        NamingCutOff? cutOff,
        UnknownWords?[] unknown,
        ClassifierOptions options
    )
    {
        (this.model, Labels) = (model, labels);
        (this.classes, this.cutOff, this.unknown, this.options) = (classes, cutOff, unknown, options);
        UnreadLabels = [.. labels.Where((_, i) => unknown[i] is { Unread: true })];
    }

    /// <summary>The labels, in the order in which they were given.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>
    /// Labels of which the model's vocabulary knows no piece: they say nothing to the text tower, and a picture that
    /// one of them fits best gets "none of these". Seldom any.
    /// </summary>
    public IReadOnlyList<string> UnreadLabels { get; }

    /// <summary>
    /// Labels with words that no caption had which the model was tuned on, and those words: no precision is promised
    /// for them, and with <see cref="ClassifierOptions.MinPrecision"/> a picture that one of them fits best gets "none
    /// of these". <see cref="UnreadLabels"/> are among them.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> UnseenLabels =>
        Labels
            .Zip(unknown)
            .Where(one => one.Second is not null)
            .ToDictionary(one => one.First, one => one.Second!.Words);

    /// <summary>What cannot be known of the labels, in their order.</summary>
    internal IEnumerable<UnknownWords> Unknown => unknown.OfType<UnknownWords>();

    /// <summary>Runs on the model's own thread.</summary>
    internal static Classifier Of(
        LitModel model,
        IReadOnlyList<string> labels,
        ClassifierOptions options,
        CancellationToken cancel
    )
    {
        ClassNames names = new(labels);
        options.Check();
        var prompts = PromptTemplates.Fill(
            [.. names.Names.Select(name => name.Replace(',', ' '))], // a label is one, also with a comma in it
            options.Templates
        );
        ClassPrompts.Refuse(names.Names, prompts, model.Tokenizer, model.Taught);
        UnknownWords?[] unknown =
        [
            .. names.Names.Select(name =>
                UnknownWords.Of(model, name.Replace(',', ' ')) is { } one ? one with { Text = name } : null
            ),
        ];
        var ztxt = model.EmbedPrompts(prompts, null, cancel);
        _ = model.Image; // a tower that is missing or another is no picture's fault
        var classes = ClassMeans.Of(ztxt, [.. prompts.Select(prompt => prompt.Class)], names.Names.Count);
        if (options.MinPrecision is null)
            return new(model, names.Names, classes, null, unknown, options);
        var background = model.Folder is { } folder ? Background.Load(folder) : null;
        int[] promised = [.. Enumerable.Range(0, unknown.Length).Where(i => unknown[i] is null)];
        return background is null
            ? throw new LitException(
                $"{model.Folder ?? model.Name}: MinPrecision needs a background, which tells what "
                    + "matches from what does not, and "
                    + "the model has none. Calibrate the model once with pictures that have captions, "
                    + "or leave MinPrecision out."
            )
            : new(
                model,
                names.Names,
                classes,
                promised.Length == 0 ? null : new(background, classes.Select(promised), options.Present),
                unknown,
                options
            );
    }

    /// <summary>Classifies a picture file.</summary>
    /// <param name="path">A JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF file.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="PictureException">There is no such file, or it holds no picture that can be read.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task<ClassifiedPicture> ClassifyAsync(string path, CancellationToken cancel = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return ClassifyAsync(() => Read(path), path, cancel);
    }

    /// <summary>Classifies an encoded picture in memory.</summary>
    /// <param name="picture">The whole encoded file.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="PictureException">No picture that can be read.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task<ClassifiedPicture> ClassifyAsync(ReadOnlyMemory<byte> picture, CancellationToken cancel = default) =>
        ClassifyAsync(() => picture, null, cancel);

    /// <summary>
    /// Classifies an encoded picture that a stream gives, to its end and at most 128 MiB of it. The stream stays open.
    /// </summary>
    /// <param name="picture">Gives the whole encoded file.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="PictureException">No picture that can be read, or too long a one.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public async Task<ClassifiedPicture> ClassifyAsync(Stream picture, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        using MemoryStream bytes = new();
        var buffer = new byte[1 << 16];
        for (int count; (count = await picture.ReadAsync(buffer, cancel).ConfigureAwait(false)) > 0; )
        {
            if (bytes.Length + count > LongestStream)
                throw new PictureException(
                    $"more than {LongestStream >> 20} MiB of encoded picture",
                    null,
                    "Give a smaller picture."
                );
            bytes.Write(buffer, 0, count);
        }
        return await ClassifyAsync(bytes.ToArray(), cancel).ConfigureAwait(false);
    }

    /// <summary>Classifies a picture as Microsoft.Extensions.AI carries it.</summary>
    /// <param name="picture">Bytes with the media type of a picture (image/jpeg, image/png, …).</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="LitException">The media type is not that of a picture that is read.</exception>
    /// <exception cref="PictureException">No picture that can be read.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task<ClassifiedPicture> ClassifyAsync(DataContent picture, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(picture);
        PictureContent.Check(picture, picture.Name);
        return ClassifyAsync(() => picture.Data, picture.Name, cancel);
    }

    /// <summary>
    /// Classifies picture files in their order, reading ahead. One that cannot be read stops nothing; its answer says
    /// why.
    /// </summary>
    /// <param name="paths">JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF files.</param>
    /// <param name="cancel">Stops between two pictures.</param>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public async IAsyncEnumerable<ClassifiedFile> ClassifyAsync(
        IEnumerable<string> paths,
        [EnumeratorCancellation] CancellationToken cancel = default
    )
    {
        ArgumentNullException.ThrowIfNull(paths);
        Queue<Task<ClassifiedFile>> underWay = new(Ahead);
        foreach (var path in paths)
        {
            underWay.Enqueue(ClassifyFileAsync(path, cancel));
            if (underWay.Count >= Ahead)
                yield return await underWay.Dequeue().ConfigureAwait(false);
        }
        while (underWay.TryDequeue(out var next))
            yield return await next.ConfigureAwait(false);
    }

    private async Task<ClassifiedFile> ClassifyFileAsync(string path, CancellationToken cancel)
    {
        try
        {
            return new(path, await ClassifyAsync(path, cancel).ConfigureAwait(false), null);
        }
        catch (PictureException broken)
        {
            return new(path, null, broken.Reason);
        }
        catch (Exception trouble) when (trouble is LitException or IOException or UnauthorizedAccessException)
        {
            return new(path, null, trouble.Message);
        }
    }

    private async Task<ClassifiedPicture> ClassifyAsync(
        Func<ReadOnlyMemory<byte>> read,
        string? origin,
        CancellationToken cancel
    )
    {
        var preprocessing = AsSeen(await model.ImagePreprocessingAsync(cancel).ConfigureAwait(false));
        // Decoding keeps no other picture waiting; the tower takes one after the other.
        var pixels = await Task.Run(
                () => preprocessing.Pixels(read(), options.MaxPixels, options.Decode, origin),
                cancel
            )
            .ConfigureAwait(false);
        return await model.RunAsync(_ => Answer(pixels), cancel).ConfigureAwait(false);
    }

    /// <summary>A photo as its owner sees it: upright, and transparent parts on white.</summary>
    private Preprocessing AsSeen(Preprocessing tower) => AsSeen(tower, options.HonourExif);

    /// <inheritdoc cref="AsSeen(Preprocessing)"/>
    internal static Preprocessing AsSeen(Preprocessing tower, bool honourExif) =>
        tower with
        {
            HonourExif = honourExif,
            Background = tower.Background ?? new Rgb24(255, 255, 255),
        };

    private ClassifiedPicture Answer(float[] pixels) =>
        Answer(model.ProjectImages(new(model.Represent([pixels]), model.Image.Tower.Width)));

    /// <summary>The answer for one picture's embedding; needs no tower, and may run anywhere.</summary>
    internal ClassifiedPicture Answer(Embeddings zimg)
    {
        var probabilities = model.Probabilities(zimg[0], classes);
        var best = unknown[Array.IndexOf(probabilities, probabilities.Max())];
        var expected = best is null ? cutOff?.Precision(zimg)[0] : null;
        return new(
            [
                .. Labels
                    .Select((label, i) => new LabelProbability(label, probabilities[i]))
                    .OrderByDescending(answer => answer.Probability),
            ],
            expected,
            best is { Unread: true } || (best is not null && options.MinPrecision is not null) ? true
                : expected is null ? null
                : expected < options.MinPrecision
        )
        {
            UnseenWords = best?.Words ?? [],
        };
    }

    private static ReadOnlyMemory<byte> Read(string path)
    {
        if (Directory.Exists(path))
            throw new PictureException("is a folder; name the pictures in it", path, "Give a file.");
        return File.Exists(path)
            ? File.ReadAllBytes(path)
            : throw new PictureException("there is no such file", path, "Check the path.");
    }
}

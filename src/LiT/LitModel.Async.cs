using LiT.Compute;
using LiT.Images;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace LiT;

public sealed partial class LitModel
{
    private readonly Lock gate = new(),
        imageLoading = new();
    private WorkThread? thread;
    private TextEmbeddings? texts;
    private PictureEmbeddings? pictures;
    private bool disposed;

    /// <summary>Where the model computes, who is told, whose clock is right.</summary>
    public LitSession Session { get; private set; } = LitSession.Default;

    /// <summary>
    /// Names the model in results and caches: the published name, or <c>lit-</c> with the beginning of the SHA-256 of
    /// its text side, so that another tuning has another name.
    /// </summary>
    public string Name =>
        publishedName
        ?? $"lit-{(Description.Files?.GetValueOrDefault(Description.Text.File) ?? TextFingerprint)[..12]}";

    /// <summary>E, the numbers in an embedding.</summary>
    public int EmbeddingSize => Description.EmbeddingSize;

    /// <summary>
    /// Embeds texts: ztxt of unit length, [E], one a text, in their order. Texts are taken as they stand; what they may
    /// hold is the tokenizer's affair, and what is longer than the model reads is cut. Safe for concurrent calls. The
    /// model owns it: disposing of it frees nothing.
    /// </summary>
    public IEmbeddingGenerator<string, Embedding<float>> Texts => texts ??= new(this);

    /// <summary>
    /// Embeds encoded pictures: zimg of unit length, [E], one a picture, in their order. A picture is prepared as its
    /// tower's reference prepares it, so it has the embedding that a store has (EXIF orientation ignored, alpha
    /// dropped, unless the tower says otherwise). Safe for concurrent calls. The model owns it: disposing of it frees
    /// nothing.
    /// </summary>
    public IEmbeddingGenerator<DataContent, Embedding<float>> Images => pictures ??= new(this);

    /// <summary>Opens a model on a thread of its own, which then does all its work.</summary>
    /// <param name="path">
    /// A bundle's folder, a run's folder with the bundle in model/, a LiT or SigLIP <c>.npz</c> with its vocabulary
    /// beside it, or the name of a published model that was downloaded.
    /// </param>
    /// <param name="session">Where to compute, who is told; <see cref="LitSession.Default"/> where null.</param>
    /// <param name="cancel">Gives it up; nothing stays loaded.</param>
    /// <exception cref="LitException">
    /// No model is there, a part of it is missing or damaged, libtorch is not at hand, or the device is not.
    /// </exception>
    public static async Task<LitModel> LoadAsync(
        string path,
        LitSession? session = null,
        CancellationToken cancel = default
    )
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        session ??= LitSession.Default;
        LitModel? model = null;
        WorkThread thread = new(nameof(LitModel), ThreadsOf(session), () => model?.Free());
        try
        {
            await thread
                .Run(
                    stop =>
                    {
                        var started = session.Time.GetTimestamp();
                        var type = session.Type == ComputeType.BFloat16 ? "bfloat16" : "float32";
                        model = Load(
                            path,
                            ComputeDevice.Choose(session.Device, type, session.Threads),
                            language: session.Language
                        );
                        (model.thread, model.Session) = (thread, session);
                        stop.ThrowIfCancellationRequested();
                        Opened(
                            session.Logger,
                            path,
                            model.Description.Image.Architecture,
                            model.EmbeddingSize,
                            session.Time.GetElapsedTime(started).TotalSeconds
                        );
                        return model;
                    },
                    cancel
                )
                .ConfigureAwait(false);
            return model!;
        }
        catch
        {
            thread.Dispose();
            throw;
        }
    }

    /// <summary>Embeds labels in words once, to say of any number of pictures which of them fits best.</summary>
    /// <param name="labels">One or more, which must differ in words.</param>
    /// <param name="options">Templates, cut-off, how pictures are read; <see cref="ClassifierOptions.Default"/> where
    /// null.</param>
    /// <param name="cancel">Gives it up.</param>
    /// <exception cref="LitException">
    /// No label, an empty one, two of one name, a template without place for the label, or a cut-off of a model without
    /// background.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public Task<Classifier> ClassifierAsync(
        IEnumerable<string> labels,
        ClassifierOptions? options = null,
        CancellationToken cancel = default
    )
    {
        ArgumentNullException.ThrowIfNull(labels);
        string[] names = [.. labels];
        return RunAsync(stop => Classifier.Of(this, names, options ?? ClassifierOptions.Default, stop), cancel);
    }

    /// <summary>
    /// Frees the towers. Calls that wait are given up with <see cref="ObjectDisposedException"/>; the one under way is
    /// stopped or waited for; a store that is being updated stays as whole as its last finished file.
    /// </summary>
    public void Dispose()
    {
        WorkThread? worker;
        lock (gate)
        {
            if (disposed)
                return;
            disposed = true;
            worker = thread;
        }
        if (worker is null)
            Free();
        else
            worker.Dispose();
    }

    /// <summary>Has something done with the towers, after whatever was asked for before.</summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal Task<T> RunAsync<T>(Func<CancellationToken, T> work, CancellationToken cancel) =>
        Worker().Run(work, cancel);

    /// <summary>
    /// Has something long done at once, beside the rest; of the towers it may use the locked one only.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal Task<T> RunBesideAsync<T>(Func<CancellationToken, T> work, CancellationToken cancel) =>
        Worker().RunBeside(work, cancel);

    /// <summary>What makes a picture the image tower's input. Loads the tower where it is not there yet.</summary>
    internal async ValueTask<Preprocessing> ImagePreprocessingAsync(CancellationToken cancel) =>
        image?.Preprocessing ?? (await RunAsync(_ => Image, cancel).ConfigureAwait(false)).Preprocessing;

    internal bool IsDisposed => disposed;

    /// <summary>Where and in what type the towers compute.</summary>
    internal ComputeDevice Compute => compute;

    private WorkThread Worker()
    {
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(disposed, this);
            return thread ??= new(nameof(LitModel), compute.Threads, Free);
        }
    }

    private void Free()
    {
        if (!imageIsBorrowed)
            image?.Dispose();
        Towers.Dispose();
        Closed(Session.Logger, Name);
    }

    private static int ThreadsOf(LitSession session) =>
        session.Threads > 0 ? session.Threads : Environment.ProcessorCount;

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Opened the model {Path}: {Architecture}, embeddings of {Size} numbers, in {Seconds:F1} s"
    )]
    private static partial void Opened(ILogger logger, string path, string architecture, int size, double seconds);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Closed the model {Name}")]
    private static partial void Closed(ILogger logger, string name);
}

using System.Runtime.CompilerServices;
using System.Threading.Channels;
using LiT.Tuning.Contrastive;
using LiT.Tuning.Runs;

namespace LiT;

/// <summary>Why a choice of a plan is as it is.</summary>
/// <param name="Setting">The member of <see cref="TuningSettings"/> that decides otherwise.</param>
/// <param name="Words">One line.</param>
public sealed record TuningReason(string Setting, string Words);

/// <summary>
/// A tuning run before it is run: every default resolved against the data, in one place, each with its reason. Running
/// it again in the same folder goes on where it stopped, to the same bits. Immutable; safe to share between threads.
/// </summary>
public sealed class TuningPlan
{
    private readonly TuneRequest request;
    private readonly string configuration;

    private TuningPlan(TuneRequest request, PreparedRun prepared)
    {
        (this.request, Reasons) = (request, prepared.Chosen.Reasons);
        configuration = TuneRun.PlanOf(prepared).ToJsonString(TuningOptions.Json);
    }

    /// <summary>
    /// The choices that were made from the data or a recipe, and why; what was given is not among them.
    /// </summary>
    public IReadOnlyList<TuningReason> Reasons { get; }

    /// <summary>Resolves every default for some data.</summary>
    /// <param name="data">
    /// An embedding store with captions, where the image tower is locked; pictures with captions, where it is tuned.
    /// </param>
    /// <param name="settings">What is decided already; null decides nothing.</param>
    /// <param name="cancel">Stops while captions are read.</param>
    /// <exception cref="LitException">The data cannot be used, or settings contradict each other.</exception>
    public static TuningPlan For(string data, TuningSettings? settings = null, CancellationToken cancel = default)
    {
        var request = TuneRequest.Of(data, settings ?? new());
        using var prepared = PreparedRun.Open(request, _ => { }, null, cancel);
        return new(request, prepared);
    }

    /// <summary>All that the run will do, as its <c>config.json</c> says it.</summary>
    public string ToJson() => configuration;

    /// <summary>The plan to read: a line for every choice with its reason, and then <see cref="ToJson"/>.</summary>
    public override string ToString() =>
        string.Join('\n', [.. Reasons.Select(reason => $"{reason.Setting}: {reason.Words}"), configuration]);

    /// <summary>Tunes; what happens comes as it happens, and the last event is <see cref="TuningSaved"/>.</summary>
    /// <param name="folder">Gets the model, metrics and checkpoints; an interrupted run in it goes on.</param>
    /// <param name="cancel">Stops after the step at hand, with a checkpoint.</param>
    /// <exception cref="LitException">Data, tower or folder cannot be used; the message says why.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled and can be resumed.</exception>
    public IAsyncEnumerable<TuningEvent> RunAsync(string folder, CancellationToken cancel = default) =>
        RunAsync(folder, new WholeBatch(), cancel);

    /// <summary>The same as one of several processes that share every batch.</summary>
    internal async IAsyncEnumerable<TuningEvent> RunAsync(
        string folder,
        IBatchExchange exchange,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var events = Channel.CreateUnbounded<TuningEvent>(new() { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var run = Task.Run(
            () =>
            {
                try
                {
                    TuneRun.Run(
                        request with
                        {
                            Out = folder,
                            Exchange = exchange,
                        },
                        one => events.Writer.TryWrite(one),
                        stop.Token
                    );
                    events.Writer.Complete();
                }
                catch (Exception trouble)
                {
                    events.Writer.Complete(trouble);
                }
            },
            CancellationToken.None
        );
        try
        {
            await foreach (var happened in events.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                yield return happened;
        }
        finally
        {
            // Whoever stops reading stops the run, and it is at rest before its folder is anybody else's.
            await stop.CancelAsync().ConfigureAwait(false);
            await run.ConfigureAwait(false);
        }
    }
}

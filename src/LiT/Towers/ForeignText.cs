using static TorchSharp.torch;

namespace LiT.Towers;

/// <summary>
/// A text tower that another runtime computes: a constant from the beginning, on the CPU in float32, whose weights no
/// tensor here holds. Padding stands at the end of rows, and only there.
/// </summary>
internal abstract class ForeignText(string name) : TextTower(name)
{
    private long? padding;
    private bool endsWithIt;

    /// <summary>What stands for architecture and weights in fingerprints: a hash and a way, in one line.</summary>
    internal abstract string Identity { get; }

    /// <summary>What it is, in words.</summary>
    internal abstract string InWords { get; }

    /// <summary>As far as weights can be told from other constants.</summary>
    internal abstract override long WeightCount { get; }

    /// <summary>How its rows are to be laid out.</summary>
    internal abstract ForeignRows Layout { get; }

    /// <inheritdoc/>
    public override TextTowerConfig Config => new ForeignTextConfig(Identity, InWords);

    /// <inheritdoc/>
    public override int? MaxLength => Layout.Length;

    /// <inheritdoc/>
    public override bool MasksPadding => Layout.MasksPadding && Layout.Length is null;

    /// <summary>Writes the tower into a folder, so that the file alone is the tower again.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="stem">The file's name without its ending.</param>
    /// <returns>The file's name.</returns>
    /// <exception cref="LitException">The disk is full, or the network is not there any more as it was
    /// loaded.</exception>
    internal abstract string SaveIn(string folder, string stem);

    /// <summary>Says what fills rows; without it every place of a row is a token.</summary>
    /// <param name="pad">The id.</param>
    /// <param name="endsTexts">Whether the same id ends every text.</param>
    internal void PadWith(int pad, bool endsTexts) => (padding, endsWithIt) = (pad, endsTexts);

    /// <inheritdoc/>
    public override void Unlock() =>
        throw new LitException(
            "A text tower in ONNX is a constant and cannot be trained. Lock it (`Lock` LL), or give the "
                + "checkpoint that it was exported from."
        );

    /// <inheritdoc/>
    public override Tensor forward(Tensor ids)
    {
        CheckLength(ids);
        var (count, length) = ((int)ids.shape[0], (int)ids.shape[1]);
        var all = ids.cpu().to(ScalarType.Int64).contiguous().data<long>().ToArray();
        // Rows of one length go together, so that what a text gives hangs on no other text's padding.
        var parts = Enumerable
            .Range(0, count)
            .GroupBy(row => TokensIn(all.AsSpan(row * length, length)))
            .OrderBy(rows => rows.Key)
            .SelectMany(rows => rows.Chunk(RowsInPart).Select(some => (Tokens: rows.Key, Rows: some)))
            .ToArray();
        var values = new float[count * Width];
        Compute.Parts.Run(parts.Length, part =>
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            var (tokens, rows) = parts[part];
            var some = new long[rows.Length * length];
            for (var i = 0; i < rows.Length; i++)
                all.AsSpan(rows[i] * length, length).CopyTo(some.AsSpan(i * length));
            var given = Represent(some, rows.Length, length, tokens).contiguous().data<float>().ToArray();
            for (var i = 0; i < rows.Length; i++)
                given.AsSpan(i * Width, Width).CopyTo(values.AsSpan(rows[i] * Width));
        });
        return tensor(values, [count, Width]).to(ids.device);
    }

    /// <summary>The id that fills rows.</summary>
    private protected long Pad => padding ?? 0;

    /// <summary>Rows in a part of the work, which one thread does.</summary>
    private protected virtual int RowsInPart => 16;

    /// <summary>What texts of one length become, [count, Width] in float32.</summary>
    /// <param name="ids">Rows, one after another.</param>
    /// <param name="count">How many.</param>
    /// <param name="length">Ids in a row.</param>
    /// <param name="tokens">Those of them, from the first, that are no padding; the same in every row.</param>
    private protected abstract Tensor Represent(long[] ids, int count, int length, int tokens);

    private int TokensIn(ReadOnlySpan<long> row)
    {
        if (!Layout.MasksPadding || padding is not { } pad)
            return row.Length;
        var last = row.LastIndexOfAnyExcept(pad);
        return Math.Clamp(last + 1 + (endsWithIt ? 1 : 0), 1, row.Length);
    }
}

/// <summary>How the rows of a foreign text tower are laid out.</summary>
/// <param name="Length">Ids in every row; null where any number goes.</param>
/// <param name="MasksPadding">Whether it is told which ids are padding.</param>
internal sealed record ForeignRows(int? Length, bool MasksPadding)
{
    /// <summary>What is put before every text.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>Whether texts lose their capitals first.</summary>
    public bool LowerCase { get; init; }
}

/// <summary>
/// A text tower that lies in a file of its own, of a form that this room does not read: nothing can be built of it.
/// </summary>
/// <param name="Identity">What names it in fingerprints.</param>
/// <param name="Words">What it is, in words.</param>
internal sealed record ForeignTextConfig(string Identity, string Words) : TextTowerConfig
{
    internal override int BlockCount() => 0;

    internal override TextTowerConfig EndingAfter(int blocks) =>
        throw new NotSupportedException("A network of another runtime gives any value inside it by its name.");

    internal override TextTower Build(Device? device = null) =>
        throw new ArgumentException(
            "The text tower is a network in a file of its own, beside this one. Give that file as the tower."
        );

    internal override TextTower Create(Generator random) =>
        throw new NotSupportedException("A network of another runtime is read from its file.");
}

/// <summary>
/// A form of text towers that the room does not know: introduced by whoever knows it, when a program starts.
/// </summary>
internal interface ITextForm
{
    /// <summary>Whether a file or folder is of this form.</summary>
    bool Is(string path);

    /// <summary>Whether what lies in it reads texts, where it is of this form.</summary>
    /// <exception cref="LitException">It cannot be read.</exception>
    bool ReadsTexts(string path);

    /// <summary>How its rows are laid out, without making it ready.</summary>
    /// <inheritdoc cref="Load"/>
    ForeignRows RowsOf(string path, string given, string spec);

    /// <summary>The tower in it.</summary>
    /// <param name="path">A file or folder of this form.</param>
    /// <param name="given">What stands behind the path's colon.</param>
    /// <param name="spec">All of it as it was given, for messages.</param>
    /// <exception cref="LitException">It is damaged, or no text tower.</exception>
    /// <exception cref="UsageException">An option that does not exist, or a value that cannot be.</exception>
    LoadedTextTower Load(string path, string given, string spec);
}

using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using LiT.Data;
using LiT.Text;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Images with their captions as rows of token ids, equal rows kept once. Plain data; drawing a batch needs the number
/// of the step and nothing else, so that a run is resumed by counting.
/// </summary>
internal sealed class TuningPairs
{
    private readonly int[] images,
        firstCaption,
        rowOfCaption;
    private readonly int[] tokens, // rows without the padding at their ends
        ends;
    private readonly ulong seed;
    private readonly CaptionDraws draws;
    private readonly int[] firstForm = [], // of each caption, among the rows that may stand in its place
        rowOfForm = [];
    private SeededOrder? order;
    private LookAlikes? alike;
    private double borrowed;
    private string teacherFingerprint = "";

    /// <param name="pictures">The image side.</param>
    /// <param name="captionsOf">An image's captions; images without any are left out.</param>
    /// <param name="tokenizer">Makes rows of captions.</param>
    /// <param name="seed">Decides the order of images and which caption an epoch takes.</param>
    /// <param name="draws">What is shown of captions; null for whole ones, one at a time.</param>
    /// <exception cref="LitException">No image has a caption.</exception>
    public TuningPairs(
        ITuningImages pictures,
        Func<int, IReadOnlyList<string>> captionsOf,
        CaptionTokenizer tokenizer,
        long seed,
        CaptionDraws? draws = null
    )
    {
        Pictures = pictures;
        this.draws = draws ?? CaptionDraws.Whole;
        Length = tokenizer.Layout.Length;
        this.seed = (ulong)seed;
        var rows = new TokenRowTable(tokenizer);
        List<int> withCaptions = [],
            first = [0],
            captions = [],
            forms = [],
            formsOf = [0];
        for (var image = 0; image < pictures.Count; image++)
        {
            foreach (var caption in captionsOf(image))
            {
                captions.Add(rows.RowOf(caption));
                if (!this.draws.Splits)
                    continue;
                forms.AddRange(CaptionDraws.Forms(caption).Select(rows.RowOf));
                formsOf.Add(forms.Count);
            }
            if (captions.Count == first[^1])
                continue;
            withCaptions.Add(image);
            first.Add(captions.Count);
        }
        if (withCaptions.Count == 0)
            throw new LitException(
                $"None of the {pictures.Count:N0} images has a caption. Give data with captions, or name "
                    + "the caption column."
            );
        (images, firstCaption, rowOfCaption) = ([.. withCaptions], [.. first], [.. captions]);
        if (this.draws.Splits)
            (firstForm, rowOfForm) = ([.. formsOf], [.. forms]);
        (tokens, ends) = rows.Finish();
        Counts = rows.Counts;
        Padding = tokenizer.Layout.Pad;
        var used = new bool[Math.Max(tokenizer.Tokenizer.VocabularySize, tokens.Max() + 1)];
        foreach (var id in tokens)
            used[id] = true;
        Foreign = [.. Enumerable.Range(0, tokenizer.Tokenizer.VocabularySize).Where(id => !used[id] && id != Padding)];
        DistinctTexts = rows.Texts;
    }

    /// <summary>The image side.</summary>
    public ITuningImages Pictures { get; }

    /// <summary>Images with a caption: pairs in one epoch.</summary>
    public int Count => images.Length;

    /// <summary>Images that have no caption and are left out.</summary>
    public int WithoutCaption => Pictures.Count - images.Length;

    /// <summary>Captions of all images together.</summary>
    public int Captions => rowOfCaption.Length;

    /// <summary>Captions that differ as texts.</summary>
    public int DistinctTexts { get; }

    /// <summary>Captions that differ as rows of ids; a tower cannot tell others apart.</summary>
    public int DistinctRows => ends.Length;

    /// <summary>Ids in a row.</summary>
    public int Length { get; }

    /// <summary>Mean number of ids in a row before the padding, over all captions.</summary>
    public double MeanLength => rowOfCaption.Average(row => (double)LengthOf(row));

    /// <summary>What became of the distinct captions: how many were cut, and how much the vocabulary lacks.</summary>
    public CaptionCounts Counts { get; }

    /// <summary>The pairs of one step.</summary>
    /// <param name="step">Counted from 0.</param>
    /// <param name="batch">Pairs in a step, the same for the whole run.</param>
    public DrawnPairs Draw(long step, int batch)
    {
        // Of several captions at once an epoch takes as many times the pairs, and a run of so many steps sees as much.
        var (epoch, position) = Math.DivRem(step * (batch / draws.AtOnce), Count);
        if (order is null || order.Epoch != epoch || order.Position != position)
            // The end of an epoch is the beginning of the next; otherwise consecutive steps go on in the order at hand.
            if (order is null || order.Epoch + 1 != epoch || order.Position != Count || position != 0)
                order = new(Count, seed, epoch, position);
        var drawn = new DrawnPairs(new int[batch], new long[batch], new int[batch]);
        var image = 0;
        for (var pair = 0; pair < batch; pair++)
        {
            var copy = pair % draws.AtOnce;
            if (copy == 0)
                image = order.Next();
            (drawn.Images[pair], drawn.Epochs[pair]) = (images[image], order.Epoch);
            drawn.Rows[pair] = RowOf(CaptionOf(image, order.Epoch, copy), image, order.Epoch, copy);
        }
        return drawn;
    }

    /// <summary>
    /// The same pairs, of which a share takes, in each epoch anew, a caption of a picture that looks alike: what could
    /// be said of both is then no secret of either, and what is said in other words is not pushed apart.
    /// </summary>
    /// <param name="share">From 0 to 1.</param>
    /// <param name="count">Pictures that look alike, of each.</param>
    public TuningPairs Borrowing(double share, int count = LookAlikes.Usually)
    {
        var pairs = (TuningPairs)MemberwiseClone();
        (pairs.order, pairs.borrowed, pairs.alike) = (null, share, LookAlikes.Among(Pictures, images, count));
        return pairs;
    }

    /// <summary>
    /// The same pairs, whose captions are to give rows of a teacher, too: each the mean of those of the images that it
    /// is a caption of.
    /// </summary>
    /// <param name="teacher">The row that an image's captions are to give, of unit length; empty for none.</param>
    /// <param name="size">Its length, the common size.</param>
    /// <param name="weight">Of what is taught beside what the pictures ask.</param>
    public TuningPairs TaughtBy(Func<int, ReadOnlyMemory<float>> teacher, int size, double weight)
    {
        Embeddings rows = new(new float[DistinctRows * size], size);
        for (var image = 0; image < images.Length; image++)
            if (teacher(images[image]) is { Length: > 0 } given)
                for (var caption = firstCaption[image]; caption < firstCaption[image + 1]; caption++)
                {
                    var row = rows.Values.AsSpan(rowOfCaption[caption] * size, size);
                    TensorPrimitives.Add(row, given.Span, row);
                }
        for (var row = 0; row < rows.Count; row++)
            if (rows[row].ContainsAnyExcept(0f))
            {
                var values = rows.Values.AsSpan(row * size, size);
                TensorPrimitives.Divide(values, TensorPrimitives.Norm<float>(values), values);
            }
        var pairs = (TuningPairs)MemberwiseClone();
        (pairs.order, pairs.Taught) = (null, new(rows, weight));
        return pairs;
    }

    /// <summary>What the captions are to give besides; null where nothing is taught.</summary>
    public TaughtTexts? Taught { get; private set; }

    /// <summary>The same pairs, whose targets a teacher softens.</summary>
    /// <param name="rows">The teacher's rows of the pictures.</param>
    /// <param name="share">Of the loss that the teacher gives the targets of, 0 to 1.</param>
    /// <param name="temperature">What its cosines are divided by.</param>
    public TuningPairs SoftenedBy(ITeacherRows rows, double share, double temperature)
    {
        var pairs = (TuningPairs)MemberwiseClone();
        (pairs.order, pairs.Teacher, pairs.teacherFingerprint) = (
            null,
            new(rows, share, temperature),
            rows.Fingerprint
        );
        return pairs;
    }

    /// <summary>Whose likeness of the pictures softens targets; null for nobody's.</summary>
    public PictureTeacher? Teacher { get; private set; }

    /// <summary>The caption that an epoch gives an image: its own, or that of a picture that looks alike.</summary>
    private int CaptionOf(int image, long epoch, int copy)
    {
        var of = image;
        var random = Contrastive.Draw.Mixed(seed, 0x616C696B65, (ulong)image, (ulong)epoch);
        if (copy > 0)
            random = Contrastive.Draw.Mixed(random, (ulong)copy);
        if (alike is not null && Contrastive.Draw.Share(random) < borrowed)
        {
            var others = alike.Of(image);
            of = others[(int)(Contrastive.Draw.Mixed(random, 1) % (ulong)others.Length)];
        }
        return firstCaption[of] + Turn(of, epoch * draws.AtOnce + copy);
    }

    /// <summary>
    /// The row that stands in a caption's place: all of it, all but its first sentence, or one of them.
    /// </summary>
    private int RowOf(int caption, int image, long epoch, int copy)
    {
        if (!draws.Splits)
            return rowOfCaption[caption];
        var forms = rowOfForm.AsSpan(firstForm[caption]..firstForm[caption + 1]);
        if (forms.Length == 1)
            return forms[0];
        var random = Contrastive.Draw.Mixed(seed, 0x73656E74656E6365, (ulong)image, (ulong)epoch, (ulong)copy);
        if (Contrastive.Draw.Share(random) < draws.Sentences)
            return forms[2 + (int)(Contrastive.Draw.Mixed(random, 1) % (ulong)(forms.Length - 2))];
        return forms[Contrastive.Draw.Share(Contrastive.Draw.Mixed(random, 2)) < draws.DropFirst ? 1 : 0];
    }

    /// <summary>Which caption of an image an epoch takes: each in its turn, from one that the seed decides.</summary>
    private int Turn(int image, long epoch)
    {
        var captions = (ulong)(firstCaption[image + 1] - firstCaption[image]);
        return captions == 1
            ? 0
            : (int)((Contrastive.Draw.Mixed(seed, (ulong)image) % captions + (ulong)epoch) % captions);
    }

    /// <summary>SHA-256 over everything that decides what is drawn, the images' numbers left out.</summary>
    internal string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(seed));
        foreach (
            var numbers in new[]
            {
                [.. Pictures.Shape.Select(size => (int)size)],
                images,
                firstCaption,
                rowOfCaption,
                [Length],
            }
        )
            hash.AppendData(MemoryMarshal.AsBytes(numbers.AsSpan()));
        if (draws != CaptionDraws.Whole)
        {
            hash.AppendData(BitConverter.GetBytes(draws.Sentences));
            hash.AppendData(BitConverter.GetBytes(draws.DropFirst));
            hash.AppendData(BitConverter.GetBytes(draws.AtOnce));
            hash.AppendData(MemoryMarshal.AsBytes(firstForm.AsSpan()));
            hash.AppendData(MemoryMarshal.AsBytes(rowOfForm.AsSpan()));
        }
        hash.AppendData(Encoding.UTF8.GetBytes(teacherFingerprint));
        var whole = new int[Length];
        for (var row = 0; row < ends.Length; row++)
        {
            Fill(row, whole);
            hash.AppendData(MemoryMarshal.AsBytes(whole.AsSpan()));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The ids of a row, padding included.</summary>
    internal int[] Tokens(int row)
    {
        var all = new int[Length];
        Fill(row, all);
        return all;
    }

    /// <summary>The ids of a row without the padding at its end, at least 1.</summary>
    internal ReadOnlySpan<int> Written(int row) => tokens.AsSpan((row == 0 ? 0 : ends[row - 1])..ends[row]);

    private void Fill(int row, Span<int> all)
    {
        Written(row).CopyTo(all);
        all[LengthOf(row)..].Fill(Padding);
    }

    /// <summary>The id that fills rows.</summary>
    internal int Padding { get; }

    /// <summary>Ids of the vocabulary that no caption uses.</summary>
    internal IReadOnlyList<int> Foreign { get; }

    /// <summary>Ids of a row before its padding, at least 1.</summary>
    internal int LengthOf(int row) => ends[row] - (row == 0 ? 0 : ends[row - 1]);
}

/// <summary>
/// The pairs of one step: images, the epoch that decides each one's view, and the numbers of their token rows.
/// </summary>
internal sealed record DrawnPairs(int[] Images, long[] Epochs, int[] Rows);

using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tuning.Contrastive;

/// <summary>
/// Which pairs of a batch belong together. Pair i and pair j are positives of each other when they are the same pair,
/// when their captions are equal, or when their images are. Plain data; sums over positives cost O(B), never O(B x B):
/// equal captions form groups, equal images form groups, and a pair equal in both was counted twice.
/// </summary>
internal sealed class Positives
{
    private readonly long[]? captions,
        images;

    private Positives(int size, long[]? captions, long[]? images) =>
        (Size, this.captions, this.images) = (size, captions, images);

    /// <summary>Pairs in the batch.</summary>
    public int Size { get; }

    /// <summary>The paper's plain form: each pair is its own positive and no other's.</summary>
    public static Positives Own(int size) => new(size, null, null);

    /// <param name="captions">A number a pair; equal numbers are equal captions.</param>
    /// <param name="images">A number a pair; equal numbers are the same image. Null where no image comes twice.</param>
    public static Positives Shared(long[] captions, long[]? images = null)
    {
        if (images is not null && images.Length != captions.Length)
            throw new ArgumentException(
                $"{captions.Length} captions and {images.Length} images: one number a pair is expected."
            );
        return new(captions.Length, Repeating(captions), Repeating(images));
    }

    internal Positives Slice(int from, int to) =>
        from == 0 && to == Size ? this : new(to - from, Repeating(captions?[from..to]), Repeating(images?[from..to]));

    internal Positives Select(int[] kept) =>
        new(
            kept.Length,
            Repeating(captions is null ? null : [.. kept.Select(pair => captions[pair])]),
            Repeating(images is null ? null : [.. kept.Select(pair => images[pair])])
        );

    /// <summary>Whether each pair is its own positive and no other's.</summary>
    internal bool IsPlain => captions is null && images is null;

    /// <summary>
    /// Groups of pairs, numbered from 0, whose members are positives of each other, and how often each counts: a pair
    /// that is in two groups with another is taken away once.
    /// </summary>
    internal IEnumerable<(int[] Group, int Count, double Sign)> Partitions()
    {
        if (captions is not null)
            yield return Numbered(captions, 1);
        if (images is not null)
            yield return Numbered(images, 1);
        if (captions is not null && images is not null)
            yield return Numbered([.. captions.Zip(images)], -1);

        static (int[], int, double) Numbered<T>(T[] ids, double sign)
            where T : notnull
        {
            var number = new Dictionary<T, int>();
            var groups = new int[ids.Length];
            for (var i = 0; i < ids.Length; i++)
            {
                if (!number.TryGetValue(ids[i], out var group))
                    number.Add(ids[i], group = number.Count);
                groups[i] = group;
            }
            return (groups, number.Count, sign);
        }
    }

    internal Relation On(Device device) => new(this, device);

    private static long[]? Repeating(long[]? ids) => ids is null || ids.Distinct().Count() == ids.Length ? null : ids;

    /// <summary>The same on a device, ready for sums. Belongs to the dispose scope it is made in.</summary>
    internal sealed class Relation
    {
        private readonly List<(Tensor Group, int Count, double Sign)> partitions = [];
        private readonly Tensor? captionOf,
            imageOf;

        internal Relation(Positives of, Device device)
        {
            captionOf = of.captions is null ? null : tensor(of.captions).On(device);
            imageOf = of.images is null ? null : tensor(of.images).On(device);
            foreach (var (group, count, sign) in of.Partitions())
                partitions.Add((tensor(Array.ConvertAll(group, one => (long)one)).On(device), count, sign));
        }

        /// <summary>For each pair the sum of the rows of its positives; [B, E] or [B].</summary>
        internal Tensor Sum(Tensor rows)
        {
            if (partitions.Count == 0)
                return rows.clone();
            Tensor? sum = null;
            foreach (var (group, count, sign) in partitions)
            {
                long[] shape = [count, .. rows.shape[1..]];
                var own = zeros(shape, rows.dtype, rows.device)
                    .index_add_(0, group, rows, Scalars.One)
                    .index_select(0, group);
                sum = sum is null ? own : sum.PlusInPlace(own, sign);
            }
            return sum!;
        }

        /// <summary>Whether pair i and pair j are positives, for equally long lists of pairs; bool.</summary>
        internal Tensor Holds(Tensor i, Tensor j)
        {
            var holds = i == j;
            foreach (var ids in new[] { captionOf, imageOf })
                if (ids is not null)
                    holds = holds.logical_or(ids.index_select(0, i) == ids.index_select(0, j));
            return holds;
        }
    }
}

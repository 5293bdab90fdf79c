using System.Numerics.Tensors;
using LiT.Stores;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>
/// A second store of a run's pictures, by another image tower, met by their keys: its rows at unit length after the
/// mean of them all is taken away, so that what every picture shares does not count. Safe for several threads.
/// </summary>
internal sealed class TeacherStore : ITeacherRows, IDisposable
{
    private const int RowsForMean = 10_000;

    private readonly EmbeddingStore store;
    private readonly long[] rowOf;
    private readonly float[] mean;

    /// <param name="folder">The store.</param>
    /// <param name="keys">The run's pictures, in their order.</param>
    /// <param name="pictures">Where they are, for messages.</param>
    /// <param name="say">Told how many meet, and which is the first that does not.</param>
    /// <exception cref="LitException">It is no store, or holds none of the pictures.</exception>
    public TeacherStore(string folder, IEnumerable<string> keys, string pictures, Action<string> say)
    {
        if (!EmbeddingStore.IsStore(folder))
            throw new SettingException(
                nameof(TeacherStore),
                folder,
                "is no store of pictures' embeddings",
                "Embed the same pictures with a stronger image tower, and give that store"
            );
        store = EmbeddingStore.Open(folder);
        try
        {
            if (store.Description is null)
                store.CheckNumbers();
            rowOf = Met([.. keys], pictures, say);
            Fingerprint = store.Fingerprint ?? StoreFit.OwnFingerprint(store);
            mean = Mean();
        }
        catch
        {
            store.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public int Size => store.EmbeddingSize;

    /// <inheritdoc/>
    public string Fingerprint { get; }

    /// <inheritdoc/>
    public void Read(int image, Span<float> row)
    {
        if (rowOf[image] < 0)
        {
            row.Clear();
            return;
        }
        store.ReadRows([rowOf[image]], row);
        TensorPrimitives.Subtract(row, mean, row);
        if (TensorPrimitives.Norm<float>(row) is > 0 and var length)
            TensorPrimitives.Divide(row, length, row);
    }

    /// <inheritdoc/>
    public void Dispose() => store.Dispose();

    private long[] Met(string[] keys, string pictures, Action<string> say)
    {
        Dictionary<string, long> rows = new(StringComparer.Ordinal);
        for (var row = 0L; row < store.Rows; row += store.Views)
            rows.TryAdd(store.Key(row), row);
        var met = Array.ConvertAll(keys, key => rows.GetValueOrDefault(key, -1));
        var missing = Array.IndexOf(met, -1);
        var without = met.Count(row => row < 0);
        if (without == met.Length)
            throw new LitException(
                store.Folder,
                FormattableString.Invariant($"holds none of the {met.Length:N0} pictures of {pictures}")
                    + (met.Length == 0 ? "" : $": '{keys[0]}' is one there, and '{store.Key(0)}' one here"),
                "Give a store of the same pictures, embedded from the same data"
            );
        say(
            FormattableString.Invariant($"{store.Folder}: rows of {met.Length - without:N0} of the {met.Length:N0} ")
                + $"pictures, by {store.Description?.Tower ?? "a tower that it does not name"}, soften targets"
        );
        if (without > 0)
            say(
                FormattableString.Invariant($"{store.Folder}: {without:N0} pictures of {pictures} have no row, ")
                    + $"the first '{keys[missing]}'; their own text is all of their target"
            );
        return met;
    }

    private float[] Mean()
    {
        var met = rowOf.Where(row => row >= 0).ToArray();
        var count = Math.Min(met.Length, RowsForMean);
        var sum = new double[Size];
        var row = new float[Size];
        for (var i = 0; i < count; i++)
        {
            store.ReadRows([met[(long)i * met.Length / count]], row);
            for (var j = 0; j < Size; j++)
                sum[j] += row[j];
        }
        return [.. sum.Select(one => (float)(one / count))];
    }
}

using LiT.Stores;

namespace LiT;

public sealed partial class PictureStore
{
    // Beyond these, more other pictures change a taught word no more.
    private const int OtherPictures = 4096;

    /// <summary>
    /// Teaches the model a word by pictures of the store, or in files: see <see cref="LitModel.TeachAsync"/>. A key of
    /// the store costs nothing but reading its row; what is no key is a file, which goes through the image tower. What
    /// they are held against are other pictures of the store. The store stays as it is.
    /// </summary>
    /// <param name="word">The word.</param>
    /// <param name="pictures">Keys of pictures in the store, or picture files.</param>
    /// <param name="again">Whether a word that was taught before is taught anew; otherwise it is refused.</param>
    /// <param name="cancel">Gives it up; nothing was taught then.</param>
    /// <exception cref="LitException">What <see cref="LitModel.TeachAsync"/> refuses, or the store holds
    /// too little.</exception>
    /// <exception cref="ObjectDisposedException">The model, or this, was disposed.</exception>
    public Task<TaughtWord> TeachAsync(
        string word,
        IEnumerable<string> pictures,
        bool again = false,
        CancellationToken cancel = default
    )
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(pictures);
        ObjectDisposedException.ThrowIf(disposed, this);
        string[] all = [.. pictures];
        return model.RunAsync(
            stop =>
            {
                Lesson lesson = new(word, again);
                model.Check(lesson, all.Length);
                return Asked(open =>
                {
                    var collection = open.Collection;
                    long?[] keys = [.. all.Select(collection.Find)];
                    long[] stored = [.. keys.OfType<long>()];
                    var own = stored.ToHashSet();
                    var (files, skipped) = model.OfFiles([.. all.Where((_, i) => keys[i] is null)], stop);
                    return model.Teach(
                        lesson,
                        new([.. collection.Read(stored).Values, .. files.Values], model.EmbeddingSize),
                        OthersIn(collection, own),
                        skipped
                    );
                });
            },
            cancel
        );
    }

    /// <summary>Pictures of a store that a word may be told from.</summary>
    /// <exception cref="LitException">The store is damaged, or another tower made it.</exception>
    internal static Embeddings OthersIn(string folder, LitModel model)
    {
        using var store = EmbeddingStore.Open(folder);
        StoreFit.Check(store, model.Description.Image.Expected);
        using var collection = Search.Collection.Of(model, store);
        return OthersIn(collection, []);
    }

    private static Embeddings OthersIn(Search.Collection collection, HashSet<long> own) =>
        collection.Read([.. Spread(collection.Pictures).Where(one => Is(collection, one, own))]);

    private static bool Is(Search.Collection collection, long picture, HashSet<long> own) =>
        collection.Holds(picture) && !own.Contains(picture);

    /// <summary>So many places, evenly spread.</summary>
    private static IEnumerable<long> Spread(long count)
    {
        var taken = Math.Min(count, OtherPictures);
        for (var i = 0L; i < taken; i++)
            yield return (long)((Int128)i * count / taken);
    }
}

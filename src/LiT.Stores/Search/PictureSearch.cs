using System.Diagnostics;
using System.Numerics.Tensors;
using LiT.Classification;
using LiT.Images;

namespace LiT.Search;

/// <summary>What was found.</summary>
/// <param name="Query">What was asked.</param>
/// <param name="Results">The pictures, in the order that was asked for.</param>
/// <param name="NothingMatches">Whether none was found that reaches what was asked for.</param>
/// <param name="Searched">Pictures that were looked at: those that the filter holds for.</param>
/// <param name="Recall">Share of the nearest pictures that the way of searching finds; 1 where it is exact.</param>
/// <param name="Seconds">How long it took, the words' way through the tower and all.</param>
internal sealed record SearchAnswer(
    Query Query,
    IReadOnlyList<FoundPicture> Results,
    bool NothingMatches,
    long Searched,
    double Recall,
    double Seconds
)
{
    /// <summary>What the model cannot know of the query's words: no precision is promised for it then.</summary>
    public IReadOnlyList<UnknownWords> Unknown { get; init; } = [];

    /// <summary>
    /// Words of the query that no caption had which the model was tuned on, each once. Null for none.
    /// </summary>
    public IReadOnlyList<string>? UnseenWords =>
        Unknown.Count == 0 ? null : [.. Unknown.SelectMany(one => one.Words).Distinct(StringComparer.Ordinal)];

    /// <summary>
    /// Texts of the query of which the model's vocabulary knows no piece; where nothing else is looked for, nothing is
    /// found. Null for none.
    /// </summary>
    public IReadOnlyList<string>? UnreadWords =>
        Unknown.Any(one => one.Unread) ? [.. Unknown.Where(one => one.Unread).Select(one => one.Text)] : null;

    /// <summary>What the model cannot know of a query.</summary>
    public static IReadOnlyList<UnknownWords> UnknownOf(LitModel model, Query query) =>
        UnknownWords.Among(model, query.Words.Concat(query.Minus).Select(one => one.What).Distinct());

    /// <summary>Whether a query asks for nothing that the model can read.</summary>
    public static bool SaysNothing(Query query, IReadOnlyList<UnknownWords> unknown) =>
        query.Like.Count == 0 && query.Words.All(one => unknown.Any(other => other.Unread && other.Text == one.What));
}

/// <summary>Asks a collection.</summary>
/// <param name="model">The model, on whose thread this is.</param>
/// <param name="collection">What is asked.</param>
/// <param name="background">Tells what matches; null gives similarities alone.</param>
/// <param name="given">
/// zimg of pictures that are no key of the collection, by what stands in <see cref="Query.Like"/>; null where it gives
/// none. Left out, they are files.
/// </param>
internal sealed class PictureSearch(
    LitModel model,
    Collection collection,
    Background? background,
    Func<string, float[]?>? given = null
)
{
    private const int MostJudged = 2_000,
        Wider = 4;
    private const double LeftOut = 0.5; // a picture that more likely than not shows what is not wanted

    /// <summary>Pictures that answer a query.</summary>
    /// <exception cref="LitException">The query cannot be answered; the message says why.</exception>
    public SearchAnswer Find(Query query, CancellationToken cancel = default) => Find([query], null, cancel)[0];

    /// <summary>The same for several queries; those with one filter pass over the rows together.</summary>
    public IReadOnlyList<SearchAnswer> Find(
        IReadOnlyList<Query> queries,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    )
    {
        var clock = Stopwatch.StartNew();
        foreach (var query in queries)
            Check(query);
        Prepared[] prepared = [.. queries.Select(query => Prepare(query, cancel))];
        var answers = new SearchAnswer[queries.Count];
        // What another query of a pass asks for changes nothing of this one's answer, so each pass keeps one number.
        (Bits? Allowed, bool Exact, int Kept) Pass(Prepared one) =>
            (one.Allowed, one.Query.Exact, one.Kept(background is not null));
        foreach (var together in prepared.Index().GroupBy(one => Pass(one.Item)))
        {
            Prepared[] asked = [.. together.Select(one => one.Item)];
            var kept = together.Key.Kept;
            Embeddings vectors = new([.. asked.SelectMany(one => one.Vector)], collection.Size);
            var found = Nearby(vectors, kept, together.Key.Allowed, together.Key.Exact, progress, cancel);
            foreach (var ((place, one), nearest) in together.Zip(found.Nearest))
                answers[place] = Answer(one, new([nearest], found.Recall), kept, clock, cancel);
        }
        return answers;
    }

    private FoundNearest Nearby(
        Embeddings vectors,
        int kept,
        Bits? allowed,
        bool exact,
        IProgress<ProgressStep>? progress,
        CancellationToken cancel
    ) =>
        exact
            ? new(Nearest.Find(collection, vectors, kept, allowed, progress, cancel), 1)
            : Nearest.FindFast(collection, vectors, kept, allowed, progress, cancel);

    private void Check(Query query)
    {
        query.Check();
        foreach (var words in query.Words.Concat(query.Minus).Concat(query.Without).Select(one => one.What))
            if (PromptTemplates.Canonicalise(words).Length == 0)
                throw new LitException($"The text '{words}' leaves no word to look for. Give it letters or digits.");
        if (background is null && query.MinPrecision is not null)
            throw NotCalibrated(nameof(Query.MinPrecision), "what matches from what does not");
        if (background is null && query.Without.Count > 0)
            throw NotCalibrated(nameof(Query.Without), "what shows a thing from what does not");
        if (query.Order is { } order && collection.Column(Plain(order)) is null)
            throw SettingException.Of<Query>(
                q => q.Order,
                order,
                "there is no such column",
                $"There are {string.Join(", ", collection.ColumnNames.Order(StringComparer.Ordinal))}"
            );
    }

    private LitException NotCalibrated(string member, string tells) =>
        new(
            $"{model.Folder ?? model.Name}: {member} needs a background, which tells {tells}, and the model has none. "
                + $"Calibrate the model once with pictures that have captions, or leave {member} out."
        );

    /// <summary>A query's direction, and which pictures it is about.</summary>
    private sealed record Prepared(Query Query, float[] Vector, Bits? Allowed)
    {
        public int Kept(bool judged) =>
            (int)
                Math.Min(
                    int.MaxValue / Wider,
                    Math.Max((long)Query.Skip + Query.Top, judged ? MostJudged : 0)
                        * (Query.Distinct is null ? 1 : Wider)
                );
    }

    private Prepared Prepare(Query query, CancellationToken cancel)
    {
        string[] texts = [.. query.Words.Concat(query.Minus).Select(one => PromptTemplates.Canonicalise(one.What))];
        var ztxt = texts.Length == 0 ? null : model.EmbedTexts(texts, null, cancel);
        List<long> liked = [];
        List<(double Weight, float[] Direction)> all =
        [
            .. query.Words.Select((one, i) => (one.Weight, ztxt![i].ToArray())),
            .. query.Minus.Select((one, i) => (-one.Weight, ztxt![query.Words.Count + i].ToArray())),
            .. query.Like.Select(one => Liked(one, liked)),
        ];
        var allowed = query.Where is { } filter ? collection.Where(filter) : null;
        foreach (var unwanted in query.Without)
            allowed = collection.Here(allowed).And(Matching(unwanted.What, allowed, cancel).Not());
        if (liked.Count > 0)
        {
            Bits others = Bits.All(collection.Pictures); // nobody asks for the picture that is at hand
            liked.ForEach(picture => others[picture] = false);
            allowed = collection.Here(allowed).And(others);
        }
        return new(query, all is [var (weight, only)] && weight > 0 ? only : Sum(query, all), allowed);
    }

    private static float[] Sum(Query query, List<(double Weight, float[] Direction)> all)
    {
        var sum = new float[all[0].Direction.Length];
        foreach (var (weight, direction) in all)
            TensorPrimitives.MultiplyAdd(direction, (float)weight, sum, sum);
        return Unit(query, sum);
    }

    /// <summary>A sum of directions, made as long as 1.</summary>
    /// <exception cref="LitException">There is nothing left of it.</exception>
    public static float[] Unit(Query query, float[] sum)
    {
        var length = TensorPrimitives.Norm<float>(sum);
        if (!(length > 1e-6f))
            throw new LitException(
                $"'{query.Words}': what is added and what is taken away cancel each other. Ask for something else."
            );
        TensorPrimitives.Divide(sum, length, sum);
        return sum;
    }

    private (double Weight, float[] Direction) Liked(Ask ask, List<long> liked)
    {
        // A key may begin with a digit, and may hold a colon: what is there decides which part is a weight.
        foreach (var one in ask.Readings)
        {
            if (collection.Find(one.What) is not { } picture)
                continue;
            liked.Add(picture);
            return (one.Weight, collection.Read([picture])[0].ToArray());
        }
        if (given is not null)
            return (
                ask.Weight,
                given(ask.What)
                    ?? throw SettingException.Of<Query>(
                        q => q.Like,
                        ask.What,
                        "is not the key of a picture in the store",
                        "Give a key as a search prints it, or send the picture itself"
                    )
            );
        var file = ask.Readings.FirstOrDefault(one => File.Exists(one.What), ask);
        return (file.Weight, OfFile(model, file.What));
    }

    /// <summary>zimg of a picture in a file.</summary>
    /// <exception cref="LitException">There is no such file, or it is no picture.</exception>
    public static float[] OfFile(LitModel model, string what)
    {
        if (!File.Exists(what))
            throw SettingException.Of<Query>(
                q => q.Like,
                what,
                "is neither the key of a picture in the collection nor a file",
                "Give a key as a search prints it, or the path of a picture"
            );
        var pixels = model.Image.Preprocessing.Pixels(
            File.ReadAllBytes(what),
            DecodingOptions.Default.MaxPixels,
            DecodePath.Exact,
            what
        );
        return model.ProjectImages(new(model.Represent([pixels]), model.Image.Tower.Width))[0].ToArray();
    }

    /// <summary>The pictures that some words match, by the calibrated cut-off.</summary>
    private Bits Matching(string words, Bits? allowed, CancellationToken cancel)
    {
        if (UnknownWords.Of(model, words) is { } unknown)
            throw SettingException.Of<Query>(
                q => q.Without,
                $"'{words}'",
                $"{unknown.Why}, so the model cannot tell what shows it",
                "Say it in other words, or take the direction away with `Minus`"
            );
        var vector = model.EmbedTexts([PromptTemplates.Canonicalise(words)], null, cancel);
        for (var kept = MostJudged; ; kept = (int)Math.Min((long)kept * Wider, collection.Pictures))
        {
            var nearest = Nearest.Find(collection, vector, kept, allowed, null, cancel)[0];
            var precision = Judge(vector[0].ToArray(), nearest, allowed);
            if (nearest.Length == kept && precision[^1] >= LeftOut && kept < collection.Pictures)
                continue; // there may be more
            Bits matching = new(collection.Pictures);
            for (var i = 0; i < nearest.Length; i++)
                if (precision[i] >= LeftOut)
                    matching[nearest[i].Picture] = true;
            return matching;
        }
    }

    private double[] Judge(float[] vector, Neighbour[] nearest, Bits? allowed)
    {
        if (nearest.Length == 0)
            return [];
        var ofText = background!.OfTexts(new(vector, vector.Length))[0];
        var ofPictures = background.OfPictures(collection.Read([.. nearest.Select(one => one.Picture)]));
        return FindingCutOff.Precision(
            background,
            [.. nearest.Select((one, i) => ScoreScale.Standard(one.Similarity, ofPictures[i], ofText))],
            allowed?.Set ?? collection.Count
        );
    }

    private SearchAnswer Answer(Prepared one, FoundNearest found, int kept, Stopwatch clock, CancellationToken cancel)
    {
        var query = one.Query;
        var (nearest, recall) = (found.Nearest[0], found.Recall);
        while (query.Distinct is { } cosine)
        {
            var enough = (int)Math.Min(int.MaxValue, (long)query.Skip + query.Top);
            var distinct = Distinct(nearest, cosine, enough);
            if (distinct.Length >= enough || nearest.Length < kept || kept >= collection.Pictures)
            {
                nearest = distinct;
                break;
            }
            kept = (int)Math.Min((long)kept * Wider, collection.Pictures);
            found = Nearby(new(one.Vector, collection.Size), kept, one.Allowed, query.Exact, null, cancel);
            (nearest, recall) = (found.Nearest[0], Math.Min(recall, found.Recall));
        }
        var unknown = SearchAnswer.UnknownOf(model, query);
        if (SearchAnswer.SaysNothing(query, unknown))
            nearest = [];
        var judged = background is null || unknown.Count > 0 ? null : Judge(one.Vector, nearest, one.Allowed);
        var good = nearest
            .Select((neighbour, i) => (Neighbour: neighbour, Precision: judged?[i]))
            .Take((int)Math.Min(int.MaxValue, (long)query.Skip + query.Top))
            .Where(near => query.MinPrecision is not { } least || near.Precision >= least)
            .ToList();
        var skipped = nearest.Take(query.Skip).Select(neighbour => neighbour.Picture).ToHashSet();
        var results = good.Where(near => !skipped.Contains(near.Neighbour.Picture))
            .Select(near => (near.Neighbour.Picture, Found: Named(near.Neighbour, near.Precision)));
        if (query.Order is { } order)
            results = Ordered(results, order);
        return new(
            query,
            [.. results.Select(result => result.Found)],
            good.Count == 0,
            one.Allowed?.Set ?? collection.Count,
            recall,
            clock.Elapsed.TotalSeconds
        )
        {
            Unknown = unknown,
        };
    }

    private FoundPicture Named(Neighbour neighbour, double? precision) =>
        new(collection.Key(neighbour.Picture), collection.Origin(neighbour.Picture), neighbour.Similarity, precision)
        {
            Columns = collection.ColumnsOf(neighbour.Picture),
        };

    /// <summary>The first so many of which no two show one scene.</summary>
    private Neighbour[] Distinct(Neighbour[] nearest, double cosine, int enough)
    {
        var rows = collection.Read([.. nearest.Select(one => one.Picture)]);
        List<int> shown = [];
        for (var i = 0; i < nearest.Length && shown.Count < enough; i++)
            if (shown.TrueForAll(before => TensorPrimitives.Dot(rows[before], rows[i]) < cosine))
                shown.Add(i);
        return [.. shown.Select(i => nearest[i])];
    }

    private const string Falling = " desc";

    private static string Plain(string order) => IsFalling(order) ? order[..^Falling.Length].TrimEnd() : order;

    private static bool IsFalling(string order) => order.EndsWith(Falling, StringComparison.OrdinalIgnoreCase);

    private IEnumerable<(long Picture, FoundPicture Found)> Ordered(
        IEnumerable<(long Picture, FoundPicture Found)> results,
        string order
    )
    {
        var column = collection.Column(Plain(order))!;
        var falling = IsFalling(order);
        if (column.Kind is Stores.ColumnKind.Number or Stores.ColumnKind.Date)
        {
            var known = results.OrderBy(one => double.IsNaN(column.Numbers[one.Picture]));
            return falling
                ? known.ThenByDescending(one => column.Numbers[one.Picture])
                : known.ThenBy(one => column.Numbers[one.Picture]);
        }
        string? Text(long picture) => collection.Text(column.Name, picture);
        var texts = results.OrderBy(one => Text(one.Picture) is null);
        return falling
            ? texts.ThenByDescending(one => Text(one.Picture), StringComparer.Ordinal)
            : texts.ThenBy(one => Text(one.Picture), StringComparer.Ordinal);
    }
}

/// <summary>What was found for some words, as a page shows it.</summary>
internal sealed record SearchResult(string Text, IReadOnlyList<FoundPicture> Pictures);

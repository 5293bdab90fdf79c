using System.Security.Cryptography;
using System.Text.Json;
using Cloud.Unum.USearch;
using LiT.Search;

namespace LiT.USearch;

/// <summary>How a graph is made; what <see cref="USearchGraph"/> names for a query hangs on it.</summary>
public sealed record USearchSettings
{
    /// <summary>Neighbours of a row in the graph: more of them find more, and take more memory.</summary>
    public int Connectivity { get; init; } = 16;

    /// <summary>Rows that are compared when a row comes in: more of them make a better graph, more slowly.</summary>
    public int Expansion { get; init; } = 128;
}

/// <summary>
/// A graph of near rows (HNSW: Malkov and Yashunin 2016, arXiv 1603.09320) by USearch, in half precision. For a store
/// that is asked more often than it changes: a row takes about a thousand times as long to come in as a query takes to
/// pass over it. Rows of removed pictures stay until they are a quarter, then the graph is made anew. Not safe for use
/// from several threads; a <see cref="PictureStore"/> asks one thread at a time.
/// </summary>
/// <param name="file">
/// Where the graph is kept, with what it holds beside it in FILE.json; made where it is not there, or is damaged. Null
/// keeps it in memory alone.
/// </param>
/// <param name="settings">How it is made; those of a graph that is there already stay.</param>
public sealed class USearchGraph(string? file = null, USearchSettings? settings = null) : IVectorIndex, IDisposable
{
    private const int RowsAtOnce = 1024,
        LeastGone = 4;

    private readonly USearchSettings settings = settings ?? new();
    private Dictionary<long, VectorSegment> held = [];
    private USearchIndex? graph;
    private int size;

    /// <summary>Rows in the graph, those of removed pictures among them.</summary>
    public long Count => graph is null ? 0 : (long)graph.Size();

    /// <inheritdoc/>
    /// <exception cref="LitException">The native library is missing, or the file cannot be written.</exception>
    public void Update(StoredVectors rows, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(rows);
        try
        {
            if (graph is null && file is not null)
                Load(file, rows.Size);
            if (graph is null || !IsOf(rows))
                Begin(rows.Size);
            var before = held.Count;
            foreach (var segment in rows.Segments.Where(segment => !held.ContainsKey(segment.First)))
                Add(rows, segment, cancel);
            if (file is not null && held.Count > before)
                Save(file);
        }
        catch (Exception trouble) when (trouble is DllNotFoundException or USearchException or IOException)
        {
            throw new LitException(
                file ?? "USearch",
                trouble is DllNotFoundException ? "its native library is not there" : trouble.Message,
                trouble is DllNotFoundException
                    ? "Build the program for linux-x64, win-x64 or osx-arm64"
                    : "Give the graph a place that can be written to",
                trouble
            );
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<long>? Find(ReadOnlySpan<float> query, int count)
    {
        if (Count == 0)
            return [];
        graph!.Search(query.ToArray(), (int)Math.Min(count, Count), out var keys, out _);
        return Array.ConvertAll(keys, key => (long)key);
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        graph?.Dispose();
        (graph, held) = (null, []);
    }

    private void Begin(int numbers)
    {
        Dispose();
        size = numbers;
        graph = new(
            MetricKind.Ip,
            ScalarKind.Float16,
            (ulong)numbers,
            (ulong)settings.Connectivity,
            (ulong)settings.Expansion
        );
    }

    // Numbers that other rows have now, and many rows that nobody asks for, are reasons to begin anew.
    private bool IsOf(StoredVectors rows)
    {
        if (size != rows.Size)
            return false;
        var there = rows.Segments.ToDictionary(segment => segment.First);
        var live = 0L;
        foreach (var own in held.Values)
            if (there.TryGetValue(own.First, out var segment))
            {
                if (segment != own)
                    return false;
                for (var number = own.First; number < own.First + own.Count; number++)
                    live += rows.Holds(number) ? 1 : 0;
            }
        return LeastGone * (Count - live) <= Count;
    }

    private void Add(StoredVectors rows, VectorSegment segment, CancellationToken cancel)
    {
        List<long> numbers = [];
        for (var place = 0; place < segment.Count; place++)
            if (rows.Holds(segment.First + place))
                numbers.Add(segment.First + place);
        foreach (var some in numbers.Chunk(RowsAtOnce))
        {
            cancel.ThrowIfCancellationRequested();
            var values = new float[some.Length * size];
            rows.Read(some, values);
            for (var i = 0; i < some.Length; i++)
                if (!graph!.Contains((ulong)some[i])) // it is, where the last time was given up
                    graph.Add((ulong)some[i], values[(i * size)..((i + 1) * size)]);
        }
        held.Add(segment.First, segment);
    }

    private static string DirectoryOf(string file) => file + ".json";

    private void Load(string path, int numbers)
    {
        if (!File.Exists(path) || !File.Exists(DirectoryOf(path)))
            return;
        try
        {
            if (
                JsonSerializer.Deserialize<Contents>(File.ReadAllBytes(DirectoryOf(path))) is not { } contents
                || contents.Size != numbers
                || contents.Sha256 != Hash(path)
            )
                return;
            graph = new(path);
            (size, held) = (numbers, contents.Segments.ToDictionary(segment => segment.First));
        }
        catch (JsonException)
        {
            // Made anew.
        }
    }

    // Whoever is killed in between leaves a graph that its contents do not speak of: it is made anew.
    private void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        graph!.Save(path + ".new");
        File.Move(path + ".new", path, overwrite: true);
        Contents contents = new(size, Hash(path), [.. held.Values]);
        File.WriteAllBytes(DirectoryOf(path) + ".new", JsonSerializer.SerializeToUtf8Bytes(contents));
        File.Move(DirectoryOf(path) + ".new", DirectoryOf(path), overwrite: true);
    }

    private static string Hash(string path)
    {
        using var bytes = File.OpenRead(path);
        return Convert.ToHexString(SHA256.HashData(bytes));
    }

    private sealed record Contents(int Size, string Sha256, IReadOnlyList<VectorSegment> Segments);
}

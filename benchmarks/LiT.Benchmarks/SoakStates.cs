using System.Collections.Concurrent;
using System.Diagnostics;
using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text.Json;
using LiT.Classification;
using LiT.Search;
using LiT.Stores;

namespace LiT.Benchmarks;

/// <summary>
/// What a store holds, and held before each change: the similarity of every picture with each of the texts that are
/// asked for, so that an answer can be told right or wrong by going over all of it.
/// </summary>
internal sealed class SoakStates : IDisposable
{
    // Rows are kept in 16 bits, and texts that go through a tower together differ in their last bits.
    private const float Near = 2e-3f;
    private const int AtOnce = 64,
        Added = 40,
        Removed = 30;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(300),
        Lag = TimeSpan.FromSeconds(30); // a server looks once a second, and a busy one opens a store later than that

    private readonly ConcurrentDictionary<string, Life> lives = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, State> states = [];
    private readonly Embeddings texts;
    private readonly string? folder;
    private readonly Random chance = new(1);
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private int now,
        made;

    private SoakStates(Embeddings texts, string? folder) => (this.texts, this.folder) = (texts, folder);

    /// <summary>From which state to which a picture was there, and how near it is to each text.</summary>
    private sealed record Life(int Born, float[] Near)
    {
        public int Died { get; set; } = int.MaxValue;
    }

    /// <summary>How many pictures there were, the best similarities for each text, and until when.</summary>
    private sealed record State(int Pictures, float[][] Best)
    {
        public TimeSpan Until { get; set; } = TimeSpan.MaxValue;
    }

    /// <summary>The number of the state that the store is in.</summary>
    public int Now => Volatile.Read(ref now);

    /// <summary>How many pictures it holds.</summary>
    public int Pictures => states[Now].Pictures;

    /// <summary>Reads a store; with a place to copy it to, the copy is what <see cref="Write"/> changes.</summary>
    public static SoakStates Of(string folder, string bundle, string? copy)
    {
        using var model = LitModel.Load(bundle);
        string[] all = [.. Enumerable.Range(0, SoakBenchmark.Texts).Select(SoakBenchmark.Text)];
        if (copy is not null)
            foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
            {
                var place = Path.Combine(copy, Path.GetRelativePath(folder, file));
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                File.Copy(file, place);
            }
        if (copy is not null && model.Towers.ImageHead is not null)
            throw new LitException(bundle, "brings rows to the texts by a head", "Give a model without one to grow");
        SoakStates states = new(model.EmbedTexts([.. all.Select(text => PromptTemplates.Canonicalise(text))]), copy);
        using var store = EmbeddingStore.Open(copy ?? folder, wordsLater: true);
        using var collection = Collection.Of(model, store);
        for (var first = 0L; first < collection.Pictures; first += AtOnce)
        {
            long[] some =
            [
                .. Enumerable
                    .Range(0, AtOnce)
                    .Select(i => first + i)
                    .Where(i => i < collection.Pictures && collection.Holds(i)),
            ];
            var rows = collection.Read(some);
            foreach (var (i, picture) in some.Index())
                states.lives[collection.Key(picture)] = new(0, states.NearTexts(rows[i]));
        }
        states.states[0] = states.Said();
        return states;
    }

    /// <summary>Changes the copy until it is told to end; gives the number of changes.</summary>
    public int Write(CancellationToken end)
    {
        var changes = 0;
        if (folder is null)
            return changes;
        var usual = Pictures;
        for (; !end.IsCancellationRequested; changes++)
        {
            if (changes % 8 == 7)
                StoreCompaction.Run(folder);
            else
                Change(
                    added: Pictures > 2 * usual ? 0 : Added,
                    removed: changes % 2 == 1 || Pictures > 2 * usual ? Removed : 0
                );
            foreach (var old in states.Where(one => one.Value.Until < clock.Elapsed - 2 * Lag))
                states.TryRemove(old.Key, out _);
            end.WaitHandle.WaitOne(Pause);
        }
        return changes;
    }

    /// <summary>Why an answer is right for no state that the store was in lately; null where it is for one.</summary>
    /// <param name="text">The number of the text; null for one that is not known, which is only counted.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="oldest">The state in which the store was when it was asked.</param>
    public string? WhatIsWrong(int? text, JsonElement answer, int oldest)
    {
        var (searched, results) = (answer.GetProperty("searched").GetInt32(), answer.GetProperty("results"));
        (string Key, float Near)[] found =
        [
            .. results
                .EnumerateArray()
                .Select(one => (one.GetProperty("key").GetString()!, one.GetProperty("similarity").GetSingle())),
        ];
        var since = clock.Elapsed - Lag;
        var possible = states.Where(one => one.Key >= oldest || one.Value.Until > since).ToList();
        return possible.Exists(one => IsRight(one.Key, one.Value, text, searched, found))
            ? null
            : $"{searched} searched, {string.Join(' ', found)}: right for none of {possible.Count} states, of "
                + $"which the last has {Pictures} pictures";
    }

    public void Dispose() => states.Clear();

    private bool IsRight(int number, State state, int? text, int searched, (string Key, float Near)[] found)
    {
        if (state.Pictures != searched || found.Length != Math.Min(SoakBenchmark.Top, searched))
            return false;
        for (var i = 0; i < found.Length; i++)
            if (
                !lives.TryGetValue(found[i].Key, out var life)
                || life.Born > number
                || life.Died <= number
                || (
                    text is { } known
                    && (
                        Math.Abs(found[i].Near - state.Best[known][i]) > Near
                        || Math.Abs(found[i].Near - life.Near[known]) > Near
                    )
                )
            )
                return false;
        return true;
    }

    private void Change(int added, int removed)
    {
        using var store = EmbeddingStore.Open(folder!, wordsLater: true);
        using StoreAddition addition = new(
            StoreAddition.NextIn(StoreFolder.UpdatePath(folder!)),
            store.Description ?? throw new LitException(folder!, "does not say what made it", "Embed it again")
        );
        StoreChange change = new(store) { Added = addition };
        var next = now + 1;
        for (var i = 0; i < added; i++)
        {
            var (key, row) = ($"soak{made++}.jpg", Made());
            addition.Append(
                new(key, $"made/{key}") { Captions = [$"picture {made}"] },
                new(64, 48, SHA256.HashData(BitConverter.GetBytes(made))),
                row
            );
            lives[key] = new(next, NearTexts(row));
        }
        var gone = chance.GetItems([.. Enumerable.Range(0, (int)store.Rows)], removed).Distinct();
        foreach (var row in gone)
            if (lives.TryGetValue(store.Key(row), out var life) && life.Died == int.MaxValue)
            {
                change.Remove(row);
                life.Died = next;
            }
        // Known before it can be asked for.
        states[next] = Said();
        states[now].Until = clock.Elapsed;
        Volatile.Write(ref now, next);
        _ = change.Commit() ?? throw new InvalidOperationException("Another program changed the store.");
        StoreFolder.ClearUpdate(folder!);
    }

    /// <summary>A row of unit length, now and then near one of the texts, so that answers change.</summary>
    private float[] Made()
    {
        var row = new float[texts.Size];
        for (var k = 0; k < row.Length; k++)
            row[k] = (float)(chance.NextDouble() - 0.5);
        if (chance.Next(4) == 0)
            TensorPrimitives.MultiplyAdd(texts[chance.Next(texts.Count)], 0.3f * row.Length, row, row);
        TensorPrimitives.Divide(row, TensorPrimitives.Norm<float>(row), row);
        return row;
    }

    private float[] NearTexts(ReadOnlySpan<float> row)
    {
        var near = new float[texts.Count];
        for (var i = 0; i < near.Length; i++)
            near[i] = TensorPrimitives.Dot(row, texts[i]);
        return near;
    }

    private State Said()
    {
        var alive = lives.Values.Where(one => one.Died == int.MaxValue).ToList();
        return new(
            alive.Count,
            [
                .. Enumerable
                    .Range(0, texts.Count)
                    .Select(text =>
                        alive.Select(one => one.Near[text]).OrderDescending().Take(SoakBenchmark.Top).ToArray()
                    ),
            ]
        );
    }
}

using LiT.Search;
using Microsoft.AspNetCore.Mvc;

namespace LiT.Server.Api;

/// <summary>A picture of a store that nobody looked for.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Origin">Where it came from.</param>
/// <param name="Columns">What the store says of it.</param>
internal sealed record SomePicture(string Key, string Origin, IReadOnlyDictionary<string, object> Columns);

/// <summary>Some pictures of a store.</summary>
/// <param name="Store">The store.</param>
/// <param name="Results">The pictures, in the store's order.</param>
internal sealed record SamplesResponse(string Store, IReadOnlyList<SomePicture> Results);

/// <summary>/v1/samples: what there is, before anybody knows what to look for.</summary>
internal static class Samples
{
    private const int Usual = 24;

    public static void Map(IEndpointRouteBuilder v1) =>
        v1.MapGet("/samples", ([FromQuery] string? store, [FromQuery] int? top, [FromQuery] int? seed, Served served) =>
            {
                if (top is <= 0 or > Bounds.Sampled)
                    throw RefusedException.TooMuch("top", $"{top}", $"Give 1 to {Bounds.Sampled:N0} pictures");
                var asked = served.Store(store);
                using var now = asked.Hold();
                return TypedResults.Ok(new SamplesResponse(asked.Name, Of(now.Collection, top ?? Usual, seed ?? 0)));
            })
            .WithName("samples")
            .WithSummary("Some pictures of a store, spread over it; another seed gives others.");

    /// <summary>One of each of so many equal stretches of the store; none of a stretch that was removed.</summary>
    internal static IReadOnlyList<SomePicture> Of(Collection collection, int top, int seed)
    {
        var count = Math.Min(top, collection.Pictures);
        var all = new List<SomePicture>((int)count);
        for (var i = 0L; i < count; i++)
        {
            var (from, length) = (Stretch(i), Stretch(i + 1) - Stretch(i));
            var chance =
                (long)(SplitMix64.Mixed(unchecked((ulong)seed * SplitMix64.Step + (ulong)i + 1)) >> 1) % length;
            for (var step = 0L; step < length; step++)
                if (from + (chance + step) % length is var picture && collection.Holds(picture))
                {
                    all.Add(new(collection.Key(picture), collection.Origin(picture), collection.ColumnsOf(picture)));
                    break;
                }
        }
        return all;

        long Stretch(long i) => (long)((Int128)i * collection.Pictures / count);
    }
}

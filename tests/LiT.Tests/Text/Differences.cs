using System.Text.Json;

namespace LiT.Tests.Text;

internal static class Differences
{
    /// <summary>
    /// Compares ids for every case that has the field; the failure names the first strings that differ.
    /// </summary>
    internal static void Expect(JsonElement cases, string field, Func<string, long[], long[]> ids)
    {
        var differing = new List<string>();
        var compared = 0;
        foreach (var one in cases.EnumerateArray())
        {
            if (!one.TryGetProperty(field, out var value))
                continue;
            compared++;
            var text = one.GetProperty("text").GetString()!;
            var expected = value.EnumerateArray().Select(id => id.GetInt64()).ToArray();
            var got = ids(text, expected);
            if (!expected.SequenceEqual(got))
                differing.Add(
                    $"{JsonSerializer.Serialize(text)}: expected [{string.Join(' ', expected)}], got "
                        + $"[{string.Join(' ', got)}]"
                );
        }
        Assert.NotEqual(0, compared);
        Assert.True(
            differing.Count == 0,
            $"{field}: {differing.Count} of {compared} strings differ{Environment.NewLine}"
                + string.Join(Environment.NewLine, differing.Take(5))
        );
    }
}

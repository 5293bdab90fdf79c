using LiT.Data;

namespace LiT.Tests.Data;

public sealed class CompactTextsTests
{
    private static readonly string[] Odd =
    [
        "",
        "a",
        "ein Hund",
        "猫が好き",
        "🦄",
        "\ud83e", // half of a letter
        "\udd84\ud83e",
        "\ufffd",
        new('x', 3 << 20), // longer than a block
        "\0",
        "é",
        "e\u0301",
    ];

    [Fact]
    public void A_text_comes_back_letter_for_letter_whatever_it_is()
    {
        CompactTexts texts = new();
        for (var i = 0; i < Odd.Length; i++)
            Assert.Equal(i, texts.Add(Odd[i]));
        Assert.Equal(Odd, Enumerable.Range(0, texts.Count).Select(i => texts[i]));
        for (var i = 0; i < Odd.Length; i++)
        for (var other = 0; other < Odd.Length; other++)
            Assert.Equal(i == other, texts.Is(i, Odd[other]));
    }

    [Fact]
    public void It_is_found_among_many_and_nothing_else_is()
    {
        CompactTexts texts = new(findable: true);
        Assert.Equal(-1, texts.Find("a"));
        string[] all = [.. Odd, .. Enumerable.Range(0, 50_000).Select(i => $"key {i}")];
        foreach (var text in all)
            texts.Add(text);
        Assert.Equal(Enumerable.Range(0, all.Length), all.Select(texts.Find));
        Assert.Equal([-1, -1, -1], new[] { "key 50000", "key", "\ud83f" }.Select(texts.Find));
    }
}

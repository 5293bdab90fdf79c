using LiT.Classification;
using LiT.Text;

namespace LiT.Tests.Evaluation;

/// <summary>Names are compared by what the text tower reads of them, not as they are written.</summary>
public class ClassPromptsTests
{
    private static readonly CaptionTokenizer Tokenizer = CaptionTokenizer.LitBert(
        new WordPiece([
            "[PAD]",
            "[UNK]",
            "[CLS]",
            "a",
            "photo",
            "of",
            "picture",
            "the",
            "hot",
            "dog",
            "c",
            "cafe",
            "cat",
            "##s",
            "7",
        ]),
        8
    );

    private static (IReadOnlyList<string>, IReadOnlyList<Prompt>, CaptionTokenizer) Of(params string[] names) =>
        (names, PromptTemplates.Fill(names, PromptTemplates.Default), Tokenizer);

    [Theory]
    [InlineData("C++", "C#", "reads 'c' for both")]
    [InlineData("hot_dog", "hot dog", "reads 'hot dog' for both")]
    [InlineData("Hot Dog", "hot-dog's", null)]
    [InlineData("café", "cafe", "reads 'cafe' for both")] // the vocabulary's reading takes accents off
    [InlineData("zebra", "gnu", "reads '[UNK]' for both")] // neither is known
    [InlineData("cat", "cats", null)]
    [InlineData("dog a a a a a a a", "dog a a a a a a b", "in the room it has")] // cut at the row's end
    public void Two_names_that_become_one_row_are_told(string first, string second, string? reads)
    {
        var (names, prompts, tokenizer) = Of(first, "picture, image", second);
        if (reads is null)
        {
            Assert.Empty(ClassPrompts.Twins(prompts, tokenizer));
            ClassPrompts.Refuse(names, prompts, tokenizer);
            return;
        }
        Assert.Equal([(0, 2)], ClassPrompts.Twins(prompts, tokenizer));
        Assert.Contains(
            reads,
            Assert.Throws<LitException>(() => ClassPrompts.Refuse(names, prompts, tokenizer)).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"the classes 0 '{first}' and 2 '{second}' are the same to the text tower",
            ClassPrompts.Oddities(names, prompts, tokenizer).First(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_label_of_which_no_piece_is_known_is_told()
    {
        var (names, prompts, tokenizer) = Of("dog", "犬", "zebra dog");
        Assert.Equal(
            ["'犬': the model's vocabulary knows no piece of it, so that it says nothing to the text tower."],
            ClassPrompts.Oddities(names, prompts, tokenizer)
        );
    }

    [Theory]
    [InlineData("犬 7", true)]
    [InlineData("犬7", true)]
    [InlineData("dog 7", false)]
    [InlineData("7", false)]
    public void A_number_makes_no_word_known(string name, bool unread)
    {
        Assert.Equal(unread, ClassPrompts.IsUnread(name, Tokenizer));
    }

    [Fact]
    public void Many_twins_are_one_sentence()
    {
        var (names, prompts, tokenizer) = Of("a", "A", "a.", "-a", "_a", "a!");
        Assert.StartsWith(
            "5 classes are each the same as an earlier one (0 'a' and 1 'A', 0 'a' and 2 'a.', 0 'a' "
                + "and 3 '-a' and 2 more), the same",
            Assert.Single(ClassPrompts.Oddities(names, prompts, tokenizer)),
            StringComparison.Ordinal
        );
    }
}

using LiT.Classification;
using LiT.Data;
using LiT.Evaluation;

namespace LiT.Tests.Evaluation;

/// <summary>
/// Class names and templates in the forms that people have, and what is wrong with them when something is.
/// </summary>
public sealed class ClassListTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void A_class_may_begin_with_a_hash_and_a_remark_has_a_blank_behind_it()
    {
        using TemporaryFolder folder = new();
        var path = folder.Write("classes.txt", "# ten classes\nplane\n#bird\n#\n#\tpets\ncat\n");
        Assert.Equal(["plane", "#bird", "cat"], ClassLists.Read(path).Names.Names);
    }

    [Theory]
    [InlineData("one a line", "# classes\ntench, Tinca tinca\ngoldfish\n\n", null)]
    [InlineData("a JSON list", """["tench, Tinca tinca", "goldfish"]""", null)]
    [InlineData("a Python list", "['tench, Tinca tinca', \"goldfish\",]", null)]
    [InlineData(
        "lists by data set",
        """{"cars": ["a"], "imagenet1k": ["tench, Tinca tinca", "goldfish"]}""",
        "imagenet1k"
    )]
    [InlineData("the only list", """{"imagenet1k": ["tench, Tinca tinca", "goldfish"]}""", null)]
    [InlineData("names by number", """{"0": "tench, Tinca tinca", "1": "goldfish"}""", null)]
    [InlineData(
        "ids and names by number",
        """{"1": ["n01443537", "goldfish"], "0": ["n01440764", "tench, Tinca tinca"]}""",
        null
    )]
    [InlineData("ids and names by line", "n01440764 tench, Tinca tinca\nn01443537\tgoldfish\n", null)]
    public void Lists_are_read_in_the_forms_that_people_have(string form, string content, string? key)
    {
        var list = ClassLists.Read(folder.Write("classes", content), key is null ? [] : [key]);
        Assert.Equal(["tench, Tinca tinca", "goldfish"], list.Names.Names);
        Assert.Equal(1, list.Names.IndexOf("goldfish"));
        if (form.StartsWith("ids", StringComparison.Ordinal))
            Assert.Equal(0, list.Names.IndexOf("n01440764"));
    }

    [Theory]
    [InlineData("a\n\nb\n", "classes, line 2: an empty line between class names")]
    [InlineData("""["a", "", "c"]""", "class name 1 (counted from 0) is empty")]
    [InlineData("""{"de": ["a", null]}""", "class name 1 (counted from 0) is empty")]
    [InlineData("""{"0": "a", "2": "b"}""", "there is no class 1 among 2")]
    [InlineData("""{"de": ["a"], "fr": ["b"]}""", "holds several class lists (de, fr)")]
    [InlineData("a\n???\n", "Class 1 is called '???'")]
    [InlineData("0\ta cat\n1\ta dog\n", "class 0, '0<tab>a cat', is a row of columns")]
    [InlineData("", "There is no class")]
    public void A_hole_in_a_list_is_named(string content, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<LitException>(() => ClassLists.Read(folder.Write("classes", content))).Message
        );

    [Fact]
    public void A_list_that_a_file_lacks_is_named_with_those_it_has() =>
        Assert.Contains(
            "no list called 'it'; its class lists are de, fr",
            Assert
                .Throws<LitException>(() =>
                    ClassLists.Read(folder.Write("classes", """{"de": ["a"], "fr": ["b"]}"""), "it")
                )
                .Message
        );

    [Theory]
    [InlineData("a photo of a {}.\n# no\nart of {}\n")]
    [InlineData("""["a photo of a {c}.", "art of {}"]""")]
    [InlineData("""{"pets": ["a photo of a {c}.", "art of {c}"]}""")]
    [InlineData("[\n    lambda c: f'a photo of a {c}.',\n    lambda name: f\"art of {name}\",\n]\n")]
    public void Templates_are_read_in_the_forms_that_people_have(string content) =>
        Assert.Equal(["a photo of a {}.", "art of {}"], PromptTemplates.Read(folder.Write("templates", content)));

    [Theory]
    [InlineData("a photo\n", "line 1: the template 'a photo' has no {}")]
    [InlineData("""["{} and {}"]""", "has 2 places {}")]
    [InlineData("# nothing\n", "there is no template in it")]
    public void A_template_that_cannot_be_filled_is_named(string content, string expected) =>
        Assert.Contains(
            expected,
            Assert.Throws<LitException>(() => PromptTemplates.Read(folder.Write("templates", content))).Message
        );

    [Fact]
    public void The_published_sets_are_there_by_name()
    {
        Assert.Equal(["{}"], TemplateSets.Open("class_name_only").Texts);
        // the 80 of the paper and the bare name
        Assert.Equal(81, TemplateSets.Open("clip_paper").Texts.Distinct().Count());
        Assert.Equal(8, TemplateSets.Open("clip_best").Texts.Count);
        Assert.All(TemplateSets.Open("clip_paper").Texts, template => Assert.Equal(2, template.Split("{}").Length));
        Assert.Contains(
            "there is no such file, and no set",
            Assert.Throws<LitException>(() => TemplateSets.Open("clip_worst")).Message
        );
        Assert.Contains(
            "Name the set with `TestSet`",
            Assert.Throws<LitException>(() => TemplateSets.Open("clip")).Message
        );
    }

    [Fact]
    public void A_class_that_begins_like_another_is_its_own_class()
    {
        var labels = Labels.Match(
            [Of("crane"), Of("crane bird"), Of("crane")],
            "data",
            new ClassNames(["crane bird", "crane"])
        );
        Assert.Equal([1, 0, 1], labels.Of);
    }

    [Fact]
    public void Folders_that_differ_only_in_case_are_named() =>
        Assert.Contains(
            "'Cat' and 'cat' differ only in case",
            Assert.Throws<LitException>(() => Labels.Match([Of("cat"), Of("Cat"), Of("dog")], "data", null)).Message
        );

    [Fact]
    public void A_published_list_may_name_two_classes_alike_as_long_as_labels_are_numbers()
    {
        var names = ClassLists.Read(folder.Write("classes", "missile\nship\nmissile\n")).Names;
        var labels = Labels.Match([Of("0"), Of("2"), Of("1")], "data", names);
        Assert.Equal([0, 2, 1], labels.Of);
        Assert.Contains("classes 0 and 2 are both called 'missile'", Assert.Single(labels.Oddities()));
        Assert.Contains(
            "is the name of the classes 0 and 2",
            Assert.Throws<LitException>(() => names.IndexOf("Missile")).Message
        );
    }

    [Fact]
    public void A_longer_list_than_the_labels_is_said() =>
        Assert.Contains(
            "1 of 3 classes have no picture ('c')",
            Assert.Single(Labels.Match([Of("0"), Of("1")], "data", new ClassNames(["a", "b", "c"])).Oddities())
        );

    private static Sample Of(string label) => new(label, label) { Label = label };
}

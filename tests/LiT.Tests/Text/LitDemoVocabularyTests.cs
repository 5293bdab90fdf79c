using LiT.Tests.Parity;

namespace LiT.Tests.Text;

/// <summary>The 16,000 pieces that the authors published with their demo of LiT-L16S and LiT-L16Ti.</summary>
public class LitDemoVocabularyTests
{
    [Fact]
    public void The_published_vocabulary_gives_the_ids_of_the_reference()
    {
        var folder = new FixtureFolder(SharedData.PathOf("lit_demo", "vocabulary"));
        var cases = SentencePieceFixtures.CasesOf(folder).ToList();
        Assert.NotEmpty(cases);
        foreach (var one in cases)
            one.Run();
    }
}

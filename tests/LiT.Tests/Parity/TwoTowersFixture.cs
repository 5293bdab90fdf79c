using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Parity;

/// <summary>Whole LiT and SigLIP models: both towers, heads, unit length, temperature, bias, probabilities.</summary>
public sealed class TwoTowersFixture : IFixtureKind
{
    public string Folder => "lit_two_towers_npz";

    public IEnumerable<FixtureCase> Cases(FixtureFolder folder)
    {
        foreach (var model in folder.Meta.GetProperty("architecture").EnumerateObject())
        {
            var (name, said) = (model.Name, model.Value);
            // The number of BERT's heads is in no file; everything else must be found without being told.
            var text = new TextTowerOptions
            {
                Heads =
                    said.GetProperty("text_model").GetString() == "bert"
                        ? said.GetProperty("text").GetProperty("heads").GetInt32()
                        : null,
            };
            var image = ImageFixtures.TrainedGrid(said.GetProperty("image"));
            yield return new($"{name}, numbers", () =>
            {
                using var scope = NewDisposeScope();
                using var no = no_grad();
                using var loaded = TwoTowersLoader.Load(folder.PathOf($"{name}.npz"), image, text);
                var towers = loaded.Towers;
                var pixels = folder.Floats($"{name}_images.npy").permute(0, 3, 1, 2).contiguous();
                var ids = folder.Ids($"{name}_tokens.npy");
                var (f, g) = (towers.Image!.call(pixels), towers.Text.call(ids));
                folder.Close(towers.ImageHead?.call(f) ?? f, $"{name}_zimg_unnormalised.npy");
                folder.Close(towers.TextHead?.call(g) ?? g, $"{name}_ztxt_unnormalised.npy");
                var (zimg, ztxt) = (towers.EmbedImages(pixels), towers.EmbedTexts(ids));
                folder.Close(zimg, $"{name}_zimg.npy");
                folder.Close(towers.ProjectImages(f), $"{name}_zimg.npy");
                folder.Close(ztxt, $"{name}_ztxt.npy");
                folder.Close(zimg.matmul(ztxt.t()), $"{name}_similarity.npy");
                var logits = towers.Logits(zimg, ztxt);
                folder.Close(logits, $"{name}_logits.npy");
                if (towers.Bias is not null)
                    folder.Close(towers.ProbabilitiesOverTexts(logits), $"{name}_probs.npy");
                else
                {
                    folder.Close(towers.ProbabilitiesOverTexts(logits), $"{name}_probs_over_texts.npy");
                    folder.Close(towers.ProbabilitiesOverImages(logits), $"{name}_probs_over_images.npy");
                }
            });
            yield return new($"{name}, what the file says of itself", () =>
            {
                using var checkpoint = Checkpoint.Open(folder.PathOf($"{name}.npz"));
                Assert.True(TwoTowersLoader.Holds(checkpoint));
                using var loaded = TwoTowersLoader.Load(checkpoint, image, text);
                Assert.Equal(said.GetProperty("exp_t").GetDouble(), loaded.Towers.Temperature, 5);
                Assert.Equal(
                    said.GetProperty("b").ValueKind == System.Text.Json.JsonValueKind.Null,
                    loaded.Towers.Bias is null
                );
                Assert.Equal(
                    said.GetProperty("out_dim")[0].ValueKind == System.Text.Json.JsonValueKind.Null,
                    loaded.Towers.ImageHead is null
                );
                Assert.Equal(said.GetProperty("out_dim")[1].GetInt32(), loaded.Towers.EmbeddingSize);
                Assert.All(loaded.Towers.Image!.parameters(), weight => Assert.False(weight.requires_grad));
            });
        }
    }
}

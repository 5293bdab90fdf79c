using LiT.Checkpoints;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public class TwoTowersLoaderTests
{
    // A LiT file of the smallest sizes: one block each, image width 8, text width 4, common size 8.
    private static Dictionary<string, Tensor> Smallest()
    {
        var file = new Dictionary<string, Tensor> { ["t"] = tensor(new[] { 2f }) };
        Block("img/Transformer/encoderblock_0/", 8);
        Block("txt/Encoder_0/encoderblock_0/", 4);
        Norm("img/Transformer/encoder_norm", 8);
        Norm("txt/Encoder_0/encoder_norm", 4);
        Dense("img/embedding", [2, 2, 3, 8], 8);
        Dense("txt/head", [4, 8], 8);
        file["img/cls"] = randn(1, 1, 8);
        file["img/Transformer/posembed_input/pos_embedding"] = randn(1, 5, 8);
        file["txt/Embed_0/embedding"] = randn(10, 4);
        file["txt/pos_embedding"] = randn(1, 6, 4);
        return file;

        void Block(string at, int width)
        {
            Norm(at + "LayerNorm_0", width);
            Norm(at + "LayerNorm_1", width);
            foreach (var part in (string[])["query", "key", "value"])
            {
                file[$"{at}MultiHeadDotProductAttention_0/{part}/kernel"] = randn(width, 2, width / 2);
                file[$"{at}MultiHeadDotProductAttention_0/{part}/bias"] = randn(2, width / 2);
            }
            Dense(at + "MultiHeadDotProductAttention_0/out", [2, width / 2, width], width);
            Dense(at + "MlpBlock_0/Dense_0", [width, 12], 12);
            Dense(at + "MlpBlock_0/Dense_1", [12, width], width);
        }
        void Norm(string at, int width) => (file[at + "/scale"], file[at + "/bias"]) = (randn(width), randn(width));
        void Dense(string at, long[] kernel, int outputs) =>
            (file[at + "/kernel"], file[at + "/bias"]) = (randn(kernel), randn(outputs));
    }

    private static Checkpoint File(Dictionary<string, Tensor> tensors) =>
        new MemoryCheckpoint(tensors) { Path = "lit.npz" };

    [Fact]
    public void Heads_and_bias_are_there_when_the_file_has_them_and_the_image_tower_is_locked()
    {
        using var scope = NewDisposeScope();
        using var plain = TwoTowersLoader.Load(File(Smallest()));
        Assert.Null(plain.Towers.ImageHead);
        Assert.Null(plain.Towers.Bias);
        Assert.Equal(8, plain.Towers.EmbeddingSize);
        Assert.True(plain.Towers.Image!.Locked);

        var full = Smallest();
        (full["b"], full["img/head/kernel"], full["img/head/bias"]) = (tensor(new[] { -3f }), randn(8, 8), randn(8));
        using var loaded = TwoTowersLoader.Load(File(full));
        Assert.Equal((8, 8), (loaded.Towers.ImageHead!.Inputs, loaded.Towers.ImageHead.Outputs));
        Assert.Equal(-3f, loaded.Towers.Bias!.item<float>());
        Assert.Equal([3, 8], loaded.Towers.EmbedImages(randn(3, 3, 4, 4)).shape);
    }

    [Fact]
    public void A_file_without_temperature_or_with_sides_that_do_not_meet_is_refused_in_one_line()
    {
        using var scope = NewDisposeScope();
        var untempered = Smallest();
        untempered.Remove("t");
        Assert.False(TwoTowersLoader.Holds(File(untempered)));
        Refused(untempered, "holds no two towers: there is no temperature 't'");

        var apart = Smallest();
        (apart["img/head/kernel"], apart["img/head/bias"]) = (randn(8, 5), randn(5));
        Refused(apart, "its image side gives 5 numbers and its text side 8");

        var mismatched = Smallest();
        mismatched["txt/head/kernel"] = randn(7, 8);
        Refused(mismatched, "'txt/head/kernel' takes 7 numbers, and its tower gives 4");

        var strange = Smallest();
        strange["t"] = randn(2);
        Refused(strange, "'t' has the shape [2] where one number is expected");

        static void Refused(Dictionary<string, Tensor> file, string message)
        {
            var error = Assert
                .Throws<LitException>(() =>
                {
                    TwoTowersLoader.Load(File(file));
                })
                .Message;
            Assert.Contains(message, error);
            Assert.DoesNotContain('\n', error);
        }
    }
}

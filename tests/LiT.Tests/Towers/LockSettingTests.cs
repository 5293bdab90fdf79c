using System.Text.Json;
using LiT.Towers;
using static TorchSharp.torch;

namespace LiT.Tests.Towers;

public class LockSettingTests
{
    private static TwoTowers Towers() =>
        new(
            new CifarResNetConfig
            {
                Blocks = 1,
                Width = 4,
                Stages = 2,
                ImageSize = 16,
            }.Create(1),
            Head.Create(8, 12, 2),
            TextTowerLoader.Create("text:width=16,depth=1,heads=2,mlp=16", 10, 6, 3),
            Head.Create(16, 12, 4),
            Math.Log(10),
            bias: -2
        );

    [Theory]
    [InlineData("Lu", false, true)]
    [InlineData("LU", false, true)]
    [InlineData("Uu", true, true)]
    [InlineData("UU", true, true)]
    [InlineData("uu", true, true)]
    [InlineData("LL", false, false)]
    public void A_setting_says_which_towers_take_gradients_and_heads_temperature_and_bias_always_do(
        string letters,
        bool image,
        bool text
    )
    {
        using var scope = NewDisposeScope();
        var towers = Towers();
        LockSetting.Parse(letters).ApplyTo(towers);
        towers.train();
        towers.Logits(towers.EmbedImages(rand(4, 3, 16, 16)), towers.EmbedTexts(ones(4, 6, int64))).sum().backward();
        foreach (var (name, parameter) in towers.named_parameters())
        {
            var expected = name.StartsWith("image.", StringComparison.Ordinal)
                ? image
                : !name.StartsWith("text.", StringComparison.Ordinal) || text;
            Assert.True(expected == parameter.requires_grad, name);
            Assert.True(expected == parameter.grad is not null, $"{name}: gradient");
        }
        Assert.Equal(image, towers.Image!.training);
        Assert.Equal(text, towers.Text.training);
        Assert.True(towers.training);
    }

    [Fact]
    public void The_statistics_of_a_locked_image_tower_never_move_even_when_training_mode_is_asked_for()
    {
        using var scope = NewDisposeScope();
        var towers = Towers();
        LockSetting.Parse("Lu").ApplyTo(towers);
        var before = towers.Image!.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        towers.train();
        towers.Image.train();
        towers.EmbedImages(rand(8, 3, 16, 16) * 5);
        Assert.All(towers.Image.state_dict(), entry => Assert.True(entry.Value.Equals(before[entry.Key]), entry.Key));
    }

    [Fact]
    public void The_statistics_of_an_unlocked_image_tower_move_in_training_mode()
    {
        using var scope = NewDisposeScope();
        var towers = Towers();
        LockSetting.Parse("Uu").ApplyTo(towers);
        var before = towers.Image!.state_dict().ToDictionary(entry => entry.Key, entry => entry.Value.clone());
        towers.train();
        towers.EmbedImages(rand(8, 3, 16, 16) * 5);
        Assert.Contains(towers.Image.state_dict(), entry => !entry.Value.Equals(before[entry.Key]));
    }

    [Fact]
    public void Settings_that_train_the_image_tower_refuse_stored_representations()
    {
        using var scope = NewDisposeScope();
        var towers = new TwoTowers(
            null,
            null,
            TextTowerLoader.Create("text:width=16,depth=1,heads=2", 10, 6, 3),
            null,
            0
        );
        LockSetting.Parse("Lu").ApplyTo(towers);
        Assert.Contains(
            "Tune on pictures, or with Lu, LU or LL",
            Assert.Throws<LitException>(() => LockSetting.Parse("UU").ApplyTo(towers)).Message
        );
    }

    [Fact]
    public void Letters_are_what_is_written_to_files_and_read_from_them()
    {
        Assert.Equal("\"Lu\"", JsonSerializer.Serialize(LockSetting.Parse("Lu")));
        Assert.All(LockSetting.All, setting =>
        {
            Assert.Equal(setting, JsonSerializer.Deserialize<LockSetting>($"\"{setting}\""));
            Assert.Equal(setting, LockSetting.Of(setting.Image, setting.Text));
        });
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<LockSetting>("\"lU\""));
        Assert.Contains(
            "Choose one of Lu, LU, Uu, UU, uu, LL",
            Assert.ThrowsAny<UsageException>(() => LockSetting.Parse("lu")).Message
        );
    }
}

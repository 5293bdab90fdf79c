namespace LiT.Cli.Tests;

public class FrameTests
{
    [Fact]
    public void Help_names_every_verb_and_goes_to_standard_output()
    {
        var help = Lit.Run("--help").Expect(0);
        Assert.Contains("lit [command] [options]", help.Output);
        Assert.Empty(help.Talk);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("doctor", "--threads", "-3")]
    [InlineData("doctor", "--threads", "many")]
    [InlineData("doctor", "--dtype", "float8")]
    [InlineData("tune", "--data", "pictures", "--out", "run", "--lr", "nan")]
    [InlineData("tune", "--data", "pictures", "--out", "run", "--ema", "inf")]
    [InlineData("tune", "--data", "pictures", "--out", "run", "--epochs", "0")]
    [InlineData("tune", "--data", "pictures", "--out", "run", "--clip", "0")]
    [InlineData("pretrain", "--data", "pictures", "--out", "run", "--weight-decay", "NaN")]
    [InlineData("pretrain", "--data", "pictures", "--out", "run", "--tower", "vit:Ti/16", "--width", "8")]
    public void Wrong_usage_ends_with_2_one_line_and_the_way_to_help(params string[] arguments)
    {
        var wrong = Lit.Run(arguments).Expect(2);
        Assert.Empty(wrong.Output);
        Assert.StartsWith("lit: ", wrong.Talk);
        Assert.Contains("--help", wrong.Talk);
    }

    [Fact]
    public void The_doctor_finds_this_machine_fit()
    {
        var doctor = Lit.Run("doctor", "--json").Expect(0).Json;
        Assert.True(doctor.GetProperty("ok").GetBoolean());
        Assert.Contains(doctor.GetProperty("findings").EnumerateArray(), finding =>
            finding.GetProperty("what").GetString()!.Contains("libtorch")
        );
    }
}

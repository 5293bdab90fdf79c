using LiT.Compute;

namespace LiT.Tests.Compute;

/// <summary>Which instruction set is taken, and what LIT_ISA may say.</summary>
public sealed class ProcessorTests
{
    [Fact]
    public void Nothing_said_takes_the_widest_there_is()
    {
        Assert.Equal(Processor.Available[^1], Processor.Named(null));
        Assert.Equal(Processor.Available[^1], Processor.Named(""));
    }

    [Theory]
    [EveryIsa]
    public void Every_set_that_is_there_can_be_named(string isa) =>
        Assert.Equal(isa, Processor.NameOf(Processor.Named(isa)));

    [Theory]
    [InlineData("avx3", "there is no such instruction set")]
    [InlineData("AVX2", "there is no such instruction set")]
    [InlineData("2", "there is no such instruction set")]
    public void Another_name_is_wrong_usage(string name, string problem)
    {
        var message = Assert.Throws<UsageException>(() => Processor.Named(name)).Message;
        Assert.StartsWith($"LIT_ISA={name}: {problem}", message, StringComparison.Ordinal);
        Assert.Contains("portable", message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_set_that_this_processor_lacks_is_wrong_usage()
    {
        var missing = Enum.GetValues<Isa>().Except(Processor.Available).ToList();
        Assert.NotEmpty(missing); // no processor is both ARM and x64
        foreach (var isa in missing)
            Assert.Contains(
                "this processor has only",
                Assert.Throws<UsageException>(() => Processor.Named(Processor.NameOf(isa))).Message,
                StringComparison.Ordinal
            );
    }

    [Fact]
    public async Task A_forced_set_holds_for_its_scope_and_for_what_is_called_in_it()
    {
        var before = Processor.Isa;
        using (Processor.Use(Isa.Portable))
        {
            Assert.Equal(Isa.Portable, Processor.Isa);
            Assert.False(Processor.HasVnni);
            Assert.Equal(Isa.Portable, await Task.Run(() => Processor.Isa));
        }
        Assert.Equal(before, Processor.Isa);
    }
}

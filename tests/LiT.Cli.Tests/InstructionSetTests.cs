using System.Runtime.Intrinsics.X86;

namespace LiT.Cli.Tests;

/// <summary>LIT_ISA, as a user sets it.</summary>
[Trait("computes", "yes")]
public sealed class InstructionSetTests
{
    public static TheoryData<string> Verbs =>
        ["doctor", "bench", "models list", "data stats --data nothing", "search word --model nothing --data nothing"];

    [Theory]
    [MemberData(nameof(Verbs))]
    public void A_name_that_there_is_not_ends_every_verb_with_one_line(string verb)
    {
        var refused = Run("avx3", verb.Split(' ')).Expect(2);
        Assert.Empty(refused.Output);
        Assert.StartsWith(
            "lit: LIT_ISA=avx3: there is no such instruction set.",
            refused.Talk,
            StringComparison.Ordinal
        );
        Assert.Equal(1, refused.Talk.Count(letter => letter == '\n'));
    }

    [Fact]
    public void A_set_that_this_processor_lacks_is_refused_too() =>
        Assert.StartsWith(
            X86Base.IsSupported
                ? "lit: LIT_ISA=arm: this processor has only"
                : "lit: LIT_ISA=avx2: this processor has only",
            Run(X86Base.IsSupported ? "arm" : "avx2", "doctor").Expect(2).Talk,
            StringComparison.Ordinal
        );

    [Fact]
    public void The_doctor_says_what_was_chosen_and_why()
    {
        var findings = Run("portable", "doctor", "--json").Expect(0).Json.GetProperty("findings").EnumerateArray();
        Assert.StartsWith(
            "portable, because LIT_ISA=portable; this processor has portable",
            findings
                .Single(one => one.GetProperty("what").GetString() == "instruction set")
                .GetProperty("found")
                .GetString(),
            StringComparison.Ordinal
        );
    }

    /// <summary>oneDNN itself tells what it was allowed; other processors' libtorch has other names.</summary>
    [Fact]
    public void The_libraries_inside_libtorch_are_held_down_with_it()
    {
        // The suite itself may run held down; empty is as if not set.
        var told = RunWith(
                new()
                {
                    ["LIT_ISA"] = "portable",
                    ["ONEDNN_VERBOSE"] = "1",
                    ["ONEDNN_MAX_CPU_ISA"] = "",
                },
                "doctor"
            )
            .Expect(0)
            .Output;
        if (X86Base.IsSupported)
            Assert.Contains("info,cpu,isa:Intel SSE4.1\n", told, StringComparison.Ordinal);
    }

    private static Lit.Outcome Run(string isa, params string[] arguments) =>
        RunWith(new() { ["LIT_ISA"] = isa }, arguments);

    private static Lit.Outcome RunWith(Dictionary<string, string> environment, params string[] arguments) =>
        Lit.RunIn(Path.GetTempPath(), environment, arguments);
}

using System.Runtime.Intrinsics.X86;
using LiT.Compute;

namespace LiT.Tests.Compute;

/// <summary>What native libraries are told before they load.</summary>
public sealed class NativeEnvironmentTests
{
    [Fact]
    public void Threads_that_wait_sleep() => Assert.NotNull(NativeEnvironment.Get("OMP_WAIT_POLICY"));

    [Fact]
    public void A_narrow_instruction_set_holds_for_the_libraries_inside_libtorch_too()
    {
        Assert.Equal(
            X86Base.IsSupported
                ?
                [
                    ("ONEDNN_MAX_CPU_ISA", "SSE41"),
                    ("ATEN_CPU_CAPABILITY", "default"),
                    ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
                ]
                : [],
            NativeEnvironment.Ceilings("portable")
        );
        Assert.Equal(
            X86Base.IsSupported
                ?
                [
                    ("ONEDNN_MAX_CPU_ISA", AvxVnni.IsSupported ? "AVX2_VNNI" : "AVX2"),
                    ("ATEN_CPU_CAPABILITY", "avx2"),
                    ("MKL_ENABLE_INSTRUCTIONS", "AVX2"),
                ]
                : [],
            NativeEnvironment.Ceilings("avx2")
        );
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("avx512")]
    [InlineData("arm")]
    [InlineData("nonsense")]
    public void Otherwise_the_libraries_choose(string? wanted) => Assert.Empty(NativeEnvironment.Ceilings(wanted));
}

using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using LiT.Compute;
using Cpu = LiT.Compute.Processor;

namespace LiT.Benchmarks;

/// <summary>What a result was measured on.</summary>
/// <param name="Processor">The processor's own name, with its family and model, which tell generations of one name
/// apart.</param>
/// <param name="Cores">As many as the process may use.</param>
/// <param name="MemoryGiB">Memory that the process may use.</param>
/// <param name="System">Operating system and runtime.</param>
internal sealed record Machine(string Processor, int Cores, double MemoryGiB, string System)
{
    public static Machine Here { get; } =
        new(
            NameOfProcessor(),
            Environment.ProcessorCount,
            Math.Round(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (double)(1L << 30), 1),
            $"{RuntimeInformation.OSDescription}, .NET {Environment.Version}"
        );

    /// <summary>
    /// The kind of machine that results are filed under: what its kernels use, and its cores, as in avx2-2-cores; a
    /// wider processor that was held down is another kind, avx2-forced-2-cores.
    /// </summary>
    public static string Kind
    {
        get
        {
            var isa = Cpu.NameOf(Cpu.Isa);
            var vnni = Cpu.HasVnni ? "-vnni" : "";
            return $"{isa}{vnni}{(IsHeldDown ? "-forced" : "")}-{Environment.ProcessorCount}-cores";
        }
    }

    // What CPUID says of AVX-512 (leaf 7, EBX 16) and AVX2 (5) does not change with the runtime's switches.
    private static bool IsHeldDown =>
        Cpu.Isa < Cpu.Available[^1]
        || X86Base.IsSupported
            && X86Base.CpuId(0, 0).Eax >= 7
            && X86Base.CpuId(7, 0).Ebx is var has
            && (Cpu.Isa < Isa.Avx512 && (has & 1 << 16) != 0 || Cpu.Isa < Isa.Avx2 && (has & 1 << 5) != 0);

    private static string NameOfProcessor()
    {
        if (!X86Base.IsSupported)
            return RuntimeInformation.ProcessArchitecture.ToString();
        var version = X86Base.CpuId(1, 0).Eax;
        var (family, model) = (version >> 8 & 15, version >> 4 & 15);
        if (family == 15)
            family += version >> 20 & 255;
        if (family is 6 or >= 15)
            model += (version >> 16 & 15) << 4;
        return string.Create(CultureInfo.InvariantCulture, $"{Brand()}, family {family}, model {model}");
    }

    private static string Brand()
    {
        if ((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax < 0x80000004)
            return "x64";
        var words = new List<int>();
        for (var leaf = 0x80000002; leaf <= 0x80000004; leaf++)
        {
            var (a, b, c, d) = X86Base.CpuId(unchecked((int)leaf), 0);
            words.AddRange([a, b, c, d]);
        }
        return Encoding.ASCII.GetString(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(words))).Trim('\0', ' ');
    }
}

/// <summary>The commit that a program was built from, as git tells it where it runs.</summary>
/// <param name="Id">Its first twelve digits.</param>
/// <param name="Changed">Whether sources of the product or of the benchmarks differ from it.</param>
internal sealed record Commit(string Id, bool Changed)
{
    public static Commit? Here { get; } =
        Git("rev-parse", "--short=12", "HEAD") is { Length: > 0 } id
            ? new(id, Git("status", "--porcelain", "--", ":/src", ":/benchmarks/LiT.Benchmarks") is not "")
            : null;

    private static string? Git(params string[] arguments)
    {
        try
        {
            ProcessStartInfo start = new("git", arguments)
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                WorkingDirectory = AppContext.BaseDirectory,
            };
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEndAsync();
            var said = process.StandardOutput.ReadToEnd().Trim();
            process.WaitForExit();
            _ = errors.Result;
            return process.ExitCode == 0 ? said : null;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null; // no git on this machine
        }
    }
}

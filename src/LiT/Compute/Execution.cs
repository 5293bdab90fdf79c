namespace LiT.Compute;

/// <summary>
/// What a process computes with, as it stands in results and reports: two of equal fields give equal bits on one
/// machine.
/// </summary>
/// <param name="Isa">The instruction set of the library's kernels, as LIT_ISA spells it.</param>
/// <param name="Vnni">Whether bytes are multiplied by VNNI.</param>
/// <param name="Threads">Threads for tensor operations; no result depends on them.</param>
/// <param name="Device">cpu, cuda, cuda:1.</param>
/// <param name="Dtype">float32 or bfloat16.</param>
internal sealed record Execution(string Isa, bool Vnni, int Threads, string Device, string Dtype)
{
    public static Execution Of(ComputeDevice compute) =>
        new(
            Processor.NameOf(Processor.Isa),
            Processor.HasVnni,
            compute.Threads,
            compute.Device.ToString(),
            compute.Type.ToString().ToLowerInvariant()
        );

    /// <summary>As a person reads it.</summary>
    public override string ToString() =>
        $"{Isa}{(Vnni ? " with VNNI" : "")}, {Threads} thread{(Threads == 1 ? "" : "s")}, {Device}, {Dtype}";
}

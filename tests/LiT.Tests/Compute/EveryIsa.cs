using System.Reflection;
using LiT.Compute;
using Xunit.Sdk;
using Xunit.v3;

namespace LiT.Tests.Compute;

/// <summary>
/// A case of a theory, once for every instruction set that this machine has: the set comes first, then the case's own
/// numbers. A theory with several of them has each case under each set.
/// </summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class EveryIsaAttribute(params object[] numbers) : DataAttribute
{
    public override ValueTask<IReadOnlyCollection<ITheoryDataRow>> GetData(
        MethodInfo testMethod,
        DisposalTracker disposalTracker
    ) => new([.. Processor.Available.Select(isa => new TheoryDataRow([Processor.NameOf(isa), .. numbers]))]);

    public override bool SupportsDiscoveryEnumeration() => true;
}

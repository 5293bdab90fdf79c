using LiT.Data;

namespace LiT.TestSets;

/// <summary>NAME=DIR as a form of data: a public test set in the folder in which it is published.</summary>
internal static class TestSetForm
{
    private static int introduced;

    /// <summary>
    /// Makes the sets known wherever data are opened. A program calls it when it starts; again does nothing.
    /// </summary>
    public static void Introduce()
    {
        if (Interlocked.Exchange(ref introduced, 1) == 0)
            Samples.Register(
                (data, options) =>
                    NamedTestSets.TrySplit(data, out var set, out var folder)
                        ? NamedTestSets.Open(set, folder, data, options)
                        : null
            );
    }
}

using System.Diagnostics;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using LiT.Compute;
using static TorchSharp.torch;

namespace LiT.Tests.Compute;

/// <summary>
/// A number that libtorch reads must not be freed by a garbage collection during the call (see <see cref="Scalars"/>).
/// What goes wrong is memory, so it is tried in a process of its own, in which collections are small and never stop.
/// </summary>
public sealed class ScalarLifetimeTests
{
    private const string Form = "LIT_SCALAR_FORM",
        Right = "every result was right",
        Begun = "the first result is there";

    [Theory]
    [InlineData("Plus")]
    [InlineData("OneDnn")]
    public void Numbers_that_are_kept_survive_collections(string form)
    {
        Assert.SkipUnless(form != "OneDnn" || OneDnn.IsAvailable, "This libtorch has no oneDNN.");
        var (exit, output) = InAnotherProcess(form);
        Assert.True(exit == 0 && output.Contains(Right, StringComparison.Ordinal), $"exit code {exit}: {output}");
    }

    // What the two above are worth: the forms that were written before do not survive.
    [Theory]
    [InlineData("operator +")]
    [InlineData("long arguments")]
    public void Numbers_that_nobody_keeps_do_not(string form)
    {
        Assert.SkipUnless(form != "long arguments" || OneDnn.IsAvailable, "This libtorch has no oneDNN.");
        var (exit, output) = InAnotherProcess(form);
        Assert.True(exit != 0 && output.Contains(Begun, StringComparison.Ordinal), $"exit code {exit}: {output}");
    }

    [Fact(Explicit = true)]
    public void The_other_process()
    {
        var form = Environment.GetEnvironmentVariable(Form)!;
        var tried = TimeSpan.FromSeconds(form is "Plus" or "OneDnn" ? 6 : 120); // the others end long before
        using var scope = NewDisposeScope();
        using var unrecorded = no_grad();
        Func<Tensor> compute = form is "Plus" or "operator +" ? Sum(form) : Convolution(form);
        var expected = compute().data<float>().ToArray();
        Console.WriteLine(Begun);
        var ended = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref ended))
            {
                GC.Collect(0, GCCollectionMode.Forced, blocking: true);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            var watch = Stopwatch.StartNew();
            for (var i = 0L; watch.Elapsed < tried; i++)
            {
                using var result = compute();
                if (!result.data<float>().ToArray().AsSpan().SequenceEqual(expected))
                    Assert.Fail($"A result was wrong, number {i} after {watch.Elapsed.TotalSeconds} s");
            }
            Console.WriteLine(Right);
        }
        finally
        {
            Volatile.Write(ref ended, true);
            collector.Join();
        }
    }

    private static Func<Tensor> Sum(string form)
    {
        var (x, y) = (ones(64), ones(64));
        return form == "Plus" ? () => x.Plus(y) : () => x + y;
    }

    private static Func<Tensor> Convolution(string form)
    {
        using var random = new Generator(1, CPU);
        var (x, kernel, bias) = (
            randn([1, 8, 6, 6], generator: random),
            randn([8, 8, 3, 3], generator: random),
            zeros(8)
        );
        var packed = OneDnn.PackConvolution(kernel, 1, 1, x);
        if (form == "OneDnn")
            return () => OneDnn.Convolution(x, packed, bias, 1, 1, relu: true);
        var products =
            (Lazy<jit.ScriptModule?>)
                typeof(OneDnn).GetField("Products", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null)!;
        return () => (Tensor)products.Value!.invoke("convolution", x, packed, bias, 1L, 1L, true);
    }

    private static (int Exit, string Output) InAnotherProcess(string form)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "LiT.Tests"))
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                [Form] = form,
                ["DOTNET_GCgen0size"] = "40000", // hexadecimal: 256 KiB
                ["DOTNET_TieredCompilation"] = "0", // the JIT of a busy program lets go of a number as soon as it can
                ["DOTNET_DbgEnableMiniDump"] = "0",
            },
        };
        foreach (
            var argument in (string[])
                ["-method", $"*{nameof(ScalarLifetimeTests)}.{nameof(The_other_process)}", "-explicit", "only"]
        )
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + error.GetAwaiter().GetResult());
    }

    /// <summary>
    /// BannedSymbols.txt forbids operators that make scalars, but its analyzer does not look at <c>a += b</c>: what the
    /// libraries were compiled to is looked at here.
    /// </summary>
    [Fact]
    public void No_library_adds_tensors_by_an_operator_that_makes_a_scalar()
    {
        List<string> found = [];
        foreach (var path in Directory.EnumerateFiles(AppContext.BaseDirectory, "LiT*.dll"))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (name.EndsWith("Tests", StringComparison.Ordinal))
                continue;
            using var file = new PEReader(File.OpenRead(path));
            var module = Assembly.Load(name).ManifestModule;
            var count = file.GetMetadataReader().GetTableRowCount(TableIndex.MemberRef);
            for (var row = 1; row <= count; row++)
                if (Resolved(module, MetadataTokens.GetToken(MetadataTokens.MemberReferenceHandle(row))) is { } method)
                    if (MakesScalar(method))
                        found.Add($"{name}: {method}");
        }
        Assert.Empty(found);
    }

    // Methods of generic types cannot be resolved without their types, and are none of a tensor's.
    private static MethodBase? Resolved(Module module, int token)
    {
        try
        {
            return module.ResolveMember(token) as MethodBase;
        }
        catch (Exception trouble) when (trouble is ArgumentException or BadImageFormatException)
        {
            return null;
        }
    }

    private static bool MakesScalar(MethodBase method) =>
        method.DeclaringType == typeof(Tensor)
        && method.Name.StartsWith("op_", StringComparison.Ordinal)
        && (
            method.Name == "op_Addition"
            || method
                .GetParameters()
                .Any(parameter =>
                    parameter.ParameterType == typeof(int)
                    || parameter.ParameterType == typeof(long)
                    || parameter.ParameterType == typeof(float)
                    || parameter.ParameterType == typeof(double)
                )
        )
        && method.Name is not ("op_Implicit" or "op_Explicit");
}

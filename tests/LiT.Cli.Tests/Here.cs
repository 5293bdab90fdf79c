using System.Reflection;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Text;

namespace LiT.Cli.Tests;

/// <summary>
/// The built program inside this process: nothing is copied here, its assemblies and natives are loaded from where they were
/// built, once for all runs. One run at a time: folder and console belong to the process.
/// </summary>
internal static class Here
{
    private static readonly MethodInfo Main = Load();
    private static readonly CapturedConsole Out = new(Console.Out),
        Error = new(Console.Error);

    /// <summary>Runs a verb in a folder and gives back all that it said.</summary>
    public static Lit.Outcome Run(string folder, params string[] arguments)
    {
        Console.SetOut(Out);
        Console.SetError(Error);
        var before = Environment.CurrentDirectory;
        Environment.CurrentDirectory = folder;
        try
        {
            var (output, talk) = (Out.Capture(), Error.Capture());
            var code = (int)Main.Invoke(null, [arguments])!;
            return new(code, output.ToString(), talk.ToString());
        }
        finally
        {
            Out.Release();
            Error.Release();
            Environment.CurrentDirectory = before;
        }
    }

    private static MethodInfo Load()
    {
        Environment.SetEnvironmentVariable("NO_COLOR", "1");
        Environment.SetEnvironmentVariable("COLUMNS", "500"); // no line is broken, at a terminal neither
        var folder = Path.GetDirectoryName(Lit.Program)!;
        var program = Path.Combine(folder, "LiT.Cli.dll");
        AssemblyDependencyResolver resolver = new(program);
        AssemblyLoadContext.Default.Resolving += (context, name) =>
            resolver.ResolveAssemblyToPath(name) is { } path ? context.LoadFromAssemblyPath(path) : null;
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += (_, name) =>
            resolver.ResolveUnmanagedDllToPath(name) is { } path ? NativeLibrary.Load(path) : 0;
        return AssemblyLoadContext.Default.LoadFromAssemblyPath(program).EntryPoint!;
    }

    /// <summary>Gives each run its own text; what others write meanwhile goes where it always went.</summary>
    private sealed class CapturedConsole(TextWriter behind) : TextWriter
    {
        private readonly AsyncLocal<StringWriter?> captured = new();

        public override Encoding Encoding => Encoding.UTF8;

        public StringWriter Capture() => captured.Value = new StringWriter { NewLine = "\n" };

        public void Release() => captured.Value = null;

        // Console makes the writers that it is given safe for many threads.
        private TextWriter Now => captured.Value ?? behind;

        public override void Write(char value) => Now.Write(value);

        public override void Write(string? value) => Now.Write(value);

        public override void Write(char[] buffer, int index, int count) => Now.Write(buffer, index, count);

        public override void WriteLine(string? value) => Now.WriteLine(value);
    }
}

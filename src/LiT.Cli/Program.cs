using System.CommandLine;
using System.Runtime.InteropServices;
using LiT.Cli;
using LiT.Compute;
using LiT.Onnx;
using LiT.TestSets;

var together = ManyProcesses.IsAsked(args);
if (together && ManyProcesses.Begin(args) is { } ofAnother)
    return ofAnother;

TestSetForm.Introduce();
OnnxTowers.Use();

using CancellationTokenSource stop = new();
void OnSignal(PosixSignalContext signal)
{
    if (stop.IsCancellationRequested)
        return; // a second Ctrl-C ends the process at once
    signal.Cancel = true;
    Console.Error.WriteLine("lit: stopping, leaving everything consistent (Ctrl-C again to stop at once)");
    stop.Cancel();
}
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);
using var terminate = together ? null : PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
if (together)
    ManyProcesses.Hear(stop);

var root = CommandTree.Build();
var parsed = CommandTree.Parse(root, args.Length == 0 ? ["--help"] : args);
if (CommandTree.Wrong(parsed, args) is { Count: > 0 } wrong)
{
    foreach (var error in wrong)
        Terminal.Complain(error);
    Console.Error.WriteLine($"Try '{string.Join(' ', CommonOptions.Path(parsed).Prepend("lit"))} --help'.");
    return ExitCode.Usage;
}

try
{
    _ = Processor.Isa; // what LIT_ISA says is used by some verbs only, and wrong for all
    InvocationConfiguration configuration = new()
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null,
    };
    return await parsed.InvokeAsync(configuration, stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return together && ManyProcesses.WasTold ? ExitCode.Again : ExitCode.Interrupted;
}
catch (Exception trouble)
{
    return Terminal.Report(trouble, CommonOptions.IsVerbose(parsed));
}

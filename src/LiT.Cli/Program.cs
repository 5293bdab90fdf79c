using System.CommandLine;
using System.CommandLine.Help;
using System.Runtime.InteropServices;
using LiT.Cli;
using LiT.Cli.Commands;
using LiT.TestSets;

NativeEnvironment.Prepare();
TestSetForm.Introduce();

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
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);

HelpOption help = new();
if (Terminal.Columns is { } columns)
    help.Action = new HelpAction { MaxWidth = columns };
Command root = new(
    "lit",
    "LiT: zero-shot classification and image-text retrieval on a locked, pre-trained image tower "
        + "(Zhai et al. 2022, arXiv 2111.07991)."
)
{
    help,
    new VersionOption(),
    QuickstartCommand.Build(),
    EmbedCommand.Build(),
    TuneCommand.Build(),
    StudyCommand.Build(),
    EvalCommand.Build(),
    DataCommand.Build(),
    ClassifyCommand.Build(),
    SearchCommand.Build(),
    CalibrateCommand.Build(),
    ModelsCommand.Build(),
    TokenizerCommand.Build(),
    VerifyCommand.Build(),
    PretrainCommand.Build(),
    DoctorCommand.Build(),
    BenchCommand.Build(),
};
CommonOptions.AddTo(root);
Limits.Finite(root);

var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
string[] wrong = [.. parsed.Errors.Select(error => error.Message), .. Limits.EmptyValues(args)];
if (wrong.Length > 0)
{
    foreach (var error in wrong)
        Terminal.Complain(error);
    Console.Error.WriteLine($"Try '{string.Join(' ', CommonOptions.Path(parsed).Prepend("lit"))} --help'.");
    return ExitCode.Usage;
}

try
{
    InvocationConfiguration configuration = new()
    {
        EnableDefaultExceptionHandler = false,
        ProcessTerminationTimeout = null,
    };
    return await parsed.InvokeAsync(configuration, stop.Token);
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    return ExitCode.Interrupted;
}
catch (Exception trouble)
{
    return Terminal.Report(trouble, CommonOptions.IsVerbose(parsed));
}

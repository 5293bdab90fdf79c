using System.CommandLine;

namespace LiT.Cli.Commands;

/// <summary>lit doctor: what this machine has, what is missing and how to mend it.</summary>
internal static class DoctorCommand
{
    public static Command Build()
    {
        Argument<string?> model = new("model")
        {
            Description = "A bundle whose golden vectors are to be computed again, beside the built-in tower's.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Command command = new("doctor", "Say what is missing on this machine and how to mend it.") { model };
        command.Does(parsed =>
        {
            var findings = Doctor.Examine(parsed.GetValue(model));
            if (CommonOptions.IsJson(parsed))
                Terminal.Write(new { Ok = findings.All(f => f.Ok), Findings = findings });
            else
                Terminal.Table(
                    ["", "what", "found", "how to mend it"],
                    findings.Select(f => new[] { f.Ok ? "ok" : "!!", f.What, f.Found, f.Mend ?? "" })
                );
            return findings.All(f => f.Ok) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }
}

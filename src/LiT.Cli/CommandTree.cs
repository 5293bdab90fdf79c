using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using LiT.Cli.Commands;

namespace LiT.Cli;

/// <summary>The program's verbs, and how a command line is read.</summary>
internal static class CommandTree
{
    // A text that begins with @ is a text: nothing that a user looks for names a file of options.
    private static readonly ParserConfiguration Reading = new() { ResponseFileTokenReplacer = null };

    public static Command Build()
    {
        HelpAction written = Terminal.Columns is { } columns ? new() { MaxWidth = columns } : new();
        HelpOption help = new() { Action = new HelpOfVerb(written) };
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
            PlanCommand.Build(),
            StudyCommand.Build(),
            EvalCommand.Build(),
            DataCommand.Build(),
            ClassifyCommand.Build(),
            SearchCommand.Build(),
            IndexCommand.Build(),
            ServeCommand.Build(),
            CalibrateCommand.Build(),
            LanguageCommand.Build(),
            TeachCommand.Build(),
            ModelsCommand.Build(),
            TokenizerCommand.Build(),
            VerifyCommand.Build(),
            PretrainCommand.Build(),
            DoctorCommand.Build(),
            BenchCommand.Build(),
            CompletionCommand.Build(),
            CompletionCommand.Suggestions(),
        };
        CommonOptions.AddTo(root);
        Limits.OfTypes(root);
        return root;
    }

    /// <summary>Help without the common options that a verb does not read.</summary>
    internal sealed class HelpOfVerb(HelpAction written) : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parsed)
        {
            CommonOptions.ShowFor(parsed.CommandResult.Command);
            return written.Invoke(parsed);
        }

        public override bool ClearsParseErrors => true;
    }

    public static ParseResult Parse(Command root, string[] arguments) => root.Parse(arguments, Reading);

    /// <summary>A line as it stands at a prompt, without the program's name.</summary>
    public static ParseResult Parse(Command root, string line) => root.Parse(line, Reading);

    /// <summary>What is wrong with a command line, a line each; nothing where it can be done.</summary>
    public static IReadOnlyList<string> Wrong(ParseResult parsed, string[] arguments)
    {
        if (Spelling.Misspelt(parsed, arguments) is { Count: > 0 } misspelt)
            return misspelt;
        return
        [
            .. parsed
                .Errors.Select(UsageWords.Of)
                .Concat(Limits.EmptyValues(arguments))
                .Distinct(StringComparer.Ordinal),
        ];
    }
}

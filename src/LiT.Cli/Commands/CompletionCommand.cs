using System.CommandLine;

namespace LiT.Cli.Commands;

/// <summary>
/// lit completion: what a shell has to be told so that the tab key knows verbs, options and their values.
/// </summary>
internal static class CompletionCommand
{
    private const string SuggestionsVerb = "__complete";

    private const string Bash = """
        # lit: completion for bash. For every shell: lit completion bash >~/.local/share/bash-completion/completions/lit
        # For this one: source <(lit completion bash)
        _lit() {
            local IFS=$'\n' word="${COMP_WORDS[COMP_CWORD]}"
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" __complete "$COMP_POINT" "$COMP_LINE" 2>/dev/null)" -- "$word"))
        }
        complete -o default -F _lit lit ./lit
        """;

    private const string Zsh = """
        #compdef lit
        # lit: completion for zsh. For every shell: lit completion zsh >"${fpath[1]}/_lit"; for this one: source <(lit completion zsh)
        _lit() {
            local line="${(j: :)words[1,CURRENT]}"
            local -a found=("${(@f)$("${words[1]}" __complete "${#line}" "$line" 2>/dev/null)}")
            if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
        }
        compdef _lit lit ./lit
        """;

    private const string Fish = """
        # lit: completion for fish. For every shell: lit completion fish >~/.config/fish/completions/lit.fish
        function __lit_complete
            set -l line (commandline -cp)
            lit __complete (string length -- "$line") "$line" 2>/dev/null
        end
        complete -c lit -a '(__lit_complete)'
        """;

    private const string PowerShell = """
        # lit: completion for PowerShell. For every shell: lit completion powershell >>$PROFILE
        Register-ArgumentCompleter -Native -CommandName lit, lit.exe -ScriptBlock {
            param($word, $line, $position)
            lit __complete $position "$line" 2>$null |
                Where-Object { $_ -like "$word*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;

    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = Bash,
        ["zsh"] = Zsh,
        ["fish"] = Fish,
        ["powershell"] = PowerShell,
    };

    public static Command Build()
    {
        Argument<string> shell = new("shell") { Description = "bash, zsh, fish or powershell." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        Command command = new("completion", "Print a script that makes the tab key complete lit's verbs and options.")
        {
            shell,
        };
        command.Does(asked =>
        {
            var script = Scripts[asked.GetRequiredValue(shell)];
            if (CommonOptions.IsJson(asked))
                Terminal.Write(new { Shell = asked.GetRequiredValue(shell), Script = script });
            else
                Terminal.Line(script.ReplaceLineEndings("\n"));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>What the scripts ask: a suggestion a line for a line of a prompt.</summary>
    public static Command Suggestions()
    {
        Argument<int> position = new("position");
        Argument<string> line = new("line");
        Command command = new(SuggestionsVerb, "Suggestions for the word at a position of a line.") { position, line };
        command.Hidden = true;
        command.Does(asked =>
        {
            foreach (var word in For(asked.GetRequiredValue(line), asked.GetRequiredValue(position)))
                Terminal.Line(word);
            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<string> For(string line, int position)
    {
        position = Math.Clamp(position, 0, line.Length);
        var program = line.IndexOf(' ', StringComparison.Ordinal); // the first word is the program's name
        if (program < 0 || program >= position)
            return [];
        var (rest, at) = (line[(program + 1)..position], position - program - 1);
        var root = CommandTree.Build();
        var word = rest[(rest.LastIndexOf(' ') + 1)..];
        var parsed = CommandTree.Parse(root, rest);
        CommonOptions.ShowFor(parsed.CommandResult.Command);
        return parsed
            .GetCompletions(at)
            .Select(item => item.InsertText ?? item.Label)
            .Where(suggestion => suggestion.StartsWith(word, StringComparison.OrdinalIgnoreCase))
            // Options are named when somebody has begun one; a verb or a value is what stands there otherwise.
            .Where(suggestion => word.StartsWith('-') || !suggestion.StartsWith('-'))
            .Where(suggestion => suggestion is not (SuggestionsVerb or "/?" or "/h" or "-?" or "-h"))
            .Select(suggestion => word + suggestion[word.Length..]) // names of choices count in any case
            .Distinct(StringComparer.Ordinal);
    }
}

using System.CommandLine;
using LiT.Evaluation;

namespace LiT.Cli;

/// <summary>The options that evaluations share: model, classes, templates, batch.</summary>
internal sealed class EvaluationInput
{
    private readonly Option<string> model = new("--model") { Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model).", Required = true };
    private readonly Option<string?> classes = new("--classes") { Description = "Class names, one a line, the first for label 0; aliases are separated by commas." };
    private readonly Option<string?> templates = new("--templates") { Description = "Prompt templates, one a line, with {} where the class name goes." };
    private readonly Option<bool> allAliases = new("--all-aliases") { Description = "Let every alias of a class speak, not the first only." };
    private readonly Option<int> batch = new("--batch") { Description = "Pictures through the tower at once.", DefaultValueFactory = _ => 64 };

    public DataOptions Data { get; } = new();

    public void AddTo(Command command, bool withClasses)
    {
        command.Options.Add(model);
        Data.AddTo(command);
        if (withClasses)
        {
            foreach (Option option in new Option[] { classes, templates, allAliases }) command.Options.Add(option);
        }
        command.Options.Add(batch);
        Limits.Positive(batch);
    }

    public string ModelOf(ParseResult parsed) => parsed.GetValue(model)!;

    public EvaluationOptions OptionsOf(ParseResult parsed) => new()
    {
        Images = new() { Samples = Data.OptionsOf(parsed), BatchSize = parsed.GetValue(batch) },
        Classes = parsed.GetValue(classes) is { } names ? ClassNames.Read(names) : null,
        Templates = parsed.GetValue(templates) is { } file ? PromptTemplates.Read(file) : PromptTemplates.Default,
        AllAliases = parsed.GetValue(allAliases),
        Seed = CommonOptions.SeedOf(parsed),
    };
}

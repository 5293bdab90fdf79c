using System.CommandLine;
using LiT.Stores;

namespace LiT.Cli.Commands;

/// <summary>lit verify: the image tower of a bundle, and stores made for it, are what they say.</summary>
internal static class VerifyCommand
{
    public static Command Build()
    {
        Argument<string> bundle = new("bundle") { Description = "A model: the folder that 'lit tune' wrote (RUN or RUN/model)." };
        Option<string[]> stores = new("--store") { Description = "Embedding stores to check against the model's tower.", DefaultValueFactory = _ => [] };
        Command command = new("verify", "Prove that a model's image tower is unchanged, weight by weight.") { bundle, stores };
        command.SetAction((parsed, _) =>
        {
            using var model = LitModel.Load(parsed.GetRequiredValue(bundle), CommonOptions.ComputeOf(parsed));
            var fingerprint = model.Image.Fingerprint;                       // computed from the weights; another tower is refused
            foreach (var folder in parsed.GetValue(stores)!)
            {
                using var store = EmbeddingStore.Open(folder);
                StoreFit.Check(store, new(fingerprint, model.Description.Image.Tower));
            }
            if (CommonOptions.IsJson(parsed)) Terminal.Write(new { Ok = true, model.Image.Architecture, Fingerprint = fingerprint, Stores = parsed.GetValue(stores) });
            else Terminal.Line($"{model.Image.Architecture}, fingerprint {fingerprint}: unchanged since the text tower was tuned to it");
            return Task.FromResult(ExitCode.Done);
        });
        return command;
    }
}

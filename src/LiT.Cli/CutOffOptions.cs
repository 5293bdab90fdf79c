using System.CommandLine;
using LiT.Classification;

namespace LiT.Cli;

/// <summary>The options around "none of these" and "nothing matches".</summary>
internal static class CutOffOptions
{
    public static Option<double> Present()
    {
        Option<double> present = new("--present")
        {
            Description = "Expected share of the pictures that show one of the labels at all.",
            DefaultValueFactory = _ => 0.5,
        };
        present.Validators.Add(result =>
        {
            if (!result.Implicit && result.GetValue(present) is <= 0 or >= 1 or double.NaN)
                result.AddError("--present: give a share between 0 and 1, such as 0.5.");
        });
        return present;
    }

    public static Option<double?> MinPrecision(string description)
    {
        Option<double?> precision = new("--min-precision") { Description = description };
        precision.Validators.Add(result =>
        {
            if (!result.Implicit && result.GetValue(precision) is <= 0 or >= 1 or double.NaN)
                result.AddError("--min-precision: give a share between 0 and 1, such as 0.9.");
        });
        return precision;
    }

    public static Background? BackgroundIfAny(LitModel model) =>
        model.Folder is { } folder ? Background.Load(folder) : null;

    /// <exception cref="LitException">The model has no background yet.</exception>
    public static Background BackgroundOf(LitModel model) =>
        BackgroundIfAny(model)
        ?? throw new LitException(
            $"{model.Folder}: has no background to tell what matches from what does not. Run 'lit calibrate --model {model.Folder} --data PICTURES_WITH_CAPTIONS' once."
        );
}

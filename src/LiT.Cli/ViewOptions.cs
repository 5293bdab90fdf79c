using System.CommandLine;
using LiT.Embedding;
using LiT.Images;

namespace LiT.Cli;

/// <summary>The options about several views of each picture.</summary>
internal sealed class ViewOptions
{
    private readonly Option<int> count = new("--views")
    {
        Description = "Times a picture is embedded: plain, then changed at random; tuning draws one for each epoch.",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<double> crop = new("--view-crop")
    {
        Description = "Smallest part of a picture's area that a changed view shows.",
        DefaultValueFactory = _ => 0.4,
    };
    private readonly Option<double> flip = new("--view-flip")
    {
        Description = "Share of the changed views that are mirrored.",
        DefaultValueFactory = _ => 0.5,
    };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { count, crop, flip })
            command.Options.Add(option);
        Limits.Positive(count);
        Limits.Share(crop, flip);
    }

    public PictureViews Of(Asked parsed) =>
        parsed.GetValue(count) is > 1 and var views
            ? new(
                views,
                Augmentation.Inception(parsed.GetValue(crop)) with
                {
                    Flip = parsed.GetValue(flip),
                },
                CommonOptions.SeedOf(parsed)
            )
            : PictureViews.Plain;
}

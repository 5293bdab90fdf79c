using System.CommandLine;
using LiT.Images;

namespace LiT.Cli;

/// <summary>--decode, wherever pictures are embedded.</summary>
internal static class DecodeOption
{
    /// <param name="otherwise">The way where none is given; null leaves that to the store.</param>
    public static Option<DecodePath?> Build(DecodePath? otherwise = DecodePath.Exact)
    {
        Option<DecodePath?> option = new("--decode")
        {
            Description =
                "exact: every pixel, as the tower's reference does it; fast: JPEG and WebP are shrunk "
                + "while they are decoded, other pixels and a little other numbers."
                + (otherwise is null ? " By default exact, or as the store has it." : ""),
            CustomParser = result =>
                Enum.GetValues<DecodePath>()
                    .Where(path => path.Word() == result.Tokens[0].Value)
                    .Cast<DecodePath?>()
                    .FirstOrDefault(),
        };
        if (otherwise is not null)
            option.DefaultValueFactory = _ => otherwise;
        option.AcceptOnlyFromAmong([.. Enum.GetValues<DecodePath>().Select(path => path.Word())]);
        return option;
    }
}

using System.CommandLine;

namespace LiT.Cli;

/// <summary>--language wherever words are given to a model that may speak several.</summary>
internal static class LanguageOption
{
    public static Option<string?> Build() =>
        new("--language")
        {
            Description =
                "The words' language, for a model that holds text towers for several ('lit language list'). Default: "
                + "the model's own.",
        };
}

namespace LiT.Server.Api;

/// <summary>A request that is not answered, with its status and, in one line, why.</summary>
internal sealed class RefusedException(int status, string subject, string problem, string remedy)
    : LitException(subject, problem, remedy)
{
    public int Status => status;

    /// <summary>It could be read, and asks for more than is given.</summary>
    public static RefusedException TooMuch(string field, string problem, string remedy) =>
        new(StatusCodes.Status422UnprocessableEntity, field, problem, remedy);

    /// <summary>It could not be read.</summary>
    public static RefusedException Unread(string field, string problem, string remedy) =>
        new(StatusCodes.Status400BadRequest, field, problem, remedy);

    /// <summary>What it asks for is not there.</summary>
    public static RefusedException NotThere(string field, string problem, string remedy) =>
        new(StatusCodes.Status404NotFound, field, problem, remedy);
}

/// <summary>How much may be asked at once.</summary>
internal static class Bounds
{
    public const int Characters = 10_000,
        Texts = 64,
        Labels = 1_000,
        Embedded = 1_024,
        Pictures = 64,
        Top = 10_000,
        Sampled = 1_000,
        Deepest = 100_000;

    /// <summary>Texts that are there, not too many, and none too long.</summary>
    public static void Check(string field, IReadOnlyList<string>? texts, int most = Texts)
    {
        if (texts is null)
            return;
        if (texts.Count > most)
            throw RefusedException.TooMuch(
                field,
                $"{texts.Count:N0} texts where at most {most:N0} are read",
                "Give fewer"
            );
        foreach (var text in texts)
            Check(field, text ?? throw RefusedException.Unread(field, "one of them is null", "Give texts"));
    }

    /// <inheritdoc cref="Check(string, IReadOnlyList{string}?, int)"/>
    public static void Check(string field, string? text)
    {
        if (text?.Length > Characters)
            throw RefusedException.TooMuch(
                field,
                $"a text of {text.Length:N0} characters where at most {Characters:N0} are read",
                "Give a shorter one"
            );
    }
}

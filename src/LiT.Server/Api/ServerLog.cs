namespace LiT.Server.Api;

/// <summary>What the log says. It never holds what people look for, unless that was asked for.</summary>
internal static partial class ServerLog
{
    [LoggerMessage(
        EventId = 1,
        Level = LogLevel.Information,
        Message = "The store {Store} changed: {Pictures} pictures now"
    )]
    public static partial void StoreChanged(ILogger log, string store, long pictures);

    [LoggerMessage(
        EventId = 2,
        Level = LogLevel.Warning,
        Message = "The store {Store} changed and cannot be opened yet; what was there is served on: {Trouble}"
    )]
    public static partial void StoreNotChanged(ILogger log, string store, string trouble);

    [LoggerMessage(
        EventId = 3,
        Level = LogLevel.Information,
        Message = "{Method} {Route} {Status} in {Milliseconds:F1} ms"
    )]
    public static partial void Answered(ILogger log, string method, string route, int status, double milliseconds);

    [LoggerMessage(EventId = 4, Level = LogLevel.Information, Message = "Asked of {Store}: {Words}")]
    public static partial void Words(ILogger log, string store, string words);

    [LoggerMessage(EventId = 5, Level = LogLevel.Error, Message = "A request failed")]
    public static partial void Failed(ILogger log, Exception trouble);

    [LoggerMessage(
        EventId = 6,
        Level = LogLevel.Warning,
        Message = "The pictures of {Store} cannot be read: {Trouble}"
    )]
    public static partial void NoPictures(ILogger log, string store, string trouble);

    [LoggerMessage(
        EventId = 7,
        Level = LogLevel.Information,
        Message = "The model {Model} has other taught words: {Count} now"
    )]
    public static partial void WordsChanged(ILogger log, string model, int count);

    [LoggerMessage(
        EventId = 8,
        Level = LogLevel.Warning,
        Message = "The model {Model} changed in its folder; what was open is served on: {Trouble}"
    )]
    public static partial void FolderNotRead(ILogger log, string model, string trouble);

    [LoggerMessage(EventId = 9, Level = LogLevel.Information, Message = "The model {Model} has {Which} calibration")]
    public static partial void CalibrationChanged(ILogger log, string model, string which);
}

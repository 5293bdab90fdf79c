using LiT.Tests;

namespace LiT.Server.Tests;

/// <summary>What is served: one caption is what a page must not run.</summary>
public sealed class ServedPictures : CaptionedPictures
{
    public ServedPictures()
        : base("<script>alert('b')</script> a", "b b", i => i % 2 == 0 ? "even" : "odd") => Make();

    public ServerSettings Settings() =>
        new()
        {
            Model = Model,
            Data = [Store],
            Port = 0,
            LogFrom = Microsoft.Extensions.Logging.LogLevel.Warning,
            Session = new() { Device = "cpu", Threads = 2 },
        };
}

using LiT.Tests;

namespace LiT.Postgres.Tests;

/// <summary>What is pushed: captions that SQL and patterns would stumble over; one in three has no label.</summary>
public sealed class StoredPictures : CaptionedPictures
{
    public StoredPictures()
        : base(@"50% of \ it's 'b'", "b_b", i => (i % 3) switch
            {
                0 => "even",
                1 => "odd",
                _ => "",
            }) => Make();
}

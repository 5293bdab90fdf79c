using static LiT.Drawings.Shade;

namespace LiT.Drawings.Kinds;

/// <summary>Five buildings; walls carry the colour, of the tent its cloth.</summary>
internal static class Buildings
{
    public static void House(Pen pen)
    {
        var eaves = pen.Dice.Between(.84f, .97f);
        if (pen.Dice.Chance(.6f))
            pen.Box(Wood, .36f, -.84f, .56f, -.3f);
        pen.Box(Main, -.7f, -.18f, .7f, .88f, .02f);
        pen.Polygon(Dark, -eaves, -.14f, 0, -.92f, eaves, -.14f);
        pen.Box(Wood, -.16f, .3f, .18f, .88f, .02f);
        pen.Dot(Gold, .1f, .6f, .04f);
        foreach (var x in Windows)
        {
            pen.Box(Glass, x - .15f, .04f, x + .15f, .36f, .02f);
            pen.Line(White, .04f, x, .06f, x, .34f);
        }
    }

    public static void Castle(Pen pen)
    {
        var keep = pen.Dice.Between(-.7f, -.5f);
        pen.Box(Main, -.34f, keep, .34f, .5f);
        Battlements(pen, -.34f, .34f, keep);
        pen.Box(Main, -.6f, .04f, .6f, .9f);
        pen.Box(Main, -.94f, -.3f, -.5f, .9f);
        pen.Box(Main, .5f, -.3f, .94f, .9f);
        Battlements(pen, -.94f, -.5f, -.3f);
        Battlements(pen, .5f, .94f, -.3f);
        pen.Slice(Wood, 0, .56f, .22f, .3f, 180, 180);
        pen.Box(Wood, -.22f, .55f, .22f, .9f);
        pen.Box(Mark, -.76f, .06f, -.66f, .3f, .05f);
        pen.Box(Mark, .66f, .06f, .76f, .3f, .05f);
        pen.Box(Mark, -.06f, keep + .16f, .06f, keep + .42f, .05f);
    }

    public static void Lighthouse(Pen pen)
    {
        if (pen.Dice.Chance(.7f))
        {
            var beam = pen.Dice.Between(-.1f, .1f);
            pen.Polygon(Gold, 0, -.66f, .96f, -.86f + beam, .96f, -.5f + beam);
        }
        pen.Polygon(Main, -.24f, -.48f, .24f, -.48f, .4f, .86f, -.4f, .86f);
        pen.Polygon(White, -.28f, -.14f, .28f, -.14f, .32f, .14f, -.32f, .14f);
        pen.Polygon(White, -.35f, .42f, .35f, .42f, .38f, .68f, -.38f, .68f);
        pen.Box(Gold, -.15f, -.76f, .15f, -.48f);
        pen.Box(Ink, -.3f, -.54f, .3f, -.44f, .03f);
        pen.Slice(Main, 0, -.74f, .24f, .24f, 180, 180);
        pen.Slice(Ink, 0, .88f, .11f, .3f, 180, 180);
        pen.Ellipse(Metal, 0, .9f, .66f, .1f);
    }

    public static void Tent(Pen pen)
    {
        var open = pen.Dice.Between(.16f, .34f);
        pen.Line(Wood, .06f, -.1f, -.9f, .06f, -.6f);
        pen.Line(Wood, .06f, .1f, -.9f, -.06f, -.6f);
        pen.Polygon(Main, 0, -.72f, .95f, .74f, -.95f, .74f);
        pen.Polygon(Light, 0, -.72f, -.6f, .74f, -.76f, .74f);
        pen.Polygon(Light, 0, -.72f, .6f, .74f, .76f, .74f);
        pen.Polygon(Ink, 0, -.16f, open, .74f, -open, .74f);
        pen.Polygon(Dark, 0, -.16f, open + .14f, .58f, open, .74f);
        pen.Polygon(Dark, 0, -.16f, -open - .14f, .58f, -open, .74f);
        pen.Line(Leaf, .07f, -.95f, .78f, .95f, .78f);
    }

    public static void Windmill(Pen pen)
    {
        var turn = pen.Dice.Between(0, 90);
        pen.Polygon(Main, -.26f, -.3f, .26f, -.3f, .44f, .92f, -.44f, .92f);
        pen.Slice(Dark, 0, -.28f, .3f, .34f, 180, 180);
        pen.Slice(Wood, 0, .92f, .14f, .36f, 180, 180);
        pen.Box(Glass, -.09f, .12f, .09f, .34f, .03f);
        for (var i = 0; i < 4; i++)
        {
            pen.Turned(turn + 90 * i, 0, -.3f, () =>
            {
                pen.Line(Wood, .06f, 0, -.3f, 0, -.98f);
                pen.Box(White, .02f, -.96f, .22f, -.46f, .01f);
            });
        }
        pen.Dot(Ink, 0, -.3f, .08f);
    }

    private static readonly float[] Windows = [-.44f, .44f];

    private static void Battlements(Pen pen, float left, float right, float y)
    {
        var tooth = (right - left) / 5;
        for (var i = 0; i < 5; i += 2)
            pen.Box(Main, left + i * tooth, y - .16f, left + (i + 1) * tooth, y + .05f);
    }
}

using static LiT.Drawings.Shade;

namespace LiT.Drawings.Kinds;

/// <summary>Ten things of the household.</summary>
internal static class Things
{
    public static void Anchor(Pen pen)
    {
        pen.Ring(Main, .13f, 0, -.72f, .18f);
        pen.Line(Main, .17f, 0, -.52f, 0, .78f);
        pen.Line(Main, .15f, -.42f, -.3f, .42f, -.3f);
        pen.Arc(Main, .17f, 0, .14f, .68f, .68f, 12, 156);
        pen.Polygon(Main, .48f, .32f, .76f, .02f, .94f, .4f);
        pen.Polygon(Main, -.48f, .32f, -.76f, .02f, -.94f, .4f);
        if (pen.Dice.Chance(.4f))
            pen.Curve(Sand, .06f, 0, -.72f, .4f, -.6f, .3f, -.1f, -.14f, .1f, .2f, .44f);
    }

    public static void Bell(Pen pen)
    {
        var swing = pen.Dice.Between(-.2f, .2f);
        pen.Circle(Wood, swing, .78f, .16f);
        pen.Ring(Dark, .09f, 0, -.82f, .12f);
        pen.Blob(
            Main,
            -.2f,
            -.72f,
            .2f,
            -.72f,
            .46f,
            -.34f,
            .54f,
            .24f,
            .84f,
            .62f,
            .4f,
            .7f,
            -.4f,
            .7f,
            -.84f,
            .62f,
            -.54f,
            .24f,
            -.46f,
            -.34f
        );
        pen.Curve(Light, .08f, -.26f, -.46f, -.36f, -.1f, -.38f, .3f);
        pen.Line(Dark, .09f, -.74f, .6f, .74f, .6f);
    }

    public static void Umbrella(Pen pen)
    {
        pen.Curve(Wood, .08f, 0, -.2f, 0, .4f, 0, .76f, .13f, .9f, .26f, .76f);
        pen.Line(Metal, .07f, 0, -.96f, 0, -.6f);
        pen.Slice(Main, 0, .06f, .95f, .88f, 180, 180);
        pen.Slice(pen.Dice.Chance(.6f) ? Light : Dark, 0, .06f, .4f, .88f, 180, 180);
        for (var i = 0; i < 4; i++)
            pen.Slice(i is 0 or 3 ? Main : Dark, -.7f + i * .467f, .07f, .235f, .12f, 180, -180);
    }

    public static void Cup(Pen pen)
    {
        var steam = pen.Dice.Chance(.6f);
        pen.Arc(Main, .15f, .5f, .2f, .34f, .3f, -90, 180);
        pen.Blob(Main, -.62f, -.26f, .54f, -.26f, .5f, .3f, .3f, .76f, -.38f, .76f, -.58f, .3f);
        pen.Ellipse(Light, -.04f, -.26f, .6f, .15f);
        pen.Ellipse(Wood, -.04f, -.24f, .48f, .1f);
        pen.Ellipse(Metal, -.04f, .84f, .66f, .1f);
        if (!steam)
            return;
        pen.Curve(White, .06f, -.24f, -.5f, -.14f, -.64f, -.28f, -.78f, -.18f, -.94f);
        pen.Curve(White, .06f, .12f, -.5f, .22f, -.64f, .08f, -.78f, .18f, -.94f);
    }

    public static void Chair(Pen pen)
    {
        var slats = 2 + pen.Dice.Below(3);
        pen.Box(Main, -.56f, -.94f, -.4f, .94f, .04f);
        pen.Box(Dark, -.2f, .2f, -.08f, .78f, .03f);
        pen.Box(Dark, .24f, .2f, .36f, .78f, .03f);
        pen.Box(Main, .42f, .14f, .58f, .94f, .04f);
        for (var i = 0; i < slats; i++)
            pen.Polygon(
                Main,
                -.44f,
                -.84f + i * .8f / slats,
                -.1f,
                -.92f + i * .8f / slats,
                -.1f,
                -.8f + i * .8f / slats,
                -.44f,
                -.7f + i * .8f / slats
            );
        pen.Box(Dark, -.14f, -.97f, -.02f, .1f, .03f);
        pen.Polygon(Main, -.58f, .24f, -.16f, .02f, .72f, .02f, .58f, .24f);
        pen.Polygon(Light, -.42f, .17f, -.12f, .06f, .56f, .06f, .46f, .17f);
    }

    public static void Clock(Pen pen)
    {
        var hour = pen.Dice.Between(0, 360);
        var minute = pen.Dice.Between(0, 360);
        foreach (var side in Sides)
        {
            pen.Line(Dark, .12f, side * .4f, .6f, side * .58f, .94f);
            pen.Ellipse(Dark, side * .48f, -.7f, .26f, .17f, side * 38);
        }
        pen.Line(Dark, .08f, 0, -.9f, 0, -.7f);
        pen.Circle(Main, 0, 0, .78f);
        pen.Circle(White, 0, 0, .56f);
        for (var i = 0; i < 12; i += i % 3 == 0 ? 1 : 2)
            pen.Turned(i * 30, 0, 0, () => pen.Line(Ink, .05f, 0, -.5f, 0, -.44f));
        pen.Turned(hour, 0, 0, () => pen.Line(Ink, .09f, 0, .04f, 0, -.28f));
        pen.Turned(minute, 0, 0, () => pen.Line(Ink, .06f, 0, .06f, 0, -.42f));
        pen.Dot(Flame, 0, 0, .07f);
    }

    public static void Lamp(Pen pen)
    {
        var lit = pen.Dice.Chance(.6f);
        var height = pen.Dice.Between(-.06f, .08f);
        pen.Ellipse(Dark, 0, .86f, .46f, .1f);
        pen.Line(Metal, .1f, 0, 0, 0, .82f);
        pen.Ellipse(Metal, 0, .5f + height, .14f, .2f);
        if (lit)
            pen.Polygon(Gold, -.5f, .02f, .5f, .02f, .78f, .3f, -.78f, .3f);
        pen.Polygon(Main, -.36f, -.92f, .36f, -.92f, .74f, .06f, -.74f, .06f);
        pen.Polygon(Light, -.2f, -.84f, -.02f, -.84f, -.12f, -.02f, -.44f, -.02f);
    }

    public static void Guitar(Pen pen)
    {
        pen.Turned(28, 0, 0, () =>
        {
            pen.Box(Wood, -.08f, -.84f, .08f, .2f, .02f);
            pen.Box(Ink, -.15f, -.99f, .15f, -.74f, .05f);
            foreach (var side in Sides)
            {
                pen.Dot(Metal, side * .19f, -.92f, .04f);
                pen.Dot(Metal, side * .19f, -.82f, .04f);
            }
            pen.Blob(
                Main,
                0,
                -.14f,
                .32f,
                -.06f,
                .3f,
                .2f,
                .5f,
                .48f,
                .42f,
                .86f,
                0,
                .98f,
                -.42f,
                .86f,
                -.5f,
                .48f,
                -.3f,
                .2f,
                -.32f,
                -.06f
            );
            pen.Circle(Ink, 0, .3f, .16f);
            pen.Box(Wood, -.24f, .66f, .24f, .75f, .02f);
            pen.Line(White, .025f, -.03f, -.76f, -.03f, .7f);
            pen.Line(White, .025f, .03f, -.76f, .03f, .7f);
        });
    }

    public static void Hat(Pen pen)
    {
        var tall = pen.Dice.Between(-.86f, -.55f);
        pen.Ellipse(Main, 0, .5f, .96f, .2f);
        pen.Blob(
            Main,
            -.48f,
            .46f,
            -.44f,
            -.1f,
            -.36f,
            tall,
            .02f,
            tall + .12f,
            .36f,
            tall,
            .44f,
            -.1f,
            .48f,
            .46f,
            0,
            .58f
        );
        pen.Curve(pen.Dice.Chance(.5f) ? Gold : White, .17f, -.46f, .26f, 0, .36f, .46f, .26f);
        pen.Arc(Dark, .04f, 0, .5f, .88f, .13f, 20, 140);
    }

    public static void Crown(Pen pen)
    {
        var high = pen.Dice.Between(-.86f, -.6f);
        pen.Polygon(Main, -.78f, .7f, -.92f, -.42f, -.42f, .1f, 0, high, .42f, .1f, .92f, -.42f, .78f, .7f);
        pen.Box(Dark, -.8f, .46f, .8f, .74f, .05f);
        pen.Circle(Main, -.92f, -.46f, .11f);
        pen.Circle(Main, 0, high - .04f, .13f);
        pen.Circle(Main, .92f, -.46f, .11f);
        pen.Dot(White, 0, .6f, .1f);
        pen.Dot(Glass, -.42f, .6f, .08f);
        pen.Dot(Glass, .42f, .6f, .08f);
    }

    private static readonly float[] Sides = [-1, 1];
}

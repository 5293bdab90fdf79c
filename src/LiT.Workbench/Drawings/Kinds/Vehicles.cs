using static LiT.Drawings.Shade;

namespace LiT.Drawings.Kinds;

/// <summary>Eight vehicles, seen from the side; the airplane from above.</summary>
internal static class Vehicles
{
    public static void Car(Pen pen)
    {
        var roof = pen.Dice.Between(-.56f, -.4f);
        pen.Polygon(Main, -.66f, .02f, -.4f, roof, .28f, roof, .62f, .02f);
        pen.Polygon(Glass, -.52f, -.02f, -.33f, roof + .1f, -.08f, roof + .1f, -.08f, -.02f);
        pen.Polygon(Glass, .02f, -.02f, .02f, roof + .1f, .23f, roof + .1f, .47f, -.02f);
        pen.Box(Main, -.96f, -.04f, .96f, .42f, .16f);
        pen.Line(Dark, .04f, -.02f, .02f, -.02f, .36f);
        pen.Line(Dark, .05f, .08f, .1f, .2f, .1f);
        pen.Box(Gold, .82f, .06f, .96f, .18f, .05f);
        pen.Box(Flame, -.96f, .06f, -.87f, .18f, .03f);
        Wheel(pen, -.54f, .42f, .24f);
        Wheel(pen, .54f, .42f, .24f);
    }

    public static void Bus(Pen pen)
    {
        var windows = 3 + pen.Dice.Below(3);
        pen.Box(Main, -.97f, -.62f, .97f, .48f, .14f);
        pen.Box(Light, -.96f, .12f, .96f, .24f);
        var width = 1.34f / windows;
        for (var i = 0; i < windows; i++)
            pen.Box(Glass, -.86f + i * width, -.46f, -.94f + (i + 1) * width, -.02f, .05f);
        pen.Box(Glass, .56f, -.46f, .86f, .4f, .05f);
        pen.Line(Dark, .04f, .71f, -.44f, .71f, .38f);
        pen.Box(Gold, .86f, .28f, .97f, .4f, .04f);
        Wheel(pen, -.54f, .5f, .22f);
        Wheel(pen, .34f, .5f, .22f);
    }

    public static void Bicycle(Pen pen)
    {
        foreach (var x in Axles)
        {
            pen.Ring(Ink, .1f, x, .34f, .38f);
            pen.Line(Metal, .02f, x - .3f, .34f, x + .3f, .34f);
            pen.Line(Metal, .02f, x, .04f, x, .64f);
        }
        pen.Line(Main, .12f, -.56f, .34f, -.24f, -.22f, .34f, -.22f, .02f, .34f, -.56f, .34f);
        pen.Line(Main, .12f, .02f, .34f, -.28f, -.36f);
        pen.Line(Main, .12f, .56f, .34f, .3f, -.46f);
        var dropped = pen.Dice.Chance(.5f) ? .16f : -.1f;
        pen.Curve(Ink, .08f, .16f, -.5f, .34f, -.52f, .5f, -.5f + dropped);
        pen.Line(Ink, .12f, -.42f, -.4f, -.14f, -.4f);
        pen.Circle(Metal, .02f, .34f, .1f);
    }

    public static void Sailboat(Pen pen)
    {
        var billow = pen.Dice.Between(.02f, .2f);
        pen.Line(Wood, .07f, 0, -.92f, 0, .5f);
        pen.Blob(Main, -.08f, -.88f, -.3f, -.5f, -.66f - billow / 2, .22f, -.3f, .3f, -.08f, .28f);
        pen.Blob(Light, .1f, -.72f, .34f, -.3f + billow / 3, .62f + billow, .26f, .36f, .3f, .1f, .28f);
        pen.Polygon(Main, 0, -.97f, .26f, -.88f, 0, -.8f);
        pen.Polygon(Wood, -.86f, .42f, .9f, .42f, .6f, .86f, -.6f, .86f);
        pen.Line(White, .05f, -.74f, .56f, .78f, .56f);
    }

    public static void Airplane(Pen pen)
    {
        var sweep = pen.Dice.Between(.1f, .34f);
        pen.Turned(45, 0, 0, () =>
        {
            foreach (var side in Sides)
            {
                pen.Polygon(
                    Dark,
                    side * .06f,
                    -.2f,
                    side * .97f,
                    .1f + sweep,
                    side * .97f,
                    .28f + sweep,
                    side * .06f,
                    .2f
                );
                pen.Polygon(Dark, side * .04f, .66f, side * .4f, .86f, side * .4f, .97f, side * .04f, .88f);
                pen.Box(Metal, side * .46f - .07f, sweep / 2 - .14f, side * .46f + .07f, sweep / 2 + .1f, .06f);
            }
            pen.Blob(Main, 0, -.99f, .15f, -.72f, .15f, .2f, .07f, .9f, -.07f, .9f, -.15f, .2f, -.15f, -.72f);
            pen.Slice(Glass, 0, -.62f, .11f, .22f, 180, 180);
            pen.Line(Light, .06f, 0, -.4f, 0, .7f);
        });
    }

    public static void Rocket(Pen pen)
    {
        var flame = pen.Dice.Between(.7f, .99f);
        pen.Blob(Flame, -.18f, .5f, 0, .46f, .18f, .5f, .12f, .68f, 0, flame, -.12f, .68f);
        pen.Polygon(Gold, -.08f, .5f, .08f, .5f, 0, flame - .16f);
        pen.Polygon(Dark, -.24f, .04f, -.6f, .56f, -.24f, .46f);
        pen.Polygon(Dark, .24f, .04f, .6f, .56f, .24f, .46f);
        pen.Blob(Main, 0, -.97f, .22f, -.6f, .3f, -.1f, .22f, .5f, -.22f, .5f, -.3f, -.1f, -.22f, -.6f);
        pen.Blob(Light, 0, -.95f, .14f, -.76f, .2f, -.58f, -.2f, -.58f, -.14f, -.76f);
        pen.Circle(White, 0, -.2f, .17f);
        pen.Dot(Glass, 0, -.2f, .11f);
        pen.Polygon(Dark, -.06f, .12f, .06f, .12f, .06f, .58f, -.06f, .58f);
    }

    public static void Train(Pen pen)
    {
        var puff = pen.Dice.Between(-.1f, .1f);
        pen.Circle(White, .3f + puff, -.82f, .13f);
        pen.Circle(White, .08f + puff, -.88f, .1f);
        pen.Polygon(Ink, .36f, -.2f, .32f, -.68f, .68f, -.68f, .62f, -.2f);
        pen.Box(Main, -.3f, -.28f, .82f, .28f, .1f);
        pen.Slice(Dark, .04f, -.26f, .16f, .16f, 180, 180);
        pen.Box(Main, -.86f, -.66f, -.26f, .3f, .03f);
        pen.Box(Dark, -.94f, -.76f, -.18f, -.62f, .05f);
        pen.Box(Glass, -.72f, -.5f, -.4f, -.12f, .04f);
        pen.Box(Dark, -.92f, .22f, .86f, .42f, .04f);
        pen.Polygon(Metal, .82f, .3f, .98f, .74f, .66f, .74f);
        pen.Dot(Gold, .82f, -.04f, .1f);
        Wheel(pen, -.62f, .52f, .27f);
        Wheel(pen, -.02f, .6f, .19f);
        Wheel(pen, .42f, .6f, .19f);
    }

    public static void Balloon(Pen pen)
    {
        var striped = pen.Dice.Chance(.7f);
        pen.Line(Wood, .04f, -.3f, .22f, -.14f, .7f);
        pen.Line(Wood, .04f, .3f, .22f, .14f, .7f);
        pen.Blob(
            Main,
            0,
            -.97f,
            .46f,
            -.82f,
            .64f,
            -.38f,
            .44f,
            .06f,
            .2f,
            .36f,
            -.2f,
            .36f,
            -.44f,
            .06f,
            -.64f,
            -.38f,
            -.46f,
            -.82f
        );
        if (striped)
        {
            pen.Blob(
                Light,
                0,
                -.96f,
                .26f,
                -.78f,
                .34f,
                -.36f,
                .24f,
                .06f,
                .12f,
                .35f,
                -.12f,
                .35f,
                -.24f,
                .06f,
                -.34f,
                -.36f,
                -.26f,
                -.78f
            );
            pen.Ellipse(Main, 0, -.32f, .12f, .63f);
        }
        else
        {
            pen.Line(Light, .12f, -.58f, -.3f, .58f, -.3f);
        }
        pen.Box(Wood, -.2f, .64f, .2f, .96f, .06f);
        pen.Line(Sand, .05f, -.17f, .74f, .17f, .74f);
    }

    private static readonly float[] Sides = [-1, 1];
    private static readonly float[] Axles = [-.56f, .56f];

    private static void Wheel(Pen pen, float x, float y, float radius)
    {
        pen.Circle(Ink, x, y, radius);
        pen.Dot(Metal, x, y, radius * .5f);
    }
}

using static LiT.Drawings.Shade;

namespace LiT.Drawings.Kinds;

/// <summary>Eight animals.</summary>
internal static class Animals
{
    public static void Cat(Pen pen)
    {
        var tail = pen.Dice.Between(-.25f, .3f);
        pen.Curve(Main, .17f, .3f, .72f, .72f, .7f, .84f, .3f + tail, .66f, -.05f + tail, .82f, -.25f + tail);
        pen.Blob(Main, 0, -.1f, .3f, .15f, .46f, .6f, .36f, .92f, 0, .96f, -.36f, .92f, -.46f, .6f, -.3f, .15f);
        pen.Ellipse(Light, 0, .62f, .2f, .3f);
        pen.Ellipse(Main, -.2f, .9f, .15f, .1f);
        pen.Ellipse(Main, .2f, .9f, .15f, .1f);
        pen.Polygon(Main, -.52f, -.25f, -.54f, -.97f, -.1f, -.6f);
        pen.Polygon(Main, .52f, -.25f, .54f, -.97f, .1f, -.6f);
        pen.Polygon(Rose, -.42f, -.48f, -.45f, -.8f, -.23f, -.6f);
        pen.Polygon(Rose, .42f, -.48f, .45f, -.8f, .23f, -.6f);
        pen.Ellipse(Main, 0, -.3f, .54f, .44f);
        Eyes(pen, .2f, -.36f, .075f);
        pen.Dot(Rose, 0, -.2f, .06f);
        foreach (var side in Sides)
        {
            pen.Line(Mark, .025f, side * .2f, -.17f, side * .66f, -.26f);
            pen.Line(Mark, .025f, side * .2f, -.11f, side * .66f, -.06f);
            pen.Arc(Mark, .03f, side * .07f, -.14f, .07f, .06f, 20, 140);
        }
    }

    public static void Dog(Pen pen)
    {
        var wag = pen.Dice.Between(-.2f, .2f);
        var stride = pen.Dice.Between(-.06f, .06f);
        pen.Curve(Main, .14f, -.66f, -.02f, -.86f, -.25f, -.84f + wag, -.58f);
        foreach (var x in LegsOfDog)
            pen.Box(x is -.5f or .42f ? Main : Dark, x - .08f + stride, .2f, x + .1f + stride, .88f, .06f);
        pen.Box(Main, -.74f, -.16f, .6f, .44f, .24f);
        pen.Ellipse(Light, -.1f, .34f, .36f, .1f);
        pen.Polygon(Main, .2f, .1f, .32f, -.5f, .7f, -.4f, .62f, .15f);
        pen.Box(Main, .45f, -.5f, .98f, -.16f, .14f);
        pen.Ellipse(Main, .46f, -.46f, .32f, .29f);
        pen.Ellipse(Dark, .26f, -.34f, .13f, .3f, 14);
        pen.Line(pen.Dice.Chance(.5f) ? Gold : Rose, .07f, .3f, -.04f, .64f, -.04f);
        pen.Circle(Ink, .94f, -.46f, .08f);
        pen.Dot(Mark, .54f, -.54f, .06f);
        pen.Line(Mark, .03f, .68f, -.24f, .9f, -.26f);
    }

    public static void Rabbit(Pen pen)
    {
        var lean = pen.Dice.Between(4, 18);
        var folded = pen.Dice.Chance(.25f) ? 30 : 0;
        foreach (var side in Sides)
        {
            var degrees = side * (side > 0 ? lean + folded : lean);
            pen.Turned(degrees, side * .16f, -.35f, () =>
            {
                pen.Ellipse(Main, side * .16f, -.66f, .13f, .36f);
                pen.Ellipse(Rose, side * .16f, -.64f, .06f, .25f);
            });
        }
        pen.Circle(White, .44f, .6f, .14f);
        pen.Ellipse(Main, 0, .5f, .46f, .44f);
        pen.Ellipse(Light, 0, .54f, .26f, .28f);
        pen.Ellipse(Main, -.26f, .9f, .22f, .1f);
        pen.Ellipse(Main, .26f, .9f, .22f, .1f);
        pen.Ellipse(Main, 0, -.14f, .4f, .35f);
        Eyes(pen, .16f, -.2f, .06f);
        pen.Ellipse(Rose, 0, -.08f, .06f, .045f);
        pen.Box(White, -.06f, .02f, .06f, .14f, .02f);
    }

    public static void Bird(Pen pen)
    {
        var wing = pen.Dice.Between(-28, 14);
        pen.Line(Flame, .05f, -.02f, .5f, -.04f, .92f);
        pen.Line(Flame, .05f, .18f, .5f, .18f, .92f);
        pen.Line(Flame, .05f, -.14f, .92f, .3f, .92f);
        pen.Polygon(Dark, -.4f, .12f, -.98f, .02f, -.92f, .34f, -.36f, .4f);
        pen.Polygon(Gold, .66f, -.52f, .99f, -.36f, .66f, -.24f);
        pen.Blob(
            Main,
            .3f,
            -.72f,
            .64f,
            -.55f,
            .68f,
            -.25f,
            .56f,
            .2f,
            .2f,
            .56f,
            -.3f,
            .44f,
            -.56f,
            .15f,
            -.1f,
            -.12f,
            .04f,
            -.5f
        );
        pen.Ellipse(Light, .34f, .2f, .2f, .26f, 28);
        pen.Turned(wing, .05f, -.02f, () =>
            pen.Blob(Dark, .1f, -.12f, .16f, .18f, -.2f, .34f, -.66f, .36f, -.3f, .06f)
        );
        pen.Dot(White, .44f, -.44f, .09f);
        pen.Dot(Ink, .46f, -.44f, .055f);
    }

    public static void Fish(Pen pen)
    {
        var swish = pen.Dice.Between(-.14f, .14f);
        pen.Polygon(Dark, -.42f, 0, -.96f, -.46f + swish, -.8f, swish / 2, -.96f, .46f + swish);
        pen.Blob(Dark, -.2f, -.3f, .02f, -.7f, .36f, -.62f, .42f, -.3f);
        pen.Polygon(Dark, -.1f, .3f, .02f, .66f, .26f, .32f);
        pen.Blob(Main, .94f, .02f, .6f, -.32f, .1f, -.44f, -.36f, -.18f, -.56f, 0, -.36f, .18f, .1f, .44f, .6f, .34f);
        if (pen.Dice.Chance(.5f))
        {
            pen.Curve(Light, .08f, -.1f, -.28f, -.04f, 0, -.1f, .28f);
            pen.Curve(Light, .08f, .12f, -.34f, .18f, 0, .12f, .34f);
        }
        pen.Arc(Dark, .05f, .38f, 0, .14f, .3f, -70, 140);
        pen.Ellipse(Dark, .14f, .1f, .15f, .09f, 24);
        pen.Dot(White, .66f, -.1f, .11f);
        pen.Dot(Ink, .69f, -.1f, .06f);
    }

    public static void Butterfly(Pen pen)
    {
        var open = pen.Dice.Between(.72f, 1);
        var spots = pen.Dice.Chance(.6f);
        foreach (var side in Sides)
        {
            var x = side * open;
            pen.Blob(Main, x * .06f, -.1f, x * .3f, -.66f, x * .82f, -.84f, x * .94f, -.45f, x * .62f, -.02f);
            pen.Blob(Dark, x * .06f, .02f, x * .56f, .04f, x * .74f, .44f, x * .46f, .82f, x * .2f, .5f);
            pen.Ellipse(Light, x * .62f, -.5f, .15f * open, .17f);
            if (spots)
                pen.Dot(Light, x * .46f, .4f, .1f);
            pen.Curve(Ink, .035f, side * .04f, -.4f, side * .12f, -.7f, side * .26f, -.9f);
            pen.Dot(Ink, side * .26f, -.9f, .05f);
        }
        pen.Ellipse(Ink, 0, .08f, .07f, .52f);
        pen.Dot(Ink, 0, -.42f, .1f);
    }

    public static void Snail(Pen pen)
    {
        var reach = pen.Dice.Between(-.08f, .1f);
        pen.Curve(Sand, .05f, .66f, .1f, .62f, -.2f, .56f + reach, -.42f);
        pen.Curve(Sand, .05f, .76f, .1f, .84f, -.18f, .9f + reach / 2, -.36f);
        pen.Blob(
            Sand,
            -.96f,
            .7f,
            -.6f,
            .5f,
            .3f,
            .5f,
            .5f,
            .2f,
            .62f,
            -.02f,
            .84f,
            .04f,
            .88f,
            .3f,
            .7f,
            .66f,
            .4f,
            .74f
        );
        pen.Dot(Ink, .56f + reach, -.44f, .07f);
        pen.Dot(Ink, .9f + reach / 2, -.38f, .07f);
        pen.Circle(Main, -.12f, .02f, .56f);
        pen.Curve(
            Dark,
            .09f,
            -.6f,
            .22f,
            -.34f,
            .42f,
            .06f,
            .4f,
            .28f,
            .06f,
            .12f,
            -.28f,
            -.2f,
            -.34f,
            -.44f,
            -.08f,
            -.3f,
            .16f,
            -.04f,
            .14f,
            0,
            -.06f,
            -.14f,
            -.08f
        );
        pen.Arc(Light, .06f, -.12f, .02f, .44f, .44f, 200, 50);
    }

    public static void Turtle(Pen pen)
    {
        var neck = pen.Dice.Between(-.14f, .06f);
        pen.Polygon(Sand, -.66f, .3f, -.96f, .44f, -.6f, .46f);
        pen.Box(Sand, -.56f, .3f, -.26f, .72f, .1f);
        pen.Box(Sand, .14f, .3f, .44f, .72f, .1f);
        pen.Curve(Sand, .24f, .4f, .3f, .64f, .2f, .76f, neck);
        pen.Ellipse(Sand, .8f, neck - .02f, .19f, .16f);
        pen.Dot(Ink, .86f, neck - .06f, .045f);
        pen.Slice(Main, -.1f, .4f, .68f, .84f, 180, 180);
        pen.Polygon(Light, -.1f, -.3f, .12f, -.16f, .08f, .1f, -.28f, .1f, -.32f, -.16f);
        pen.Polygon(Dark, .24f, -.1f, .42f, .06f, .44f, .26f, .22f, .22f);
        pen.Polygon(Dark, -.44f, -.1f, -.62f, .06f, -.64f, .26f, -.42f, .22f);
        pen.Line(Dark, .1f, -.74f, .4f, .54f, .4f);
    }

    private static readonly float[] Sides = [-1, 1];
    private static readonly float[] LegsOfDog = [-.66f, .26f, -.5f, .42f];

    private static void Eyes(Pen pen, float apart, float y, float radius)
    {
        pen.Dot(Mark, -apart, y, radius);
        pen.Dot(Mark, apart, y, radius);
    }
}

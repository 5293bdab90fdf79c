using static LiT.Drawings.Shade;

namespace LiT.Drawings.Kinds;

/// <summary>Four tools and four signs.</summary>
internal static class ToolsAndSigns
{
    public static void Hammer(Pen pen)
    {
        var end = pen.Dice.Between(.8f, .97f);
        pen.Box(Wood, -.1f, -.6f, .1f, end, .06f);
        pen.Box(Main, -.3f, -.88f, .46f, -.44f, .05f);
        pen.Box(Main, .4f, -.94f, .68f, -.38f, .05f);
        pen.Blob(Main, -.24f, -.87f, -.24f, -.5f, -.5f, -.5f, -.84f, -.26f, -.68f, -.72f);
        pen.Line(Light, .06f, -.2f, -.78f, .34f, -.78f);
    }

    public static void Scissors(Pen pen)
    {
        var open = pen.Dice.Between(14, 32);
        foreach (var side in Sides)
        {
            pen.Turned(side * open, 0, .02f, () =>
            {
                pen.Polygon(Metal, -.1f, .06f, -.02f * side, -.97f, .12f, .06f);
                pen.Line(Main, .15f, 0, .04f, side * -.06f, .4f);
                pen.Arc(Main, .15f, side * -.12f, .66f, .19f, .26f, 0, 359.9f);
            });
        }
        pen.Dot(Ink, 0, .02f, .07f);
    }

    public static void Key(Pen pen)
    {
        var teeth = 2 + pen.Dice.Below(2);
        pen.Turned(-40, 0, 0, () =>
        {
            pen.Line(Main, .17f, -.2f, 0, .92f, 0);
            for (var i = 0; i < teeth; i++)
                pen.Line(Main, .13f, .86f - i * .24f, 0, .86f - i * .24f, .24f);
            pen.Ring(Main, .21f, -.54f, 0, .3f);
            pen.Arc(Light, .05f, -.54f, 0, .32f, .32f, 190, 80);
            pen.Line(Dark, .05f, -.14f, -.12f, -.14f, .12f);
        });
    }

    public static void Pencil(Pen pen)
    {
        var worn = pen.Dice.Between(0, .3f);
        pen.Turned(40, 0, 0, () =>
        {
            pen.Box(Rose, -.2f, -.98f + worn, .2f, -.7f + worn, .08f);
            pen.Box(Metal, -.2f, -.8f + worn, .2f, -.62f + worn);
            pen.Box(Main, -.2f, -.62f + worn, .2f, .5f);
            pen.Box(Light, -.07f, -.61f + worn, .06f, .5f);
            pen.Polygon(Sand, -.2f, .5f, .2f, .5f, 0, .98f);
            pen.Polygon(Ink, -.08f, .79f, .08f, .79f, 0, .98f);
        });
    }

    public static void Star(Pen pen)
    {
        var inner = pen.Dice.Between(.38f, .5f);
        Span<float> points = stackalloc float[20];
        for (var i = 0; i < 10; i++)
        {
            var radius = i % 2 == 0 ? .97f : .97f * inner;
            points[2 * i] = radius * MathF.Sin(i * MathF.PI / 5);
            points[2 * i + 1] = -radius * MathF.Cos(i * MathF.PI / 5) + .06f;
        }
        pen.Polygon(Main, points);
        if (pen.Dice.Chance(.5f))
            pen.Polygon(Light, 0, -.7f, .1f, -.3f, -.04f, -.06f, -.14f, -.28f);
    }

    public static void Heart(Pen pen)
    {
        var tip = pen.Dice.Between(.84f, .97f);
        pen.Blob(
            Main,
            0,
            -.46f,
            .3f,
            -.8f,
            .72f,
            -.76f,
            .93f,
            -.36f,
            .76f,
            .12f,
            .36f,
            .56f,
            0,
            tip,
            -.36f,
            .56f,
            -.76f,
            .12f,
            -.93f,
            -.36f,
            -.72f,
            -.76f,
            -.3f,
            -.8f
        );
        if (pen.Dice.Chance(.6f))
            pen.Ellipse(Light, -.5f, -.36f, .15f, .2f, 30);
    }

    public static void Arrow(Pen pen)
    {
        var head = pen.Dice.Between(.5f, .7f);
        var shaft = pen.Dice.Between(.16f, .26f);
        pen.Polygon(Main, -.95f, -shaft, .1f, -shaft, .1f, -head, .97f, 0, .1f, head, .1f, shaft, -.95f, shaft);
        pen.Line(Light, .08f, -.84f, -shaft + .11f, .2f, -shaft + .11f);
    }

    public static void Moon(Pen pen)
    {
        var face = pen.Dice.Chance(.4f);
        pen.Blob(
            Main,
            .3f,
            -.95f,
            -.2f,
            -.86f,
            -.7f,
            -.42f,
            -.8f,
            .12f,
            -.5f,
            .68f,
            .04f,
            .94f,
            .56f,
            .8f,
            .84f,
            .44f,
            .46f,
            .5f,
            .08f,
            .36f,
            -.14f,
            -.06f,
            -.04f,
            -.54f
        );
        if (face)
        {
            pen.Dot(Mark, -.34f, -.2f, .06f);
            pen.Arc(Mark, .04f, -.26f, .12f, .14f, .12f, 30, 110);
        }
        else
        {
            pen.Dot(Dark, -.44f, -.1f, .1f);
            pen.Dot(Dark, -.3f, .42f, .13f);
            pen.Dot(Dark, .16f, .66f, .08f);
        }
        pen.Polygon(
            Gold,
            .5f,
            -.4f,
            .56f,
            -.22f,
            .74f,
            -.16f,
            .56f,
            -.1f,
            .5f,
            .08f,
            .44f,
            -.1f,
            .26f,
            -.16f,
            .44f,
            -.22f
        );
    }

    private static readonly float[] Sides = [-1, 1];
}

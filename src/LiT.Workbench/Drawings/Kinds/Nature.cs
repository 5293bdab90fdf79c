using static LiT.Drawings.Shade;

namespace LiT.Drawings.Kinds;

/// <summary>Four plants and five kinds of food.</summary>
internal static class Nature
{
    public static void Tree(Pen pen)
    {
        var lean = pen.Dice.Between(-.06f, .06f);
        pen.Polygon(Wood, -.13f, .97f, -.08f + lean, .1f, .08f + lean, .1f, .13f, .97f);
        pen.Line(Wood, .07f, 0, .3f, .26f, .08f);
        pen.Circle(Main, -.38f + lean, -.08f, .36f);
        pen.Circle(Main, .38f + lean, -.06f, .36f);
        pen.Circle(Main, lean, -.5f, .45f);
        pen.Dot(Main, lean, -.12f, .36f);
        pen.Dot(Light, lean - .16f, -.58f, .14f);
        pen.Dot(Light, lean + .3f, -.2f, .11f);
        pen.Dot(Dark, lean - .4f, .06f, .11f);
        pen.Dot(Dark, lean + .06f, -.08f, .1f);
    }

    public static void Flower(Pen pen)
    {
        var petals = 5 + pen.Dice.Below(4);
        var sway = pen.Dice.Between(-.2f, .2f);
        var start = pen.Dice.Between(0, 360);
        pen.Curve(Leaf, .09f, 0, -.2f, sway, .4f, 0, .97f);
        pen.Blob(Leaf, .02f + sway / 2, .62f, .28f, .36f, .52f, .4f, .3f, .64f);
        pen.Blob(Leaf, sway / 2, .76f, -.28f, .5f, -.5f, .56f, -.28f, .78f);
        for (var i = 0; i < petals; i++)
            pen.Turned(start + i * 360f / petals, 0, -.38f, () =>
                pen.Ellipse(Main, 0, -.74f, petals < 7 ? .21f : .16f, .27f)
            );
        pen.Circle(Gold, 0, -.38f, .2f);
    }

    public static void Cactus(Pen pen)
    {
        var left = pen.Dice.Between(-.15f, .15f);
        var right = pen.Dice.Between(-.15f, .15f);
        pen.Line(Main, .24f, -.1f, .3f + left, -.56f, .3f + left, -.56f, -.12f + left);
        pen.Line(Main, .24f, .1f, .1f + right, .56f, .1f + right, .56f, -.38f + right);
        pen.Box(Main, -.24f, -.94f, .24f, .7f, .24f);
        for (var i = 0; i < 5; i++)
        {
            pen.Line(Light, .035f, -.1f, -.7f + i * .28f, -.05f, -.62f + i * .28f);
            pen.Line(Light, .035f, .1f, -.58f + i * .28f, .05f, -.5f + i * .28f);
        }
        if (pen.Dice.Chance(.5f))
            pen.Dot(Rose, 0, -.92f, .11f);
        pen.Polygon(Flame, -.46f, .56f, .46f, .56f, .34f, .97f, -.34f, .97f);
    }

    public static void Mushroom(Pen pen)
    {
        var spread = pen.Dice.Between(.72f, .94f);
        pen.Blob(Sand, -.2f, -.05f, .2f, -.05f, .2f, .5f, .28f, .9f, -.28f, .9f, -.2f, .5f);
        pen.Ellipse(White, 0, .06f, spread * .7f, .12f);
        pen.Slice(Main, 0, .1f, spread, .98f, 180, 180);
        pen.Dot(White, -.3f, -.3f, .14f);
        pen.Dot(White, .22f, -.5f, .12f);
        pen.Dot(White, .48f, -.14f, .1f);
        pen.Dot(White, -.56f, -.06f, .08f);
        pen.Dot(White, .06f, -.1f, .09f);
    }

    public static void Apple(Pen pen)
    {
        pen.Curve(Wood, .09f, 0, -.46f, .03f, -.72f, pen.Dice.Between(-.1f, .16f), -.92f);
        pen.Blob(
            Main,
            0,
            -.46f,
            .36f,
            -.58f,
            .76f,
            -.36f,
            .78f,
            .14f,
            .5f,
            .74f,
            .2f,
            .88f,
            0,
            .8f,
            -.2f,
            .88f,
            -.5f,
            .74f,
            -.78f,
            .14f,
            -.76f,
            -.36f,
            -.36f,
            -.58f
        );
        pen.Blob(Leaf, .06f, -.66f, .26f, -.92f, .6f, -.9f, .36f, -.66f);
        pen.Ellipse(Light, -.42f, -.12f, .12f, .24f, 20);
    }

    public static void Pear(Pen pen)
    {
        var bend = pen.Dice.Between(-.12f, .12f);
        pen.Curve(Wood, .09f, bend, -.66f, bend + .04f, -.82f, bend + .14f, -.96f);
        pen.Blob(
            Main,
            bend,
            -.72f,
            bend + .26f,
            -.54f,
            .32f,
            -.1f,
            .62f,
            .3f,
            .5f,
            .78f,
            0,
            .93f,
            -.5f,
            .78f,
            -.62f,
            .3f,
            -.32f,
            -.1f,
            bend - .26f,
            -.54f
        );
        if (pen.Dice.Chance(.6f))
            pen.Blob(Leaf, bend, -.72f, bend - .24f, -.96f, bend - .5f, -.84f, bend - .28f, -.7f);
        pen.Ellipse(Light, -.3f, .36f, .11f, .24f, 14);
        pen.Dot(Dark, .22f, .5f, .04f);
        pen.Dot(Dark, .1f, .66f, .04f);
        pen.Dot(Dark, .32f, .26f, .04f);
    }

    public static void Banana(Pen pen)
    {
        var bend = pen.Dice.Between(-.1f, .12f);
        pen.Blob(
            Main,
            -.82f,
            -.5f,
            -.6f,
            -.52f,
            -.34f,
            -.02f,
            .1f,
            .14f + bend / 2,
            .56f,
            -.08f,
            .86f,
            -.36f,
            .92f,
            -.16f,
            .66f,
            .32f,
            .16f,
            .58f + bend,
            -.38f,
            .46f + bend,
            -.76f,
            .02f
        );
        pen.Curve(Dark, .05f, -.72f, -.34f, -.44f, .2f, .12f, .36f + bend, .6f, .14f, .86f, -.2f);
        pen.Polygon(Wood, -.86f, -.44f, -.9f, -.74f, -.7f, -.74f, -.62f, -.46f);
        pen.Dot(Ink, .9f, -.28f, .08f);
    }

    public static void Cake(Pen pen)
    {
        var candles = 1 + pen.Dice.Below(3);
        for (var i = 0; i < candles; i++)
        {
            var x = (i - (candles - 1) / 2f) * .34f;
            pen.Box(White, x - .05f, -.72f, x + .05f, -.3f, .02f);
            pen.Ellipse(Flame, x, -.82f, .06f, .12f);
        }
        pen.Box(Main, -.52f, -.36f, .52f, .2f, .06f);
        pen.Box(Main, -.82f, .12f, .82f, .78f, .06f);
        pen.Box(Light, -.82f, .4f, .82f, .52f);
        for (var i = 0; i < 4; i++)
            pen.Dot(White, -.39f + i * .26f, -.32f, .14f);
        for (var i = 0; i < 6; i++)
            pen.Dot(White, -.7f + i * .28f, .16f, .14f);
        pen.Line(Metal, .08f, -.94f, .82f, .94f, .82f);
    }

    public static void IceCream(Pen pen)
    {
        var scoops = pen.Dice.Chance(.5f);
        pen.Polygon(Sand, -.38f, .02f, .38f, .02f, 0, .98f);
        pen.Line(Wood, .03f, -.22f, .1f, .1f, .72f);
        pen.Line(Wood, .03f, .22f, .1f, -.1f, .72f);
        pen.Line(Wood, .03f, .02f, .08f, .2f, .46f);
        pen.Line(Wood, .03f, -.02f, .08f, -.2f, .46f);
        if (scoops)
        {
            pen.Circle(Light, 0, -.58f, .34f);
            pen.Circle(Rose, .06f, -.92f, .07f);
        }
        pen.Circle(Main, 0, -.2f, .44f);
        for (var i = 0; i < 4; i++)
            pen.Dot(Main, -.33f + i * .22f, .06f, .13f);
        pen.Dot(Light, -.16f, -.34f, .09f);
    }
}

using System.Text.Json;
using System.Text.Json.Serialization;

namespace LiT.Towers;

/// <summary>What tuning does with a tower.</summary>
public enum TowerStart
{
    /// <summary>L: pre-trained and locked.</summary>
    Locked,

    /// <summary>U: pre-trained and unlocked.</summary>
    Unlocked,

    /// <summary>u: unlocked, from scratch.</summary>
    FromScratch,
}

/// <summary>
/// The paper's two letters (section 3), image then text: Lu is LiT, LU is LiT from a pre-trained text tower, Uu and UU
/// fine-tune the image tower too, uu is contrastive learning from scratch as CLIP's, LL trains the heads alone. Heads,
/// temperature and bias are trained in every setting.
/// </summary>
[JsonConverter(typeof(AsLetters))]
public sealed record LockSetting
{
    private LockSetting(string letters, TowerStart image, TowerStart text) =>
        (Letters, Image, Text) = (letters, image, text);

    /// <summary>Every setting of the paper, LiT first.</summary>
    public static IReadOnlyList<LockSetting> All { get; } =
    [
        new("Lu", TowerStart.Locked, TowerStart.FromScratch),
        new("LU", TowerStart.Locked, TowerStart.Unlocked),
        new("Uu", TowerStart.Unlocked, TowerStart.FromScratch),
        new("UU", TowerStart.Unlocked, TowerStart.Unlocked),
        new("uu", TowerStart.FromScratch, TowerStart.FromScratch),
        new("LL", TowerStart.Locked, TowerStart.Locked),
    ];

    /// <summary>LiT itself: a locked image tower, a text tower from scratch.</summary>
    public static LockSetting Lu => All[0];

    /// <summary>A locked image tower, a pre-trained text tower that is tuned.</summary>
    public static LockSetting LU => All[1];

    /// <summary>Both towers locked, heads alone are tuned: two stores are enough (SAIL, arXiv 2412.04616).</summary>
    public static LockSetting LL => All[5];

    /// <summary>Image letter, text letter.</summary>
    public string Letters { get; }

    /// <summary>
    /// What is done with the image tower. Only where it is locked can its representations come from a store.
    /// </summary>
    public TowerStart Image { get; }

    /// <summary>What is done with the text tower.</summary>
    public TowerStart Text { get; }

    /// <summary>The setting of two letters; upper and lower case differ.</summary>
    /// <exception cref="UsageException">The paper has no such setting.</exception>
    public static LockSetting Parse(string letters) =>
        All.FirstOrDefault(setting => setting.Letters == letters)
        ?? throw new UsageException(
            $"'{letters}' is no lock setting. Choose one of {string.Join(", ", All)}: image tower then text tower, "
                + "L locked, U unlocked, u from scratch."
        );

    /// <summary>The setting that two towers make: whether each starts from weights, and which is locked.</summary>
    /// <exception cref="UsageException">The paper has no such setting.</exception>
    public static LockSetting Of(TowerStart image, TowerStart text) =>
        Parse(string.Concat(Letter(image), Letter(text)));

    /// <summary>
    /// Locks and unlocks the towers: a locked one takes no gradient and stays in evaluation mode, so that the
    /// statistics of its batch norms never move. Both are left in evaluation mode; <c>train()</c> on
    /// <paramref name="towers"/> reaches the unlocked.
    /// </summary>
    /// <exception cref="LitException">The image tower is to be trained and is not there.</exception>
    internal void ApplyTo(TwoTowers towers)
    {
        if (towers.Image is null && Image != TowerStart.Locked)
            throw new LitException(
                $"Lock setting {Letters} trains the image tower, and only representations from a "
                    + "store are given. Tune on pictures, or with Lu, LU or LL."
            );
        if (Image == TowerStart.Locked)
            towers.Image?.Lock();
        else
            towers.Image!.Unlock();
        if (Text == TowerStart.Locked)
            towers.Text.Lock();
        else
            towers.Text.Unlock();
        towers.eval();
    }

    /// <summary>The two letters.</summary>
    public override string ToString() => Letters;

    private static char Letter(TowerStart start) =>
        start switch
        {
            TowerStart.Locked => 'L',
            TowerStart.Unlocked => 'U',
            _ => 'u',
        };

    private sealed class AsLetters : JsonConverter<LockSetting>
    {
        public override LockSetting Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            try
            {
                return Parse(reader.GetString() ?? "");
            }
            catch (UsageException wrong)
            {
                throw new JsonException(wrong.Message, wrong);
            }
        }

        public override void Write(Utf8JsonWriter writer, LockSetting value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.Letters);
    }
}

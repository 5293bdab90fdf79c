using System.Linq.Expressions;
using System.Text.Json.Serialization;
using LiT.Images;
using LiT.Towers;

namespace LiT.Pretraining;

/// <summary>Parts of a picture's area, from the smallest to the largest.</summary>
internal readonly record struct AreaRange(double Smallest, double Largest)
{
    /// <summary>As it is given: "0.4,1".</summary>
    public override string ToString() => FormattableString.Invariant($"{Smallest},{Largest}");
}

/// <summary>
/// How an image tower is trained without labels by DINO (Caron et al. 2021, arXiv 2104.14294). The defaults are those
/// of the authors' program (facebookresearch/dino, main_dino.py), but for the head, which has 4,096 outputs in place of
/// 65,536.
/// </summary>
internal sealed record DinoOptions
{
    /// <summary>The network to train; it has no heads of its own.</summary>
    public required ImageTowerConfig Tower { get; init; }

    /// <summary>What makes a picture the network's input; the global views have its size.</summary>
    public required Preprocessing Preprocessing { get; init; }

    /// <summary>Times that every picture is seen.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Pictures in a step.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Small views of each picture, beside the two large ones.</summary>
    public int LocalCrops { get; init; } = 8;

    /// <summary>Side of the small views in pixels; null for <see cref="LocalSizeOf"/>.</summary>
    public int? LocalSize { get; init; }

    /// <summary>The part of a picture's area that a large view shows.</summary>
    public AreaRange GlobalScale { get; init; } = new(0.4, 1);

    /// <summary>The part of a picture's area that a small view shows.</summary>
    public AreaRange LocalScale { get; init; } = new(0.05, 0.4);

    /// <summary>Outputs of the head: K, the length of what student and teacher say.</summary>
    public int HeadOutputs { get; init; } = 4096;

    /// <summary>Width of the head's two hidden layers.</summary>
    public int HeadHidden { get; init; } = 2048;

    /// <summary>Width of the head's last layer but one, whose states have unit length.</summary>
    public int HeadBottleneck { get; init; } = 256;

    /// <summary>Epochs over which the head's last layer stays as it is.</summary>
    public int FreezeLastLayer { get; init; } = 1;

    /// <summary>The learning rate after the warm-up for 256 pictures in a step; it grows with the batch.</summary>
    public double LearningRate { get; init; } = 5e-4;

    /// <summary>The learning rate at the end.</summary>
    public double LastLearningRate { get; init; } = 1e-6;

    /// <summary>The part of all steps over which the learning rate rises from zero.</summary>
    public double Warmup { get; init; } = 0.1;

    /// <summary>Weight decay at the start; biases and norms have none.</summary>
    public double WeightDecay { get; init; } = 0.04;

    /// <summary>Weight decay at the end.</summary>
    public double WeightDecayEnd { get; init; } = 0.4;

    /// <summary>Longest gradient of each weight by itself; 0 leaves all as they are.</summary>
    public double ClipNorm { get; init; } = 3;

    /// <summary>What the teacher keeps of itself at the first step; 1 at the last.</summary>
    public double TeacherMomentum { get; init; } = 0.996;

    /// <summary>The teacher's temperature in the first epoch.</summary>
    public double TeacherTemperatureStart { get; init; } = 0.04;

    /// <summary>The teacher's temperature after its warm-up.</summary>
    public double TeacherTemperature { get; init; } = 0.04;

    /// <summary>Epochs over which the teacher's temperature goes from one to the other.</summary>
    public int TeacherTemperatureWarmup { get; init; }

    /// <summary>The student's temperature.</summary>
    public double StudentTemperature { get; init; } = 0.1;

    /// <summary>What the centre keeps of itself at every step.</summary>
    public double CentreMomentum { get; init; } = 0.9;

    /// <summary>Decides first weights, order and views.</summary>
    public long Seed { get; init; }

    /// <summary>Stores the weights of the finished tower in 16 bits.</summary>
    public bool Float16 { get; init; }

    /// <summary>Steps between two checkpoints.</summary>
    [JsonIgnore]
    public int CheckpointEvery { get; init; } = 200;

    /// <summary>Steps between two lines of metrics.</summary>
    public int LogEvery { get; init; } = 20;

    /// <summary>
    /// The side that small views have by default: 96/224 of the large views', a whole number of the network's patches
    /// (of 8 pixels where it has none).
    /// </summary>
    public static int LocalSizeOf(ImageTowerConfig tower)
    {
        var patch = tower switch
        {
            VitConfig vit => vit.Patch,
            DinoConfig dino => dino.Patch,
            ClipViTConfig clip => clip.Patch,
            HuggingFaceViTConfig other => other.Patch,
            _ => 8,
        };
        return Math.Max(1, (int)Math.Round(tower.ImageSize * 96 / 224.0 / patch)) * patch;
    }

    /// <summary>The side of the small views.</summary>
    internal int LocalSide => LocalSize ?? LocalSizeOf(Tower);

    /// <exception cref="UsageException">A number that cannot be, or a network that takes pictures of one size
    /// only.</exception>
    internal void Check()
    {
        CheckViews();
        Require(Epochs >= 1, options => options.Epochs, Epochs, "1 or more");
        Require(Batch >= 2, options => options.Batch, Batch, "2 or more");
        Require(HeadOutputs >= 2, options => options.HeadOutputs, HeadOutputs, "2 or more");
        Require(HeadHidden >= 1, options => options.HeadHidden, HeadHidden, "1 or more");
        Require(HeadBottleneck >= 1, options => options.HeadBottleneck, HeadBottleneck, "1 or more");
        Require(FreezeLastLayer >= 0, options => options.FreezeLastLayer, FreezeLastLayer, "0 or more");
        Require(LearningRate is > 0 and < 100, options => options.LearningRate, LearningRate, "a number above 0");
        Require(LastLearningRate is >= 0 and < 100, options => options.LastLearningRate, LastLearningRate, "0 or more");
        Require(Warmup is >= 0 and < 1, options => options.Warmup, Warmup, "the part of all steps, 0 to less than 1");
        Require(WeightDecay is >= 0 and < 100, options => options.WeightDecay, WeightDecay, "0 or more");
        Require(WeightDecayEnd is >= 0 and < 100, options => options.WeightDecayEnd, WeightDecayEnd, "0 or more");
        Require(ClipNorm >= 0, options => options.ClipNorm, ClipNorm, "0 or more");
        Require(TeacherMomentum is >= 0 and <= 1, options => options.TeacherMomentum, TeacherMomentum, "0 to 1");
        Temperature(options => options.TeacherTemperatureStart, TeacherTemperatureStart);
        Temperature(options => options.TeacherTemperature, TeacherTemperature);
        Temperature(options => options.StudentTemperature, StudentTemperature);
        Require(
            TeacherTemperatureWarmup >= 0,
            options => options.TeacherTemperatureWarmup,
            TeacherTemperatureWarmup,
            "0 epochs or more"
        );
        Require(CentreMomentum is >= 0 and <= 1, options => options.CentreMomentum, CentreMomentum, "0 to 1");
        Require(CheckpointEvery >= 1, options => options.CheckpointEvery, CheckpointEvery, "1 or more");
        Require(LogEvery >= 1, options => options.LogEvery, LogEvery, "1 or more");

        static void Temperature(Expression<Func<DinoOptions, object?>> setting, double given) =>
            Require(given is > 0 and < 100, setting, given, "a number above 0");
    }

    private void CheckViews()
    {
        if (Preprocessing.Width != Preprocessing.Height)
            throw new UsageException(
                $"A network for pictures of {Preprocessing.Width} x {Preprocessing.Height} pixels",
                "views are square",
                "Give one for square pictures"
            );
        Require(LocalCrops is >= 0 and <= 64, options => options.LocalCrops, LocalCrops, "0 to 64");
        Scale(options => options.GlobalScale, GlobalScale);
        Scale(options => options.LocalScale, LocalScale);
        if (LocalCrops == 0)
            return;
        if (Tower is MixerConfig)
            throw SettingException.Of<DinoOptions>(
                options => options.LocalCrops,
                LocalCrops,
                "a Mixer takes pictures of one size only",
                "Give 0, or another network"
            );
        Require(
            LocalSide >= 1 && LocalSide <= Tower.ImageSize,
            options => options.LocalSize,
            LocalSide,
            $"1 to the network's own {Tower.ImageSize} pixels"
        );
        try
        {
            _ = (Tower with { ImageSize = LocalSide, ImageHeight = null }).CountParameters();
        }
        catch (ArgumentException small)
        {
            throw SettingException.Of<DinoOptions>(
                options => options.LocalSize,
                LocalSide,
                small.Message.Split(" (Parameter", 2)[0].TrimEnd('.'),
                $"Give up to {Tower.ImageSize}"
            );
        }

        static void Scale(Expression<Func<DinoOptions, object?>> setting, AreaRange given) =>
            Require(
                given.Smallest > 0 && given.Smallest <= given.Largest && given.Largest <= 1,
                setting,
                given,
                "two parts of a picture's area, smallest first, such as 0.4,1"
            );
    }

    private static void Require<T>(bool holds, Expression<Func<DinoOptions, object?>> setting, T given, string wanted)
    {
        if (!holds)
            throw SettingException.Of(setting, given, null, $"give {wanted}");
    }
}

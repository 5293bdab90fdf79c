using System.CommandLine;
using System.Globalization;
using LiT.Images;
using LiT.Pretraining;
using LiT.Towers;

namespace LiT.Cli;

/// <summary>The options of training without labels that no other method has.</summary>
internal sealed class DinoInput
{
    private readonly Option<int> localCrops = CommonOptions.Usually(
        "--local-crops",
        "dino: small views of a picture.",
        8
    );
    private readonly Option<int?> localSize = new("--local-size")
    {
        Description = "dino: side of the small views in pixels. Default: 96/224 of the network's.",
    };
    private readonly Option<string> globalScale = CommonOptions.Usually(
        "--global-scale",
        "dino: smallest and largest part of a picture's area in its two large views.",
        "0.4,1"
    );
    private readonly Option<string> localScale = CommonOptions.Usually(
        "--local-scale",
        "dino: smallest and largest part of a picture's area in its small views.",
        "0.05,0.4"
    );
    private readonly Option<int> outputs = CommonOptions.Usually("--head-outputs", "dino: outputs of the head.", 4096);
    private readonly Option<int> hidden = CommonOptions.Usually(
        "--head-hidden",
        "dino: width of the head's hidden layers.",
        2048
    );
    private readonly Option<int> bottleneck = CommonOptions.Usually(
        "--head-bottleneck",
        "dino: width of the head's last layer but one.",
        256
    );
    private readonly Option<int> freeze = CommonOptions.Usually(
        "--freeze-last-layer",
        "dino: epochs over which the head's last layer stays as it is.",
        1
    );
    private readonly Option<double> lastRate = CommonOptions.Usually(
        "--min-lr",
        "dino: learning rate at the end.",
        1e-6
    );
    private readonly Option<double> decayEnd = CommonOptions.Usually(
        "--weight-decay-end",
        "dino: weight decay at the end.",
        0.4
    );
    private readonly Option<double> clip = CommonOptions.Usually(
        "--clip",
        "dino: longest gradient of each weight; 0 leaves all as they are.",
        3.0
    );
    private readonly Option<double> teacherMomentum = CommonOptions.Usually(
        "--teacher-momentum",
        "dino: what the teacher keeps of itself at the first step; 1 at the last.",
        0.996
    );
    private readonly Option<double> temperature = CommonOptions.Usually(
        "--teacher-temperature",
        "dino: the teacher's temperature.",
        0.04
    );
    private readonly Option<double?> temperatureStart = new("--teacher-temperature-start")
    {
        Description = "dino: the teacher's temperature in the first epoch. Default: as later.",
    };
    private readonly Option<int> temperatureWarmup = CommonOptions.Usually(
        "--teacher-temperature-warmup",
        "dino: epochs from the first temperature to the later one.",
        0
    );
    private readonly Option<double> studentTemperature = CommonOptions.Usually(
        "--student-temperature",
        "dino: the student's temperature.",
        0.1
    );
    private readonly Option<double> centreMomentum = CommonOptions.Usually(
        "--centre-momentum",
        "dino: what the teacher's centre keeps of itself.",
        0.9
    );

    /// <summary>Puts the options on a command.</summary>
    public void AddTo(Command command)
    {
        Option[] all =
        [
            localCrops,
            localSize,
            globalScale,
            localScale,
            outputs,
            hidden,
            bottleneck,
            freeze,
            lastRate,
            decayEnd,
            clip,
            teacherMomentum,
            temperature,
            temperatureStart,
            temperatureWarmup,
            studentTemperature,
            centreMomentum,
        ];
        foreach (var option in all)
            command.Add(option);
    }

    /// <summary>What was asked for; what every method has is put in by the caller.</summary>
    public DinoOptions Read(Asked parsed, ImageTowerConfig network, Preprocessing preprocessing)
    {
        var later = parsed.GetValue(temperature);
        return new()
        {
            Tower = network,
            Preprocessing = preprocessing,
            LocalCrops = parsed.GetValue(localCrops),
            LocalSize = parsed.GetValue(localSize),
            GlobalScale = Parts(parsed, globalScale),
            LocalScale = Parts(parsed, localScale),
            HeadOutputs = parsed.GetValue(outputs),
            HeadHidden = parsed.GetValue(hidden),
            HeadBottleneck = parsed.GetValue(bottleneck),
            FreezeLastLayer = parsed.GetValue(freeze),
            LastLearningRate = parsed.GetValue(lastRate),
            WeightDecayEnd = parsed.GetValue(decayEnd),
            ClipNorm = parsed.GetValue(clip),
            TeacherMomentum = parsed.GetValue(teacherMomentum),
            TeacherTemperature = later,
            TeacherTemperatureStart = parsed.GetValue(temperatureStart) ?? later,
            TeacherTemperatureWarmup = parsed.GetValue(temperatureWarmup),
            StudentTemperature = parsed.GetValue(studentTemperature),
            CentreMomentum = parsed.GetValue(centreMomentum),
        };
    }

    private static AreaRange Parts(Asked parsed, Option<string> option)
    {
        var text = parsed.GetValue(option)!;
        return text.Split(',') is [var low, var high] && Read(low) is { } from && Read(high) is { } to
            ? new(from, to)
            : throw new UsageException(
                $"{option.Name} {text}: give two parts of a picture's area, smallest first, such as 0.4,1."
            );

        static double? Read(string digits) =>
            double.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}

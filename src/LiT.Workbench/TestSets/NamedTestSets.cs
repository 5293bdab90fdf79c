using System.Diagnostics.CodeAnalysis;
using LiT.Classification;
using LiT.Data;
using LiT.Evaluation;

namespace LiT.TestSets;

/// <summary>The public test sets that are known by name. Given as NAME=DIR wherever data are given.</summary>
internal static class NamedTestSets
{
    private const string Square = "square-0.875",
        Aspect = "aspect-0.75";

    private static readonly string[] Plain =
    [
        "a photo of {0} {{}}.",
        "a blurry photo of {0} {{}}.",
        "a black and white photo of {0} {{}}.",
        "a low contrast photo of {0} {{}}.",
        "a high contrast photo of {0} {{}}.",
        "a bad photo of {0} {{}}.",
        "a good photo of {0} {{}}.",
        "a photo of {0} small {{}}.",
        "a photo of {0} big {{}}.",
    ];

    private static readonly Dictionary<string, PublishedCount[]> Published = new()
    {
        ["imagenet"] = [new("ILSVRC2012 validation", 50_000, Classes: 1000)],
        ["imagenet-v2"] = [new("matched frequency", 10_000, Classes: 1000)],
        ["imagenet-real"] = [new("pictures with a reassessed label", 46_837)],
        ["imagenet-r"] = [new("all", 30_000, Classes: 200)],
        ["imagenet-a"] = [new("all", 7_500, Classes: 200)],
        ["imagenet-sketch"] = [new("all", 50_889, Classes: 1000)],
        ["objectnet"] = [new("the objects that ImageNet has", 18_574)],
        ["objectnet-own"] = [new("the objects that ImageNet has", 18_574, Classes: 113)],
        ["cifar10"] = [new("test", 10_000, Classes: 10)],
        ["cifar100"] = [new("test", 10_000, Classes: 100)],
        ["caltech101"] =
        [
            new("all, with the background class", 9_144, Classes: 102),
            new("all, without the background class", 8_677, Classes: 101),
        ],
        ["dtd"] = [new("test1", 1_880, Classes: 47)],
        ["flowers102"] = [new("test", 6_149, Classes: 102)],
        ["pets"] = [new("test", 3_669, Classes: 37)],
        ["svhn"] = [new("test", 26_032, Classes: 10)],
        ["sun397"] = [new("Testing_01", 19_850, Classes: 397), new("all", 108_754, Classes: 397)],
        ["resisc45"] = [new("all", 31_500, Classes: 45)],
        ["food101"] = [new("test", 25_250, Classes: 101)],
        ["eurosat"] = [new("all", 27_000, Classes: 10)],
        ["coco"] =
        [
            new("Karpathy's test part", 5_000, 25_010),
            new("val2017", 5_000, 25_014),
            new("val2014", 40_504, 202_654),
        ],
        ["flickr30k"] = [new("Karpathy's test part", 1_000, 5_000), new("all", 31_783, 158_915)],
        ["xm3600"] = [new("all", 3_600)],
    };

    /// <summary>Every named set, in the order of the papers' tables.</summary>
    public static IReadOnlyList<TestSet> All { get; } =
    [.. Sets().Select(set => set with { Published = Published.GetValueOrDefault(set.Name) ?? [] })];

    private static IEnumerable<TestSet> Sets() =>
        [
            ImageNet(
                "imagenet",
                "ImageNet (ILSVRC2012), 50,000 validation pictures",
                "https://image-net.org, or Kaggle's imagenet-object-localization-challenge",
                "val/ (or ILSVRC2012_img_val/) with a folder for each synset, or flat with "
                    + "LOC_val_solution.csv, val.txt, or the devkit's data/ beside it. Class names: "
                    + "LOC_synset_mapping.txt or imagenet_class_index.json in DIR, or `Classes`.",
                ImageNetFolders.Validation
            ),
            ImageNet(
                "imagenet-v2",
                "ImageNet-v2 (matched frequency), 10,000 pictures",
                "https://github.com/modestyachts/ImageNetV2",
                "imagenetv2-matched-frequency-format-val/ with the folders 0 to 999. Class names: `Classes`.",
                ImageNetFolders.V2
            ),
            ImageNet(
                "imagenet-real",
                "ImageNet with the reassessed labels of ReaL: any of several counts, pictures without one are left out",
                "https://github.com/google-research/reassessed-imagenet (real.json) and ImageNet's validation pictures",
                "ImageNet's validation pictures under their own names (ILSVRC2012_val_00000001.JPEG) and "
                    + "real.json. Class names as for imagenet.",
                ImageNetFolders.Real
            ) with
            {
                Several = true,
            },
            ImageNet(
                "imagenet-r",
                "ImageNet-R (renditions), 30,000 pictures of 200 classes",
                "https://github.com/hendrycks/imagenet-r",
                "imagenet-r/ with 200 folders of synsets. Class names: `Classes`, all 1,000.",
                ImageNetFolders.Synsets("imagenet-r")
            ) with
            {
                Subset = 200,
            },
            ImageNet(
                "imagenet-a",
                "ImageNet-A (natural adversarial), 7,500 pictures of 200 classes",
                "https://github.com/hendrycks/natural-adv-examples",
                "imagenet-a/ with 200 folders of synsets. Class names: `Classes`, all 1,000.",
                ImageNetFolders.Synsets("imagenet-a")
            ) with
            {
                Subset = 200,
                Crop = Aspect,
            },
            ImageNet(
                "imagenet-sketch",
                "ImageNet-Sketch, 50,889 pictures",
                "https://github.com/HaohanWang/ImageNet-Sketch",
                "sketch/ with 1,000 folders of synsets. Class names: `Classes`.",
                ImageNetFolders.Synsets("sketch", "ImageNet-Sketch", "imagenet-sketch")
            ),
            ImageNet(
                "objectnet",
                "ObjectNet: the objects that ImageNet has, among its 1,000 classes; any of an object's classes counts",
                "https://objectnet.dev",
                "objectnet-1.0/ with images/ and mappings/ (folder_to_objectnet_label.json, "
                    + "objectnet_to_imagenet_1k.json, pytorch_to_imagenet_2012_id.json, "
                    + "imagenet_to_label_2012_v2). The border of 2 pixels is cut off. Class names: `Classes`, "
                    + "ImageNet's 1,000.",
                ObjectNet.Read
            ) with
            {
                Several = true,
            },
            new()
            {
                Name = "objectnet-own",
                Title = "ObjectNet by its own 113 names that ImageNet has too",
                From = "https://objectnet.dev",
                Layout = "as objectnet.",
                Crop = Square,
                Read = ObjectNet.Read,
            },
            Shipped(
                "cifar10",
                "CIFAR-10, 10,000 test pictures",
                "https://www.cs.toronto.edu/~kriz/cifar.html",
                "cifar-10-batches-bin/ or cifar-10-batches-py/, or class folders (test/airplane/…).",
                CifarBatches.Test(10)
            ) with
            {
                ClipTemplates = Articles(Plain),
                TrainedTowers =
                [
                    "cifar10",
                    "resnet20-12fca82f",
                    "resnet32-d509ac18",
                    "resnet44-014dd654",
                    "resnet56-4bfd9763",
                    "resnet110-1d1ed7c2",
                ],
            },
            Shipped(
                "cifar100",
                "CIFAR-100, 10,000 test pictures",
                "https://www.cs.toronto.edu/~kriz/cifar.html",
                "cifar-100-binary/ or cifar-100-python/, or class folders.",
                CifarBatches.Test(100)
            ) with
            {
                ClipTemplates = Articles(Plain),
            },
            Shipped(
                "caltech101",
                "Caltech-101 with its background class, every picture",
                "https://data.caltech.edu/records/mzrjq-6wc02",
                "101_ObjectCategories/ with a folder a class.",
                SmallSets.Folders(
                    "caltech101",
                    "101_ObjectCategories",
                    "caltech-101/101_ObjectCategories",
                    "caltech101/101_ObjectCategories",
                    ""
                )
            ) with
            {
                Metric = TestSetMetric.MeanPerClass,
                ListKeys = ["caltech101_vtab", "caltech101"],
            },
            Shipped(
                "dtd",
                "Describable Textures, test part of the first split",
                "https://www.robots.ox.ac.uk/~vgg/data/dtd",
                "dtd/ with images/ and labels/test1.txt.",
                SmallSets.Dtd
            ) with
            {
                ClipTemplates = Articles(
                    "a photo of {0} {{}} texture.",
                    "a photo of {0} {{}} pattern.",
                    "a photo of {0} {{}} thing.",
                    "a photo of {0} {{}} object."
                ),
            },
            Shipped(
                "flowers102",
                "Oxford Flowers-102, 6,149 test pictures",
                "https://www.robots.ox.ac.uk/~vgg/data/flowers/102",
                "jpg/, imagelabels.mat, setid.mat.",
                SmallSets.Flowers
            ) with
            {
                Metric = TestSetMetric.MeanPerClass,
                ClipTemplates = ["a photo of a {}, a type of flower."],
                ListKeys = ["flowers"],
            },
            Shipped(
                "pets",
                "Oxford-IIIT Pet, 3,669 test pictures",
                "https://www.robots.ox.ac.uk/~vgg/data/pets",
                "images/ and annotations/test.txt.",
                SmallSets.Pets
            ) with
            {
                Metric = TestSetMetric.MeanPerClass,
                ClipTemplates = ["a photo of a {}, a type of pet."],
            },
            Shipped(
                "svhn",
                "Street View House Numbers, 26,032 test pictures",
                "http://ufldl.stanford.edu/housenumbers",
                "test_32x32.mat.",
                SmallSets.Svhn
            ),
            new()
            {
                Name = "sun397",
                Title = "SUN397, test part of the first split (or every picture, without Partitions)",
                From = "https://vision.princeton.edu/projects/2010/SUN",
                Layout = "SUN397/a/abbey/…, and Partitions/Testing_01.txt.",
                Read = SmallSets.Sun397,
                ClipTemplates = ["a photo of a {}.", "a photo of the {}."],
            },
            Shipped(
                "resisc45",
                "NWPU-RESISC45, every picture",
                "https://gcheng-nwpu.github.io",
                "NWPU-RESISC45/ with a folder a class.",
                SmallSets.Folders("resisc45", "NWPU-RESISC45", "")
            ) with
            {
                ClipTemplates =
                [
                    .. new[] { "", "a ", "the " }.SelectMany(article =>
                        new[]
                        {
                            "satellite imagery",
                            "aerial imagery",
                            "satellite photo",
                            "aerial photo",
                            "satellite view",
                            "aerial view",
                        }.Select(kind => $"{kind} of {article}{{}}.")
                    ),
                ],
            },
            Shipped(
                "food101",
                "Food-101, 25,250 test pictures",
                "https://data.vision.ee.ethz.ch/cvl/datasets_extra/food-101",
                "food-101/ with images/ and meta/test.txt.",
                SmallSets.Food101
            ) with
            {
                ClipTemplates = ["a photo of {}, a type of food."],
            },
            Shipped(
                "eurosat",
                "EuroSAT (RGB), every picture",
                "https://github.com/phelber/EuroSAT",
                "2750/ (or EuroSAT_RGB/) with a folder a class.",
                SmallSets.Folders("eurosat", "2750", "EuroSAT_RGB", "EuroSAT/2750", "")
            ) with
            {
                ClipTemplates =
                [
                    "a centered satellite photo of {}.",
                    "a centered satellite photo of a {}.",
                    "a centered satellite photo of the {}.",
                ],
            },
            Captions(
                "coco",
                "MS-COCO captions: Karpathy's 5,000 test pictures, or val2017",
                "https://cocodataset.org, and Karpathy's caption_datasets.zip",
                "dataset_coco.json and val2014/; or annotations/captions_val2017.json and val2017/.",
                CaptionSets.Coco
            ),
            Captions(
                "flickr30k",
                "Flickr30k: Karpathy's 1,000 test pictures, or every picture",
                "https://shannon.cs.illinois.edu/DenotationGraph, and Karpathy's caption_datasets.zip",
                "dataset_flickr30k.json and flickr30k-images/; or results_20130124.token in place of the former.",
                CaptionSets.Flickr30k
            ),
            Captions(
                "xm3600",
                "Crossmodal-3600: 3,600 pictures with captions in 36 languages (`Language`)",
                "https://google.github.io/crossmodal-3600",
                "captions.jsonl and images/.",
                CaptionSets.Crossmodal
            ),
            Captions(
                "wit",
                "Wikipedia-based Image Text, by language (`Language`)",
                "https://github.com/google-research-datasets/wit",
                "wit_v1.test.all-….tsv (unpacked) and images/ with each picture under the last part of its image_url.",
                CaptionSets.Wit
            ),
        ];

    /// <summary>The set of a name, or null.</summary>
    public static TestSet? Find(string name) =>
        All.FirstOrDefault(set => set.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Splits NAME=DIR. A file or folder that is really called so is not split.</summary>
    /// <exception cref="LitException">NAME is no set that is known, and DIR is there.</exception>
    public static bool TrySplit(string data, [NotNullWhen(true)] out TestSet? set, out string folder)
    {
        (set, folder) = (null, data);
        var at = data.IndexOf('=');
        if (at < 1 || Path.Exists(data))
            return false;
        var name = data[..at];
        if (name.Contains('/') || name.Contains('\\'))
            return false;
        set = Find(name);
        if (set is null)
            throw new LitException(
                data,
                $"there is no test set called '{name}'",
                $"Known are {string.Join(", ", All.Select(one => one.Name))}; 'lit data sets' says what each folder "
                    + "must look like"
            );
        folder = data[(at + 1)..];
        return true;
    }

    /// <summary>The set that a path or a store's source names (NAME=DIR), or null.</summary>
    public static TestSet? Of(string data) => data.IndexOf('=') is > 0 and var at ? Find(data[..at]) : null;

    internal static SampleSource Open(TestSet set, string folder, string path, SampleOptions options) =>
        new TestSetSource(set, folder, options) { Path = path };

    private static TestSet ImageNet(
        string name,
        string title,
        string from,
        string layout,
        Func<string, SampleOptions, IEnumerable<TestPicture>> read
    ) =>
        new()
        {
            Name = name,
            Title = title,
            From = from,
            Layout = layout,
            Crop = Square,
            Ids = ShippedClasses.ImageNetIds,
            ListKeys = ["imagenet1k", "imagenet", "imagenet2012"],
            ClipTemplates = [.. TemplateSets.Paper.Take(80)],
            TrainedTowers = ["ImageNet", "in1k", "in21k", "i21k", "i1k"],
            Read = read,
        };

    private static TestSet Shipped(
        string name,
        string title,
        string from,
        string layout,
        Func<string, SampleOptions, IEnumerable<TestPicture>> read
    ) =>
        new()
        {
            Name = name,
            Title = title,
            From = from,
            Layout = layout,
            Ids = ShippedClasses.IdsOf(name),
            Names = ShippedClasses.NamesOf(name),
            Read = read,
        };

    private static TestSet Captions(
        string name,
        string title,
        string from,
        string layout,
        Func<string, SampleOptions, IEnumerable<TestPicture>> read
    ) =>
        new()
        {
            Name = name,
            Title = title,
            From = from,
            Layout = layout,
            Metric = TestSetMetric.Recall,
            Crop = "resize",
            Read = read,
        };

    private static string[] Articles(params string[] forms) =>
        [
            .. new[] { "a", "the" }.SelectMany(article =>
                forms.Select(form => string.Format(System.Globalization.CultureInfo.InvariantCulture, form, article))
            ),
        ];
}

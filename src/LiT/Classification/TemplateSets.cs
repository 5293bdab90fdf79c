namespace LiT.Classification;

/// <summary>Prompt templates and where they came from.</summary>
/// <param name="Source">The set's name, or the file.</param>
/// <param name="Texts">The templates.</param>
internal sealed record TemplateList(string Source, IReadOnlyList<string> Texts);

/// <summary>
/// The published sets of prompt templates by the names that big_vision's prompt_engineering.py gives them. The texts are
/// those of CLIP (Radford et al. 2021, arXiv 2103.00020; openai/CLIP, MIT licence), which its numbers and LiT's were measured with.
/// </summary>
internal static class TemplateSets
{
    /// <summary>The bare name.</summary>
    public const string ClassNameOnly = "class_name_only";

    /// <summary>The 80 templates of the CLIP paper for ImageNet and the bare name: what big_vision's evaluation, and so the paper's numbers, use for every set.</summary>
    public const string ClipPaper = "clip_paper";

    /// <summary>The seven of them that CLIP's authors found to do best together, and the bare name.</summary>
    public const string ClipBest = "clip_best";

    /// <summary>CLIP's own templates of a named test set ("a photo of a {}, a type of pet.").</summary>
    public const string ClipOwn = "clip";

    /// <summary>The names that <see cref="Open"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [ClassNameOnly, ClipPaper, ClipBest, ClipOwn];

    /// <param name="nameOrFile">One of <see cref="Names"/>, or a file (<see cref="PromptTemplates.Read"/>).</param>
    /// <param name="own">CLIP's own templates of the named test set; null where there is none.</param>
    /// <param name="list">Which list of a file that holds several.</param>
    /// <exception cref="LitException">No such set or file, or a template that cannot be filled.</exception>
    public static TemplateList Open(string nameOrFile, IReadOnlyList<string>? own = null, params string[] list) =>
        nameOrFile switch
        {
            ClassNameOnly => new(ClassNameOnly, ["{}"]),
            ClipPaper => new(ClipPaper, Paper),
            ClipBest => new(ClipBest, Best),
            ClipOwn => new(
                ClipOwn,
                own
                    ?? throw new LitException(
                        $"--templates {ClipOwn}: means a named test set's own templates, and the data are none that has some. Name the set with --dataset, or give a file or one of {string.Join(", ", Names)}."
                    )
            ),
            _ when !File.Exists(nameOrFile) && !nameOrFile.Contains('.') && !nameOrFile.Contains('/') =>
                throw new LitException(
                    $"--templates {nameOrFile}: there is no such file, and no set of this name. Give a file, or one of {string.Join(", ", Names)}."
                ),
            _ => new(nameOrFile, PromptTemplates.Read(nameOrFile, list)),
        };

    internal static IReadOnlyList<string> Best { get; } =
    [
        "itap of a {}.",
        "a bad photo of the {}.",
        "a origami {}.",
        "a photo of the large {}.",
        "a {} in a video game.",
        "art of the {}.",
        "a photo of the small {}.",
        "{}",
    ];

    internal static IReadOnlyList<string> Paper { get; } =
    [
        "a bad photo of a {}.",
        "a photo of many {}.",
        "a sculpture of a {}.",
        "a photo of the hard to see {}.",
        "a low resolution photo of the {}.",
        "a rendering of a {}.",
        "graffiti of a {}.",
        "a bad photo of the {}.",
        "a cropped photo of the {}.",
        "a tattoo of a {}.",
        "the embroidered {}.",
        "a photo of a hard to see {}.",
        "a bright photo of a {}.",
        "a photo of a clean {}.",
        "a photo of a dirty {}.",
        "a dark photo of the {}.",
        "a drawing of a {}.",
        "a photo of my {}.",
        "the plastic {}.",
        "a photo of the cool {}.",
        "a close-up photo of a {}.",
        "a black and white photo of the {}.",
        "a painting of the {}.",
        "a painting of a {}.",
        "a pixelated photo of the {}.",
        "a sculpture of the {}.",
        "a bright photo of the {}.",
        "a cropped photo of a {}.",
        "a plastic {}.",
        "a photo of the dirty {}.",
        "a jpeg corrupted photo of a {}.",
        "a blurry photo of the {}.",
        "a photo of the {}.",
        "a good photo of the {}.",
        "a rendering of the {}.",
        "a {} in a video game.",
        "a photo of one {}.",
        "a doodle of a {}.",
        "a close-up photo of the {}.",
        "a photo of a {}.",
        "the origami {}.",
        "the {} in a video game.",
        "a sketch of a {}.",
        "a doodle of the {}.",
        "a origami {}.",
        "a low resolution photo of a {}.",
        "the toy {}.",
        "a rendition of the {}.",
        "a photo of the clean {}.",
        "a photo of a large {}.",
        "a rendition of a {}.",
        "a photo of a nice {}.",
        "a photo of a weird {}.",
        "a blurry photo of a {}.",
        "a cartoon {}.",
        "art of a {}.",
        "a sketch of the {}.",
        "a embroidered {}.",
        "a pixelated photo of a {}.",
        "itap of the {}.",
        "a jpeg corrupted photo of the {}.",
        "a good photo of a {}.",
        "a plushie {}.",
        "a photo of the nice {}.",
        "a photo of the small {}.",
        "a photo of the weird {}.",
        "the cartoon {}.",
        "art of the {}.",
        "a drawing of the {}.",
        "a photo of the large {}.",
        "a black and white photo of a {}.",
        "the plushie {}.",
        "a dark photo of a {}.",
        "itap of a {}.",
        "graffiti of the {}.",
        "a toy {}.",
        "itap of my {}.",
        "a photo of a cool {}.",
        "a photo of a small {}.",
        "a tattoo of the {}.",
        "{}",
    ];
}

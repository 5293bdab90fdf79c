using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using LiT.Files;
using LiT.Images;
using LiT.Towers;
using LiT.Tuning.Contrastive;

namespace LiT.Tuning.Runs;

/// <summary>
/// The choices of a run as a JSON file, every one of them optional: what it does not say is chosen from the data, and
/// what the command line says goes before it. A run's own <c>config.json</c> is one: only its data, its folder and its
/// seed are left out. An option may stand in <c>options</c> or beside it: <c>{"batch": 64}</c> is <c>{"options":
/// {"batch": 64}}</c>.
/// </summary>
internal sealed record TuneRecipe
{
    private const string Resource = "LiT.Recipes.";

    // A config.json has this; what it says besides a recipe belongs to that run alone.
    private const string MarkOfARun = "fingerprint";

    private static readonly HashSet<string> Members =
    [
        .. typeof(TuneRecipe)
            .GetProperties()
            .Where(member => member.GetMethod is { IsStatic: false })
            .Select(member => JsonNamingPolicy.CamelCase.ConvertName(member.Name)),
    ];

    private static readonly HashSet<string> OptionMembers =
    [
        .. ((JsonObject)JsonSerializer.SerializeToNode(new TuningOptions(), TuningOptions.Json)!)
            .Select(one => one.Key)
            .Where(name => !Members.Contains(name)),
    ];

    private static readonly JsonSerializerOptions Strict = new(TuningOptions.Json)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
    };

    /// <summary>What the recipe is called.</summary>
    public string? Name { get; init; }

    /// <summary>What it is for and where it comes from.</summary>
    public string? Words { get; init; }

    /// <summary>Which towers are locked.</summary>
    public LockSetting? Lock { get; init; }

    /// <summary>A text tower from scratch, or a file to start from.</summary>
    public string? TextTower { get; init; }

    /// <summary>A file that a pre-trained text tower starts from.</summary>
    public string? TextInit { get; init; }

    /// <summary>A text store of a locked text tower, where both sides are stored.</summary>
    public string? Texts { get; init; }

    /// <summary>A second store of the same pictures, by a stronger image tower, that softens targets.</summary>
    public string? TeacherStore { get; init; }

    /// <summary>A tokenizer's files.</summary>
    public string? Tokenizer { get; init; }

    /// <summary>Pieces of a vocabulary that is made from the captions.</summary>
    public int? VocabularySize { get; init; }

    /// <summary>Ids in a row of text.</summary>
    public int? TokenLength { get; init; }

    /// <summary>An image tower, where the data are pictures.</summary>
    public string? ImageTower { get; init; }

    /// <summary>The head on the image side, as in "512" or "none".</summary>
    public string? ImageHead { get; init; }

    /// <summary>The head on the text side.</summary>
    public string? TextHead { get; init; }

    /// <summary>Whether a locked image tower reads the pictures at every step.</summary>
    public bool? FromPixels { get; init; }

    /// <summary>Random changes of pictures that are read at every step.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>Passes over the pictures, in place of a number of steps.</summary>
    public double? Epochs { get; init; }

    /// <summary>Pictures to validate on.</summary>
    public string? Validation { get; init; }

    /// <summary>Class names of labelled validation pictures.</summary>
    public IReadOnlyList<string>? ValidationClasses { get; init; }

    /// <summary>Prompt templates of the validation.</summary>
    public IReadOnlyList<string>? ValidationTemplates { get; init; }

    /// <summary>Share of the pictures that is kept out and validated on.</summary>
    public double? HoldOut { get; init; }

    /// <summary>At most so many pictures, spread evenly.</summary>
    public int? Pictures { get; init; }

    /// <summary>Members of <see cref="TuningOptions"/> in place of those that are chosen from the data.</summary>
    public JsonObject? Options { get; init; }

    /// <summary>Names of the recipes that come with the library.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. typeof(TuneRecipe)
            .Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Resource, StringComparison.Ordinal))
            .Select(name => name[Resource.Length..^".json".Length])
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The recipe in a file, or one that comes with the library.</summary>
    /// <exception cref="LitException">There is none of that name, or it says something that is not
    /// understood.</exception>
    public static TuneRecipe Read(string nameOrPath)
    {
        if (File.Exists(nameOrPath))
            return Parse(File.ReadAllText(nameOrPath), nameOrPath);
        var name = nameOrPath.EndsWith(".json", StringComparison.Ordinal) ? nameOrPath[..^5] : nameOrPath;
        using var stream = typeof(TuneRecipe).Assembly.GetManifestResourceStream(Resource + name + ".json")
            ?? throw new SettingException(
                "TuneRecipe",
                nameOrPath,
                "there is no such file, and no recipe of that name",
                $"Give a file, a run's config.json, or one of {string.Join(", ", Names)}"
            );
        using var reader = new StreamReader(stream);
        return Parse(reader.ReadToEnd(), nameOrPath);
    }

    /// <summary>The recipe in a text.</summary>
    /// <param name="json">JSON; comments are passed over.</param>
    /// <param name="where">Where it comes from, for messages.</param>
    public static TuneRecipe Parse(string json, string where)
    {
        try
        {
            return Of(JsonTrouble.Parse(json) as JsonObject ?? throw new JsonException("an object is expected"), where);
        }
        catch (JsonException wrong)
        {
            throw Refused(where, wrong);
        }
    }

    /// <summary>The recipe that an object is.</summary>
    public static TuneRecipe Of(JsonObject json, string where)
    {
        var own = (JsonObject)json.DeepClone();
        // A run's store, not its recipe, says which locked tower it has; a tower from scratch is a choice.
        if (own.ContainsKey(MarkOfARun) && own["lock"]?.ToString().StartsWith('u') != true)
            own.Remove("imageTower");
        if (own.ContainsKey(MarkOfARun))
            foreach (var member in own.Select(one => one.Key).Where(name => !Members.Contains(name)).ToList())
                own.Remove(member);
        Nest(own, where);
        if ((own["options"] as JsonObject)?.Remove("seed") == true && !json.ContainsKey(MarkOfARun))
            throw new LitException(
                where,
                Place.Member("seed"),
                "is no recipe's",
                "Leave it out; the seed is given beside it"
            );
        try
        {
            var recipe = own.Deserialize<TuneRecipe>(Strict) ?? throw new JsonException("it is empty");
            var options = recipe.Over(new());
            recipe.CheckNumbers(options, where);
            return recipe;
        }
        catch (JsonException wrong)
        {
            throw Refused(where, wrong);
        }
    }

    private void CheckNumbers(TuningOptions options, string where)
    {
        if (Decides("batch") && options.Batch < 2)
            throw new LitException(
                $"{where}: batch {options.Batch}: a pair needs others to be told from. Give at least 2."
            );
        if (Epochs is <= 0)
            throw Wrong("epochs", Epochs, "Give a number above 0");
        if (HoldOut is < 0 or >= 0.9)
            throw Wrong("holdOut", HoldOut, "Give a share from 0 to below 0.9");
        if (Pictures is < 1)
            throw Wrong("pictures", Pictures, "Give at least 1");

        LitException Wrong(string member, double? value, string remedy) =>
            new(FormattableString.Invariant($"{where}: {member} {value}"), null, remedy);
    }

    /// <summary>Puts options that stand beside a recipe's members among its options.</summary>
    private static void Nest(JsonObject recipe, string where)
    {
        foreach (var name in recipe.Select(one => one.Key).Where(OptionMembers.Contains).ToList())
        {
            var value = recipe[name];
            recipe.Remove(name);
            var options = recipe["options"] as JsonObject;
            if (options is null)
                recipe["options"] = options = [];
            if (options.ContainsKey(name) && value is not JsonObject)
                throw new LitException(
                    $"{where}: says {name} twice, in its options and beside them. Leave one of them out."
                );
            Merge(options, new JsonObject { [name] = value });
        }
    }

    /// <summary>
    /// These choices, and those of another recipe where they are silent. The text tower is one choice with where it
    /// starts from, and so is what is validated on: what is given here of either stands for all of it.
    /// </summary>
    /// <param name="other">What stands behind; its options are not taken.</param>
    public TuneRecipe Before(TuneRecipe? other)
    {
        if (other is null)
            return this;
        var tower = TextTower is null && TextInit is null ? other : this;
        var holdsOut = HoldOut is not null;
        return this with
        {
            Lock = Lock ?? other.Lock,
            TextTower = tower.TextTower,
            TextInit = tower.TextInit,
            Texts = Texts ?? other.Texts,
            TeacherStore = TeacherStore ?? other.TeacherStore,
            Tokenizer = Tokenizer ?? other.Tokenizer,
            VocabularySize = VocabularySize ?? other.VocabularySize,
            TokenLength = TokenLength ?? other.TokenLength,
            ImageTower = ImageTower ?? other.ImageTower,
            ImageHead = ImageHead ?? other.ImageHead,
            TextHead = TextHead ?? other.TextHead,
            FromPixels = FromPixels ?? other.FromPixels,
            Augmentation = Augmentation ?? other.Augmentation,
            Validation = Validation ?? (holdsOut ? null : other.Validation),
            ValidationClasses = ValidationClasses ?? (holdsOut ? null : other.ValidationClasses),
            ValidationTemplates = ValidationTemplates ?? other.ValidationTemplates,
            HoldOut = HoldOut ?? (Validation is null ? other.HoldOut : 0),
            Pictures = Pictures ?? other.Pictures,
        };
    }

    /// <summary>The options that a run has which would otherwise have <paramref name="chosen"/>.</summary>
    public TuningOptions Over(TuningOptions chosen)
    {
        if (Options is null)
            return chosen;
        var all = (JsonObject)JsonSerializer.SerializeToNode(chosen, TuningOptions.Json)!;
        Merge(all, Options);
        return all.Deserialize<TuningOptions>(Strict)!;
    }

    /// <summary>Whether the recipe decides a member of the options.</summary>
    public bool Decides(string member) =>
        Options is not null
        && member.Split('.').Aggregate((JsonNode?)Options, (node, part) => (node as JsonObject)?[part]) is not null;

    /// <summary>Puts members of one object in the place of another's, objects in them member by member.</summary>
    public static void Merge(JsonObject into, JsonObject from)
    {
        foreach (var (name, value) in from)
            if (value is JsonObject inner && into[name] is JsonObject there)
                Merge(there, inner);
            else
                into[name] = value?.DeepClone();
    }

    private static LitException Refused(string where, JsonException wrong)
    {
        // "The JSON property 'x' could not be mapped to any .NET member contained in type '…'." says nothing to a user.
        var words =
            wrong.Message.Contains("could not be mapped", StringComparison.Ordinal)
                ? $"the member {wrong.Message.Split('\'')[1]} is not known"
            : wrong.Path is { Length: > 2 } path
                ? $"{path[2..]} is not what is expected there"
                    + JsonTrouble.Wanted(typeof(TuningOptions), path[2..])
                    + JsonTrouble.Wanted(typeof(TuneRecipe), path[2..])
            : JsonTrouble.Words(wrong);
        return new(
            $"{where}: cannot be used as a recipe ({words}). Look at a run's config.json for names "
                + "and forms, or leave the member out.",
            wrong
        );
    }
}

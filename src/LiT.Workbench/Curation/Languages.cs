using System.Text;

namespace LiT.Curation;

/// <summary>
/// The language of a caption, as far as it can be told without a model: the script first; in Latin and Cyrillic script
/// the language whose short, frequent words come most often. Captions are short, and many name things only: those are
/// counted under the script's name.
/// </summary>
internal static class Languages
{
    public const string None = "no letters";

    private static readonly (string Name, string Script, string Words)[] Frequent =
    [
        (
            "English",
            "Latin",
            "the of and a in to with on at for from by is an this that my his her our are it as near over under after"
        ),
        (
            "German",
            "Latin",
            "der die das und ein eine mit im auf von am den dem zu ist für bei aus nach vor über "
                + "einer einem einen des zum zur"
        ),
        (
            "French",
            "Latin",
            "le la les et un une de des du dans avec sur en au aux pour par est à son sa ses qui ce "
                + "cette d'un d'une l'eau"
        ),
        (
            "Spanish",
            "Latin",
            "el la los las y un una de del en con por para es al su sus que se lo como más sobre entre desde"
        ),
        (
            "Portuguese",
            "Latin",
            "o a os as e um uma de do da dos das em no na nos nas com por para é ao à seu sua que não"
        ),
        (
            "Italian",
            "Latin",
            "il lo la gli le e un una di del della dei delle in nel nella con su per è al alla che dal dalla sono"
        ),
        (
            "Dutch",
            "Latin",
            "de het een en van in op met voor aan te is bij uit naar om door over zijn onder achter deze dit"
        ),
        ("Swedish", "Latin", "och en ett i på med av för till är vid från som den det att under över efter"),
        ("Polish", "Latin", "i w na z do się nie od o po za jest przy dla oraz przez pod nad jak"),
        ("Turkish", "Latin", "ve bir bu ile için da de olan en çok daha gibi"),
        ("Indonesian", "Latin", "dan di yang dengan ini itu untuk dari pada ke adalah sebuah seorang"),
        ("Vietnamese", "Latin", "và của một trong có cho là với các được những người này trên không"),
        ("Russian", "Cyrillic", "и в на с по из у к от за для не что это как о до под над при"),
        ("Ukrainian", "Cyrillic", "і в на з у до та від за для не що це як про під над при є й"),
        ("Bulgarian", "Cyrillic", "и в на с по от за да се не е са до във със при един една"),
    ];

    private static readonly Dictionary<string, List<string>> LanguagesOf = Table();

    /// <summary>The name of a language or, where only that can be told, of a script.</summary>
    public static string Of(string caption)
    {
        var script = ScriptOf(caption);
        if (script is not ("Latin" or "Cyrillic"))
            return script;
        var counts = new Dictionary<string, int>();
        foreach (var word in CaptionWords.Of(caption))
        foreach (var language in LanguagesOf.GetValueOrDefault(word) ?? [])
            if (Frequent.First(entry => entry.Name == language).Script == script)
                counts[language] = counts.GetValueOrDefault(language) + 1;
        var best = counts.OrderByDescending(count => count.Value).Take(2).ToList();
        return best.Count == 0 || (best.Count == 2 && best[0].Value == best[1].Value)
            ? $"{script} script, language not told"
            : best[0].Key;
    }

    /// <summary>The script of most of the letters; Japanese where there are kana.</summary>
    private static string ScriptOf(string caption)
    {
        var counts = new Dictionary<string, int>();
        foreach (var rune in caption.EnumerateRunes())
            if (Rune.IsLetter(rune) && ScriptOf(rune) is var script)
                counts[script] = counts.GetValueOrDefault(script) + 1;
        if (counts.Count == 0)
            return None;
        if (counts.ContainsKey("Japanese") && counts.Keys.Any(script => script is "Chinese"))
            return "Japanese";
        return counts
            .OrderByDescending(count => count.Value)
            .ThenBy(count => count.Key, StringComparer.Ordinal)
            .First()
            .Key;
    }

    private static string ScriptOf(Rune letter) =>
        letter.Value switch
        {
            < 0x250
            or (>= 0x1E00 and <= 0x1EFF)
            or (>= 0x2C60 and <= 0x2C7F)
            or (>= 0xA720 and <= 0xA7FF)
            or (>= 0xFF21 and <= 0xFF5A) => "Latin",
            (>= 0x370 and <= 0x3FF) or (>= 0x1F00 and <= 0x1FFF) => "Greek",
            >= 0x400 and <= 0x52F => "Cyrillic",
            >= 0x530 and <= 0x58F => "Armenian",
            >= 0x590 and <= 0x5FF => "Hebrew",
            (>= 0x600 and <= 0x6FF) or (>= 0x750 and <= 0x77F) or (>= 0xFB50 and <= 0xFEFF) => "Arabic script",
            >= 0x900 and <= 0x97F => "Devanagari script",
            >= 0x980 and <= 0x9FF => "Bengali",
            >= 0xB80 and <= 0xBFF => "Tamil",
            >= 0xC00 and <= 0xC7F => "Telugu",
            >= 0xE00 and <= 0xE7F => "Thai",
            >= 0x10A0 and <= 0x10FF => "Georgian",
            (>= 0x1100 and <= 0x11FF) or (>= 0xAC00 and <= 0xD7AF) => "Korean",
            >= 0x3040 and <= 0x30FF => "Japanese",
            (>= 0x3400 and <= 0x4DBF)
            or (>= 0x4E00 and <= 0x9FFF)
            or (>= 0xF900 and <= 0xFAFF)
            or (>= 0x20000 and <= 0x3FFFF) => "Chinese",
            _ => "another script",
        };

    private static Dictionary<string, List<string>> Table()
    {
        var table = new Dictionary<string, List<string>>();
        foreach (var (name, _, words) in Frequent)
        foreach (var word in words.Split(' '))
        {
            if (!table.TryGetValue(word, out var languages))
                table.Add(word, languages = []);
            languages.Add(name);
        }
        return table;
    }
}

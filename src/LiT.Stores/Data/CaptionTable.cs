namespace LiT.Data;

/// <summary>
/// A table that names pictures and their captions; all rows of one picture, wherever they stand, are one sample at the
/// place of the first. The table is read twice: first for where each picture's rows are (some 60 bytes a picture), then
/// for the samples, one at a time.
/// </summary>
internal sealed class CaptionTable : SampleSource
{
    private readonly string file,
        root;
    private readonly SampleOptions options;
    private readonly Func<ITableReader> open;

    /// <param name="file">The .tsv, .csv, .txt or .jsonl.</param>
    /// <param name="form">The form in words.</param>
    /// <param name="options">Which columns are meant.</param>
    public CaptionTable(string file, string form, SampleOptions options)
    {
        this.file = file;
        this.options = options;
        open = System.IO.Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".jsonl" or ".ndjson" => () => new JsonLines(file, options),
            ".tsv" => () => new DelimitedText(file, tabs: true, options),
            _ => () => new DelimitedText(file, tabs: false, options),
        };
        var own = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!;
        var beside = options.ImageRoot is null ? FolderWithPictures(own) : null;
        root = System.IO.Path.GetFullPath(options.ImageRoot ?? beside ?? own);
        Form = beside is null ? form : $"{form} with its pictures in {System.IO.Path.GetFileName(beside)}/";
    }

    public override string Form { get; }

    /// <summary>The folder of the table as a part of a larger source: "cat/", or nothing.</summary>
    public string Prefix { get; init; } = "";

    /// <summary>The label of rows that have none.</summary>
    public string? Label { get; init; }

    /// <summary>Folders below the table's whose own metadata counts for their pictures, such as "cat/".</summary>
    public IReadOnlyList<string> Elsewhere { get; init; } = [];

    /// <summary>Whether every file of the folder that is no row's is counted as passed over.</summary>
    public bool OwnsFolder { get; init; }

    public override IReadOnlyList<string> PassedOver => passedOver.Phrases;

    private readonly PassedOver passedOver = new();

    /// <summary>What was passed over, to be counted with a larger source's.</summary>
    internal PassedOver Passed => passedOver;

    /// <summary>
    /// A file as a table of the captions of a folder's pictures; null where it is none, or names others.
    /// </summary>
    public static CaptionTable? Describing(string file, string folder, SampleOptions options)
    {
        try
        {
            CaptionTable table = new(file, $"folder with {System.IO.Path.GetFileName(file)}", options)
            {
                Path = folder,
                OwnsFolder = options.ImageRoot is null,
            };
            using var rows = table.Opened();
            for (var read = 0; read < 5 && rows.Next() is { } row; read++)
                if (
                    row is { Trouble: null, Captions.Count: > 0 }
                    && Places.Find(table.root, row.Image, options, out _) is null
                )
                    return table;
            return null;
        }
        catch (LitException)
        {
            return null;
        }
    }

    /// <summary>
    /// The one folder beside the table that holds its pictures (Flickr's archives have them so), where they do not
    /// lie as the table says.
    /// </summary>
    private string? FolderWithPictures(string own)
    {
        using var rows = Opened();
        List<string> names = [];
        while (names.Count < 5 && rows.Next() is { } row)
            if (row.Trouble is null && row.Image.Length > 0)
                names.Add(row.Image);
        if (names.Count == 0 || names.Exists(name => Holds(own, name)))
            return null;
        string[] folders =
        [
            .. Directory
                .EnumerateDirectories(own)
                .Where(folder =>
                    !System.IO.Path.GetFileName(folder).StartsWith('.') && names.Exists(name => Holds(folder, name))
                ),
        ];
        return folders.Length == 1 ? folders[0] : null;

        bool Holds(string folder, string name) => Places.Find(folder, name, options, out _) is null;
    }

    public override IReadOnlyList<string>? Classes => options.Classes;

    private sealed record Group(int Number, List<TableRow> Rows);

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        passedOver.Clear();
        var (numbers, later) = known ??= FindRows();
        using var rows = Opened();
        using var lookup = Opened();
        var begun = 0;
        var found = false;
        Group? group = null;
        while (rows.Next() is { } row)
        {
            found = true;
            if (row.Trouble is not null)
                skip(new("", At(row), row.Trouble));
            else if (numbers[SeenKeys.Hash(row.Image)] is var number && number == begun)
            {
                if (group is not null && Finish(group, later, lookup, skip) is { } sample)
                    yield return sample;
                group = new(begun++, [row]);
            }
            else if (number == group!.Number)
                group.Rows.Add(row);
        }
        if (group is not null && Finish(group, later, lookup, skip) is { } last)
            yield return last;
        if (OwnsFolder)
            CountOthers(root, "", numbers);
        if (!found)
            throw new LitException(Path, "has no rows", "It needs an image path and a caption on each line");
    }

    private (Dictionary<UInt128, int> Numbers, Dictionary<int, List<(long Offset, long Line)>> Later)? known;

    /// <summary>
    /// Numbers the pictures in the order of their first rows, and finds the rows that do not stand beside those.
    /// </summary>
    private (Dictionary<UInt128, int> Numbers, Dictionary<int, List<(long Offset, long Line)>> Later) FindRows()
    {
        var numbers = new Dictionary<UInt128, int>();
        var later = new Dictionary<int, List<(long, long)>>();
        var current = -1;
        using var rows = Opened();
        while (rows.Next() is { } row)
        {
            if (row.Trouble is not null)
                continue;
            if (numbers.TryAdd(SeenKeys.Hash(row.Image), numbers.Count))
                current = numbers.Count - 1;
            else if (numbers[SeenKeys.Hash(row.Image)] is var number && number != current)
            {
                if (!later.TryGetValue(number, out var places))
                    later.Add(number, places = []);
                places.Add((row.Offset, row.Line));
            }
        }
        return (numbers, later);
    }

    /// <summary>Counts what lies in the table's folder and is no row's: pictures, and files of other kinds.</summary>
    private void CountOthers(string folder, string name, Dictionary<UInt128, int> numbers)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(folder))
            {
                var plain = System.IO.Path.GetFileName(path);
                if (
                    plain.StartsWith('.')
                    || ImageFolder.IsDocument(plain)
                    || System.IO.Path.GetFullPath(path) == System.IO.Path.GetFullPath(file)
                )
                    continue;
                if (!Pictures.IsPicture(plain))
                    passedOver.Add(Kinds.Of(plain), Prefix + name + plain);
                else if (!numbers.ContainsKey(SeenKeys.Hash(name + plain)))
                    passedOver.Add(
                        $"pictures without a row in {Prefix}{System.IO.Path.GetFileName(file)}",
                        Prefix + name + plain
                    );
            }
            foreach (var below in Directory.EnumerateDirectories(folder))
                if (
                    System.IO.Path.GetFileName(below) is var deeper
                    && !deeper.StartsWith('.')
                    && !Elsewhere.Contains($"{name}{deeper}/")
                    && new DirectoryInfo(below).LinkTarget is null
                )
                    CountOthers(below, $"{name}{deeper}/", numbers);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            passedOver.Add("folders that cannot be read", Prefix + name);
        }
    }

    private Sample? Finish(
        Group group,
        Dictionary<int, List<(long, long)>> later,
        ITableReader lookup,
        Action<Skipped> skip
    )
    {
        var first = group.Rows[0];
        var key = Prefix + first.Image;
        foreach (var (offset, line) in later.GetValueOrDefault(group.Number) ?? [])
        {
            lookup.Seek(offset, line);
            if (lookup.Next() is { Trouble: null } row)
                group.Rows.Add(row);
        }
        if (Elsewhere.FirstOrDefault(folder => first.Image.StartsWith(folder, StringComparison.Ordinal)) is { } nearer)
        {
            skip(
                new(
                    Pictures.OneLine(key),
                    At(first),
                    $"the metadata file in {Prefix}{nearer} is nearer to the picture and counts"
                )
            );
            return null;
        }
        if (Places.Find(root, first.Image, options, out var path) is { } refusal)
        {
            skip(new(Pictures.OneLine(key), At(first), refusal));
            return null;
        }
        var draft = new SampleDraft(key, At(first), options);
        foreach (var row in group.Rows)
        {
            var from = row == first ? null : $"line {row.Line}";
            if (row.Mended)
                draft.AddTrouble(SampleDraft.At(from, SampleDraft.NotUtf8));
            foreach (var caption in row.Captions)
                draft.AddCaption(caption, from);
            draft.SetLabel(row.Label, from);
            foreach (var (name, value) in row.Fields)
                draft.SetField(name, value);
        }
        if (!group.Rows.Exists(row => !string.IsNullOrWhiteSpace(row.Label)))
            draft.SetLabel(Label);
        return draft.Finish(path, skip);
    }

    private ITableReader Opened()
    {
        try
        {
            return open();
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                file,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Check the file and its permissions",
                trouble
            );
        }
    }

    private string At(TableRow row) => $"{Prefix}{System.IO.Path.GetFileName(file)}, line {row.Line}";
}

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

    /// <param name="file">The .tsv, .csv or .jsonl.</param>
    /// <param name="form">The form in words.</param>
    /// <param name="options">Which columns are meant.</param>
    public CaptionTable(string file, string form, SampleOptions options)
    {
        this.file = file;
        this.options = options;
        Form = form;
        root = System.IO.Path.GetFullPath(
            options.ImageRoot ?? System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file))!
        );
        open = System.IO.Path.GetExtension(file).ToLowerInvariant() switch
        {
            ".jsonl" => () => new JsonLines(file, options),
            ".tsv" => () => new DelimitedText(file, tabs: true, options),
            _ => () => new DelimitedText(file, tabs: false, options),
        };
        using var check = Opened();
    }

    public override string Form { get; }

    public override IReadOnlyList<string>? Classes => options.Classes;

    private sealed record Group(int Number, List<TableRow> Rows);

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        var (numbers, later) = FindRows();
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
        if (!found)
            throw new LitException($"{Path}: has no rows. It needs an image path and a caption on each line.");
    }

    /// <summary>Numbers the pictures in the order of their first rows, and finds the rows that do not stand beside those.</summary>
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

    private Sample? Finish(
        Group group,
        Dictionary<int, List<(long, long)>> later,
        ITableReader lookup,
        Action<Skipped> skip
    )
    {
        var first = group.Rows[0];
        var key = first.Image;
        foreach (var (offset, line) in later.GetValueOrDefault(group.Number) ?? [])
        {
            lookup.Seek(offset, line);
            if (lookup.Next() is { Trouble: null } row)
                group.Rows.Add(row);
        }
        if (Places.Find(root, key, options, out var path) is { } refusal)
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
        return draft.Finish(() => Pictures.Bytes(path), skip);
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
                $"{file}: cannot be read ({trouble.Message.TrimEnd('.')}). Check the file and its permissions.",
                trouble
            );
        }
    }

    private string At(TableRow row) => $"{System.IO.Path.GetFileName(file)}, line {row.Line}";
}

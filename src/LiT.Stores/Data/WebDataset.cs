using System.IO.Compression;

namespace LiT.Data;

/// <summary>
/// Tar archives whose members stand in groups, a sample each: the key is the name up to the first dot of the base name
/// (webdataset.github.io). Read from front to back, one sample in memory at a time.
/// </summary>
internal sealed class WebDataset(IReadOnlyList<string> shards, SampleOptions options) : SampleSource
{
    private readonly string[] shardNames = Patterns.ShortNames(shards);

    public override string Form => "WebDataset";

    public override IReadOnlyList<string>? Classes => options.Classes;

    private readonly PassedOver passedOver = new();

    public override IReadOnlyList<string> PassedOver => passedOver.Phrases;

    public override IEnumerable<Sample> Read(Action<Skipped> skip)
    {
        passedOver.Clear();
        var seen = new SeenKeys();
        var found = false;
        for (var shard = 0; shard < shards.Count; shard++)
        {
            foreach (var group in Groups(shard, skip))
            {
                found = true;
                if (Finish(group, shard, seen, skip) is { } sample)
                    yield return sample;
            }
        }
        if (!found)
            throw new LitException(
                Path,
                $"no sample in {(shards.Count == 1 ? "this archive" : $"these {shards.Count} archives")}",
                "A sample is a picture such as 000.jpg with 000.txt, 000.json or 000.cls beside it"
            );
    }

    private sealed class Group(string key, string member)
    {
        public string Key { get; } = key;
        public string Member { get; set; } = member;
        public string? ImageExtension { get; set; }
        public byte[]? Image { get; set; }
        public List<(string Extension, string Member, byte[] Content)> Texts { get; } = [];
        public List<string> LostTexts { get; } = [];
        public List<string> Troubles { get; } = [];
        public HashSet<string> Extensions { get; } = [];

        /// <summary>Why the sample cannot be used, whatever else it holds.</summary>
        public string? Loss { get; set; }
    }

    private IEnumerable<Group> Groups(int shard, Action<Skipped> skip)
    {
        var name = shardNames[shard];
        Stream? file = null;
        try
        {
            file = Open(shards[shard]);
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            skip(new("", name, $"cannot be read ({trouble.Message.TrimEnd('.')})"));
        }
        if (file is null)
            yield break;
        using var stream = file;
        var damages = new List<(string Member, string Reason)>();
        var tar = new TarReader(stream, stream.CanSeek ? stream.Length : null, (member, reason) =>
            damages.Add((member, reason))
        );
        Group? group = null;
        string? loss = null; // damage whose member is not known: perhaps a part of the next group
        var members = 0;
        while (true)
        {
            TarMember? member = null;
            try
            {
                member = tar.Next();
            }
            catch (IOException trouble)
            {
                damages.Add(("", $"cannot be read further ({trouble.Message.TrimEnd('.')})"));
            }
            foreach (var (damaged, reason) in damages)
            {
                if (damaged.Length == 0 || SplitName(damaged) is not var (key, _))
                {
                    loss ??= reason;
                    continue;
                }
                if (group?.Key != key)
                {
                    if (group is not null)
                        yield return group;
                    group = new(key, damaged);
                }
                group.Loss ??= reason;
                group.Member = damaged;
            }
            damages.Clear();
            if (member is null)
                break;
            members++;
            if (SplitName(member.Name) is not var (memberKey, extension) || (!member.IsFile && member.Odd is null))
                continue;
            if (group?.Key != memberKey || !group.Extensions.Add(extension))
            {
                if (group is not null)
                    yield return group;
                group = new(memberKey, member.Name) { Extensions = { extension } };
            }
            if (loss is not null && group.Extensions.Count == 1 && !Pictures.IsPicture("." + extension))
            {
                group.Loss = loss;
                loss = null;
            }
            if (loss is not null)
            {
                skip(new("", name, loss));
                loss = null;
            }
            if (member.Odd is { } odd)
                Lose(group, member.Name, extension, $"{odd}, which is not followed; pack the files themselves");
            else
                Take(group, tar, member, extension);
        }
        if (group is not null)
            yield return group;
        if (members == 0)
            skip(new("", name, "not a tar archive, or an empty one"));
        else if (loss is not null)
            skip(new("", name, loss));
        else if (!tar.EndMarkSeen && group?.Loss is null)
            skip(
                new("", name, "the archive has no end mark; it may have been cut between two members") { InPart = true }
            );
    }

    /// <summary>Notes a picture or a text that stands under its name and not here.</summary>
    private static void Lose(Group group, string name, string extension, string why)
    {
        if (Pictures.IsPicture("." + extension))
            group.Troubles.Add($"{name}: {why}");
        else if (IsWords(extension))
            group.LostTexts.Add($"{name}: {why}");
    }

    private static bool IsWords(string extension) => extension is "json" or "cls" || IsCaptions(extension);

    private static bool IsCaptions(string extension) =>
        extension is "txt" or "text" or "caption" or "captions" or "cap";

    private void Take(Group group, TarReader tar, TarMember member, string extension)
    {
        if (Pictures.IsPicture("." + extension))
        {
            var exact = !extension.Contains('.');
            if (group.Image is not null && !(exact && group.ImageExtension!.Contains('.')))
            {
                if (exact == !group.ImageExtension!.Contains('.'))
                    group.Troubles.Add($"{member.Name}: a second picture of the sample is not used");
                return;
            }
            if (member.Size > options.ImageLimit)
            {
                group.Troubles.Add(
                    $"{member.Name}: a picture of {member.Size:N0} bytes where at most {options.ImageLimit:N0} are read"
                );
                return;
            }
            (group.Image, group.ImageExtension, group.Member) = (
                tar.Content(options.ImageLimit),
                extension,
                member.Name
            );
        }
        else if (!IsWords(extension))
            passedOver.Add("." + extension, $"{System.IO.Path.GetFileName(member.Name)}");
        else
        {
            if (member.Size > SampleDraft.TextLimit)
                group.LostTexts.Add($"{member.Name}: {SampleDraft.TooLong(member.Size)}");
            else
                group.Texts.Add((extension, member.Name, tar.Content(SampleDraft.TextLimit)));
        }
    }

    private Sample? Finish(Group group, int shard, SeenKeys seen, Action<Skipped> skip)
    {
        var key = group.Key;
        var origin = $"{shardNames[shard]}:{Pictures.OneLine(group.Member)}";
        void Skip(string reason) => skip(new(Pictures.OneLine(key), origin, reason));

        if (Pictures.Refusal(key) is { } refusal)
        {
            Skip(refusal);
            return null;
        }
        if (group.Loss is not null)
        {
            Skip(group.Loss);
            return null;
        }
        if (group.Image is not { } image)
        {
            Skip(
                group.Troubles.Count > 0
                    ? group.Troubles[0]
                    : "captions with no picture (the members of a sample must stand together)"
            );
            return null;
        }
        if (!seen.TryAdd(key, shard, out var earlier))
        {
            key = $"{shardNames[shard]}/{key}"; // another shard's sample of the same name is another picture
            if (earlier == shard || !seen.TryAdd(key, shard, out _))
            {
                Skip("duplicate key");
                return null;
            }
        }
        var draft = new SampleDraft(key, origin, options);
        foreach (var trouble in group.LostTexts)
            draft.LoseWords(trouble);
        foreach (var trouble in group.Troubles)
            draft.AddTrouble(trouble);
        foreach (var (extension, member, content) in group.Texts.OrderBy(text => IsCaptions(text.Extension) ? 0 : 1))
        {
            if (IsCaptions(extension))
                draft.AddCaptionLines(content, member);
            else if (extension == "cls")
                draft.SetLabel(draft.Decode(content, member), member);
            else
                JsonMembers.Add(draft, content, member, options);
        }
        return draft.Finish(() => image, skip);
    }

    /// <summary>
    /// Key and extension (lower case) of a member, or null for one that is no part of a sample (._x, .hidden).
    /// </summary>
    internal static (string Key, string Extension)? SplitName(string name)
    {
        name = name.TrimStart('/');
        var start = name.LastIndexOf('/') + 1;
        var dot = name.IndexOf('.', start);
        return dot <= start ? null : (name[..dot], name[(dot + 1)..].ToLowerInvariant());
    }

    private static Stream Open(string path)
    {
        var file = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.Read,
            1 << 16,
            FileOptions.SequentialScan
        );
        Span<byte> magic = stackalloc byte[2];
        var read = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false);
        file.Position = 0;
        return read == 2 && magic.SequenceEqual<byte>([0x1f, 0x8b])
            ? new GZipStream(file, CompressionMode.Decompress)
            : file;
    }
}

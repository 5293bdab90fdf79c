using LiT.Bundles;
using LiT.Compute;
using LiT.Text;
using LiT.Towers;
using TorchSharp;

namespace LiT.Tuning.Runs;

/// <summary>Text towers that are taken as they are, with the vocabulary that they were trained with.</summary>
internal static class TextTowers
{
    /// <summary>Loads a tower, its tokenizer and its row layout as a run that starts from it would.</summary>
    /// <param name="name">A file or folder, a public name, a bundle or a run.</param>
    /// <param name="tokenizer">The tokenizer's files; null for what stands beside the tower.</param>
    /// <param name="length">Ids in a row; null for what the tower was trained with.</param>
    /// <param name="compute">Where it computes.</param>
    /// <param name="say">Told what there is to say of its settings.</param>
    /// <exception cref="LitException">There is no such tower, it is one from scratch, or its vocabulary is not
    /// known.</exception>
    public static LockedText Load(
        string name,
        string? tokenizer,
        int? length,
        ComputeDevice compute,
        Action<string> say
    )
    {
        if (TextTowerSpec.Is(name))
            throw SettingException.Of<TuneRequest>(
                s => s.TextTower,
                name,
                "is a text tower from scratch, whose weights are random, and so would its rows be",
                "Name a tower that was trained: a file, a folder, a bundle or a run"
            );
        var spec = LitModel.TextFileOf(name) ?? name;
        TuneRequest request = new()
        {
            Data = "",
            Out = "",
            TextTower = spec,
            Tokenizer = tokenizer,
            TokenLength = length,
            Compute = compute,
        };
        var rows = TuningTokenizer.Open(request, [], say, default);
        var loaded = TextTowerLoader.Load(spec);
        try
        {
            foreach (var remark in loaded.Remarks)
                say(remark);
            (loaded.Tower as ForeignText)?.PadWith(rows.Layout.Pad, rows.Layout.End == rows.Layout.Pad);
            CheckVocabulary(loaded.Tower, rows, name);
            var fingerprint = LockedText.Of(loaded.Tower, rows);
            loaded.Tower.to(compute.Device);
            loaded.Tower.Lock();
            return new(loaded.Tower, rows, name, fingerprint);
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>Refuses a tokenizer that makes ids which a tower has no row for.</summary>
    /// <exception cref="LitException">It does; the message has both numbers.</exception>
    public static void CheckVocabulary(TextTower tower, CaptionTokenizer tokenizer, string name)
    {
        if (tower.VocabularySize < tokenizer.Tokenizer.VocabularySize)
            throw new LitException(
                name,
                $"has {tower.VocabularySize} token rows and the tokenizer {tokenizer.Tokenizer.VocabularySize} pieces",
                "Give the tower's own vocabulary with `Tokenizer`"
            );
    }
}

using LiT.Data;
using LiT.Stores;
using LiT.Towers;

namespace LiT.Tuning.Runs;

/// <summary>What a request cannot be, told before anything long is begun.</summary>
internal static class RunChecks
{
    /// <summary>Pictures without a single caption are told before the first of them goes through a tower.</summary>
    public static void Captions(TuneRequest request)
    {
        if (EmbeddingStore.IsStore(request.Data) || request.Texts is not null)
            return;
        if (LiT.Data.Samples.Open(request.Data, request.Samples).CountWithoutCaptions() is > 0 and var found)
            throw new LitException(
                request.Data,
                FormattableString.Invariant(
                    $"none of its {found:N0} pictures has a caption, and a text tower is tuned on captions"
                ),
                "Give data with captions (.txt beside the pictures, metadata.jsonl, a text column), "
                    + "or name the column with `CaptionColumn`"
            );
    }

    /// <summary>Refuses what cannot be where texts are stored, before anything is read.</summary>
    public static void Texts(TuneRequest request)
    {
        if (request.Texts is not { } texts)
            return;
        if (request.Lock.Text != TowerStart.Locked)
            throw SettingException.Of<TuneRequest>(
                s => s.Lock,
                request.Lock,
                $"tunes the text tower, and {texts} holds what a locked one gave",
                $"Give `Lock` {request.Lock.Letters[0]}L, or leave `Texts` out"
            );
        if (request.Samples.Captions is not null)
            throw SettingException.Of<SampleOptions>(
                s => s.Captions,
                "the captions are those of the text store",
                "Leave one of `Captions` and `Texts` out"
            );
        if (request.ReadsPixels)
            throw SettingException.Of<TuneRequest>(
                s => s.Texts,
                texts,
                "the image tower reads pictures at every step",
                "Give `Data` the store of the pictures, and `Lock` LL"
            );
        if (request.Settings.CaptionNoise is > 0)
            throw SettingException.Of<TuneRequest>(
                s => s.Texts,
                texts,
                "its rows are of whole captions, into which nothing can be put",
                "Leave `CaptionNoise` out"
            );
    }

    /// <summary>Refuses what the setting's letters and the towers' names contradict, before anything is read.</summary>
    public static void Towers(TuneRequest request)
    {
        var (setting, image, text) = (request.Lock, request.ImageTower, request.TextTower);
        if (text is not null && TextTowerSpec.Is(text) != (setting.Text == TowerStart.FromScratch))
            throw setting.Text == TowerStart.FromScratch
                ? Lock(
                    $"trains the text tower from scratch, and {text} has weights",
                    $"Give `Lock` {LockSetting.Of(setting.Image, TowerStart.Unlocked)}, or a tower from scratch such "
                        + "as text:width=256,depth=4,heads=4"
                )
                : Lock(
                    $"{text} is a text tower from scratch, and the setting wants a pre-trained one",
                    $"Give `TextTower` a file, or `Lock` {LockSetting.Of(TextFromScratch(), TowerStart.FromScratch)}"
                );
        if (image is not null && setting.Image == TowerStart.Locked && ImageTowerLoader.IsSpec(image))
            throw Lock(
                $"locks the image tower as it is, and {image} is one from scratch, whose weights are random",
                $"Name a tower that was trained (lit models list), or give `Lock` u{setting.Letters[1]}"
            );
        if (setting.Text != TowerStart.FromScratch && text is null)
            throw Lock(
                "wants a pre-trained text tower",
                $"Name its file with `TextInit`, or give `Lock` {setting.Letters[0]}u"
            );
        if (text is not null && setting.Text != TowerStart.Locked && TextTowerLoader.IsForeign(text))
            throw Lock(
                $"tunes the text tower, and {text} is a constant that cannot be trained",
                "Give `Lock` LL, or the checkpoint that it was exported from"
            );
        if (request.ReadsPixels)
            ImageTower(request);

        SettingException Lock(string problem, string remedy) =>
            SettingException.Of<TuneRequest>(s => s.Lock, setting, problem, remedy);

        TowerStart TextFromScratch() => setting.Image == TowerStart.FromScratch ? TowerStart.Unlocked : setting.Image;
    }

    /// <summary>The same of an image tower that reads pictures at every step.</summary>
    private static void ImageTower(TuneRequest request)
    {
        var (setting, image) = (request.Lock, request.ImageTower);
        if (EmbeddingStore.IsStore(request.Data))
            throw Pixels(
                $"the image tower reads pictures at every step, and {request.Data} is an embedding store",
                "Give `Data` the pictures, or tune with `Lock` Lu"
            );
        if (image is null)
            throw Pixels(
                "needs the image tower itself",
                "Name it with `ImageTower`, a file or, from scratch, for example vit:Ti/16"
            );
        if (ImageTowerLoader.IsSpec(image) && setting.Image == TowerStart.Unlocked)
            throw Lock(
                $"{image} is an image tower from scratch, and the setting wants a pre-trained one",
                "Give a file, or `Lock` uu"
            );
        if (!ImageTowerLoader.IsSpec(image) && setting.Image == TowerStart.FromScratch)
            throw Lock(
                $"trains the image tower from scratch, and {image} has weights",
                $"Give `Lock` U{setting.Letters[1]}, or a tower from scratch such as vit:Ti/16"
            );
        if (setting.Image != TowerStart.Locked && request.BundleTower == BundleTower.Never)
            throw SettingException.Of<TuneRequest>(
                s => s.BundleTower,
                "never",
                $"with `Lock` {setting} the image tower is another one afterwards, which only the bundle holds",
                "Leave the option out"
            );

        SettingException Lock(string problem, string remedy) =>
            SettingException.Of<TuneRequest>(s => s.Lock, setting, problem, remedy);

        SettingException Pixels(string problem, string remedy) =>
            setting.Image == TowerStart.Locked
                ? SettingException.Of<TuneRequest>(s => s.FromPixels, problem, remedy)
                : Lock(problem, remedy);
    }
}

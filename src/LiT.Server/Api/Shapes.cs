using System.Text.Json.Serialization;

namespace LiT.Server.Api;

/// <summary>A picture in a request: its bytes, or where it is.</summary>
internal sealed record PictureInput
{
    /// <summary>The encoded file in base64; a data: address is taken, too.</summary>
    public string? Image { get; init; }

    /// <summary>An http or https address; refused unless the server may fetch pictures.</summary>
    [JsonPropertyName("image_url")]
    public string? ImageUrl { get; init; }

    /// <summary>How much it counts among what else is looked for; 1 by itself.</summary>
    public double? Weight { get; init; }
}

/// <summary>What is looked for: the fields are those of the command line and of the library.</summary>
internal sealed record SearchRequest
{
    /// <summary>The store that is asked; the first where left out.</summary>
    public string? Store { get; init; }

    /// <summary>
    /// The language of the words, as a code such as de, where the model holds text towers for several; the model's own
    /// where left out.
    /// </summary>
    public string? Language { get; init; }

    /// <summary>What the pictures show; "2:at night" counts twice.</summary>
    public IReadOnlyList<string>? Words { get; init; }

    /// <summary>Keys of pictures that the found ones are to be like; "2:KEY" counts twice.</summary>
    public IReadOnlyList<string>? Like { get; init; }

    /// <summary>Pictures that are no part of the store, which the found ones are to be like.</summary>
    public IReadOnlyList<PictureInput>? Pictures { get; init; }

    /// <summary>Words of which pictures that match them are left out, by the calibrated cut-off.</summary>
    public IReadOnlyList<string>? Without { get; init; }

    /// <summary>Words whose direction is taken away from what is looked for.</summary>
    public IReadOnlyList<string>? Minus { get; init; }

    /// <summary>A filter over the store's columns: label = 'dog' and width >= 1024.</summary>
    public string? Where { get; init; }

    /// <summary>Pictures at most; 10 where left out, 10,000 at most.</summary>
    public int? Top { get; init; }

    /// <summary>Pictures that are passed over first.</summary>
    public int? Skip { get; init; }

    /// <summary>Leaves out pictures whose expected precision is below this; needs a calibrated model.</summary>
    public double? MinPrecision { get; init; }

    /// <summary>Answers exactly, whatever index is at hand.</summary>
    public bool? Exact { get; init; }

    /// <summary>A column to order what was found by; "taken desc" from the largest.</summary>
    public string? Order { get; init; }

    /// <summary>Of pictures of one scene, shows the first: those whose cosine is at least this.</summary>
    public double? Distinct { get; init; }
}

/// <summary>What was asked, as it was understood.</summary>
internal sealed record AskedQuery
{
    /// <summary>The language of the words.</summary>
    public string? Language { get; init; }

    /// <summary>What the pictures show.</summary>
    public IReadOnlyList<string>? Words { get; init; }

    /// <summary>Keys of the pictures that the found ones are to be like.</summary>
    public IReadOnlyList<string>? Like { get; init; }

    /// <summary>How many pictures were sent along.</summary>
    public int? Pictures { get; init; }

    /// <summary>Words whose direction is taken away.</summary>
    public IReadOnlyList<string>? Minus { get; init; }

    /// <summary>Words of which pictures that match them are left out.</summary>
    public IReadOnlyList<string>? Without { get; init; }

    /// <summary>The filter.</summary>
    public string? Where { get; init; }

    /// <summary>Pictures at most.</summary>
    public int Top { get; init; }

    /// <summary>Pictures that are passed over first.</summary>
    public int Skip { get; init; }

    /// <summary>The least expected precision.</summary>
    public double? MinPrecision { get; init; }

    /// <summary>Whether no approximation was allowed.</summary>
    public bool Exact { get; init; }

    /// <summary>The column that orders.</summary>
    public string? Order { get; init; }

    /// <summary>The cosine of one scene.</summary>
    public double? Distinct { get; init; }
}

/// <summary>A picture that was found.</summary>
internal sealed record FoundResult
{
    /// <summary>Its key: names it in /v1/pictures and /v1/thumbnails, and in "like".</summary>
    public required string Key { get; init; }

    /// <summary>Where it came from.</summary>
    public required string Origin { get; init; }

    /// <summary>Cosine of what was looked for and picture.</summary>
    public required double Similarity { get; init; }

    /// <summary>Expected share that fits down to here; left out where the model is not calibrated.</summary>
    public double? ExpectedPrecision { get; init; }

    /// <summary>What the store says of it: captions, label, width, height, and the source's own.</summary>
    public required IReadOnlyDictionary<string, object> Columns { get; init; }
}

/// <summary>What was found.</summary>
internal sealed record SearchResponse
{
    /// <summary>The store that was asked.</summary>
    public required string Store { get; init; }

    /// <summary>What was asked, as it was understood.</summary>
    public required AskedQuery Query { get; init; }

    /// <summary>The pictures, best first.</summary>
    public required IReadOnlyList<FoundResult> Results { get; init; }

    /// <summary>Whether none reaches what was asked for.</summary>
    public required bool NothingMatches { get; init; }

    /// <summary>Pictures that were looked at: those that the filter holds for.</summary>
    public required long Searched { get; init; }

    /// <summary>Share of the nearest pictures that the way of searching finds; 1 where it is exact.</summary>
    public required double Recall { get; init; }

    /// <summary>How long it took, waiting left out.</summary>
    public required double Seconds { get; init; }

    /// <summary>Words that no caption had which the model was tuned on: nothing is promised for them.</summary>
    public IReadOnlyList<string>? UnseenWords { get; init; }

    /// <summary>
    /// Texts of which the vocabulary knows no piece; where nothing else is looked for, nothing is found.
    /// </summary>
    public IReadOnlyList<string>? UnreadWords { get; init; }
}

/// <summary>A picture, and labels in words to choose from.</summary>
internal sealed record ClassifyRequest
{
    /// <summary>The encoded file in base64; a data: address is taken, too.</summary>
    public string? Image { get; init; }

    /// <summary>An http or https address; refused unless the server may fetch pictures.</summary>
    [JsonPropertyName("image_url")]
    public string? ImageUrl { get; init; }

    /// <summary>The key of a picture in the store.</summary>
    public string? Key { get; init; }

    /// <summary>The store of the key; the first where left out.</summary>
    public string? Store { get; init; }

    /// <summary>The language of the labels, as a code; the model's own where left out.</summary>
    public string? Language { get; init; }

    /// <summary>The labels to choose from, 1 to 1,000.</summary>
    public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Phrases with {} where the label goes; three plain ones where left out.</summary>
    public IReadOnlyList<string>? Templates { get; init; }

    /// <summary>Answers "none of these" below this expected precision; needs a calibrated model.</summary>
    public double? MinPrecision { get; init; }

    /// <summary>Expected share of the pictures that show one of the labels at all; 0.5 where left out.</summary>
    public double? Present { get; init; }

    /// <summary>How many labels to show; all where left out.</summary>
    public int? Top { get; init; }
}

/// <summary>A label and its probability.</summary>
internal sealed record LabelAnswer(string Label, double Probability);

/// <summary>What a picture shows.</summary>
internal sealed record ClassifyResponse
{
    /// <summary>The labels, best first.</summary>
    public required IReadOnlyList<LabelAnswer> Labels { get; init; }

    /// <summary>Expected share of pictures that show one of the labels; with minPrecision.</summary>
    public double? ExpectedPrecision { get; init; }

    /// <summary>
    /// Whether that is too low, with minPrecision; or whether the best label is one of unreadLabels.
    /// </summary>
    public bool? NoneOfThese { get; init; }

    /// <summary>Words of the best label that no caption had: nothing is promised for it.</summary>
    public IReadOnlyList<string>? UnseenWords { get; init; }

    /// <summary>Labels of which the vocabulary knows no piece.</summary>
    public IReadOnlyList<string>? UnreadLabels { get; init; }

    /// <summary>How long it took, waiting left in.</summary>
    public required double Seconds { get; init; }
}

/// <summary>Texts to embed.</summary>
internal sealed record EmbedTextRequest
{
    /// <summary>1 to 1,024 texts.</summary>
    public IReadOnlyList<string>? Texts { get; init; }

    /// <summary>Their language, as a code; the model's own where left out.</summary>
    public string? Language { get; init; }
}

/// <summary>Pictures to embed.</summary>
internal sealed record EmbedImageRequest
{
    /// <summary>1 to 64 pictures.</summary>
    public IReadOnlyList<PictureInput>? Images { get; init; }
}

/// <summary>Embeddings of unit length, comparable with one another whether of texts or of pictures.</summary>
internal sealed record EmbedResponse
{
    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>Numbers in an embedding.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>One a text or picture, in their order.</summary>
    public required IReadOnlyList<float[]> Embeddings { get; init; }

    /// <summary>
    /// For each text, its words that no caption had which the model was tuned on; left out where there are none at all.
    /// </summary>
    public IReadOnlyList<IReadOnlyList<string>>? UnseenWords { get; init; }
}

/// <summary>A picture of several that was embedded, as it is told of while the others are not.</summary>
internal sealed record EmbeddedPicture
{
    /// <summary>Its place in the request, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>How many are done, this one among them.</summary>
    public required int Done { get; init; }

    /// <summary>How many there are.</summary>
    public required int Of { get; init; }

    /// <summary>Its embedding.</summary>
    public float[]? Embedding { get; init; }

    /// <summary>Why it has none.</summary>
    public string? Error { get; init; }
}

/// <summary>A column of a store, as a filter may name it.</summary>
internal sealed record ColumnInfo
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>text, texts, number, date or empty.</summary>
    public required string Kind { get; init; }

    /// <summary>The values of a text column that has few, in their order; left out where it has many.</summary>
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>The smallest number, or the first date.</summary>
    public object? Least { get; init; }

    /// <summary>The largest number, or the last date.</summary>
    public object? Most { get; init; }
}

/// <summary>A store that is served.</summary>
internal sealed record StoreInfo
{
    /// <summary>Its name, as requests use it.</summary>
    public required string Name { get; init; }

    /// <summary>Pictures that can be found now.</summary>
    public required long Pictures { get; init; }

    /// <summary>Samples that the source held and that could not be used; left out where nobody counted.</summary>
    public long? Skipped { get; init; }

    /// <summary>Whether every part of it has codes, which make searching fast.</summary>
    public required bool Indexed { get; init; }

    /// <summary>Whether the pictures themselves are at hand, for thumbnails.</summary>
    public required bool HasPictures { get; init; }

    /// <summary>When it was last seen to change.</summary>
    public required DateTimeOffset Since { get; init; }

    /// <summary>What stands in the way of what the folder holds now; left out where nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>Its columns.</summary>
    public required IReadOnlyList<ColumnInfo> Columns { get; init; }
}

/// <summary>The stores.</summary>
internal sealed record StoresResponse(IReadOnlyList<StoreInfo> Stores);

/// <summary>A language in which a model can be asked.</summary>
/// <param name="Code">Its code; left out for the model's own where nobody said which that is.</param>
/// <param name="Calibrated">Whether it can tell what matches in it.</param>
internal sealed record LanguageInfo(string? Code, bool Calibrated);

/// <summary>A word that a model was taught by pictures.</summary>
/// <param name="Word">The word.</param>
/// <param name="Pictures">Pictures that it was taught from.</param>
internal sealed record TaughtInfo(string Word, int Pictures);

/// <summary>A model that is served.</summary>
internal sealed record ModelInfo
{
    /// <summary>Its name, which another tuning does not share.</summary>
    public required string Name { get; init; }

    /// <summary>What people call it: the published name, or that of its folder.</summary>
    public required string Title { get; init; }

    /// <summary>What its image tower is, in words.</summary>
    public required string ImageTower { get; init; }

    /// <summary>Whether the image tower is in memory: it is loaded for the first picture that is sent.</summary>
    public required bool ImageTowerLoaded { get; init; }

    /// <summary>Numbers in an embedding.</summary>
    public required int EmbeddingSize { get; init; }

    /// <summary>What similarities are multiplied by before they become probabilities.</summary>
    public required double Temperature { get; init; }

    /// <summary>Which sides were locked: image, then text.</summary>
    public required string Lock { get; init; }

    /// <summary>Whether it can tell what matches from what does not.</summary>
    public required bool Calibrated { get; init; }

    /// <summary>The languages it can be asked in, its own first; left out where that is the only one.</summary>
    public IReadOnlyList<LanguageInfo>? Languages { get; init; }

    /// <summary>Words that it was taught by pictures, as they are now; left out where there are none.</summary>
    public IReadOnlyList<TaughtInfo>? Taught { get; init; }

    /// <summary>What stands in the way of what its folder holds now; left out where nothing does.</summary>
    public string? Trouble { get; init; }

    /// <summary>Licences of its parts.</summary>
    public required IReadOnlyList<string> Licences { get; init; }
}

/// <summary>The models: one.</summary>
internal sealed record ModelsResponse(IReadOnlyList<ModelInfo> Models);

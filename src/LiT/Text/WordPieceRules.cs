using System.Text.Json.Serialization;

namespace LiT.Text;

/// <summary>How a text is cleaned and split into words before the pieces of each word are looked up.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WordPieceRules>))]
internal enum WordPieceRules
{
    /// <summary>
    /// <c>tensorflow_text.BertTokenizer</c>, which LiT and big_vision use. Lower-casing is NFKC_Casefold, NFD, and no
    /// non-spacing marks; control and format characters become spaces; words longer than 100 bytes of UTF-8 are unknown.
    /// </summary>
    TensorFlowText,

    /// <summary>
    /// <c>tokenization.py</c> of google-research/bert, which BERT checkpoints elsewhere were trained with. Lower-casing
    /// is <c>str.lower</c>, NFD, and no non-spacing marks; control and format characters vanish; words longer than 200
    /// characters are unknown.
    /// </summary>
    BertRepository,
}

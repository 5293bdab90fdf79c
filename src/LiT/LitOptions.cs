namespace LiT;

/// <summary>What <c>AddLiT</c> sets up; can be bound to a section of the configuration.</summary>
public sealed class LitOptions
{
    /// <summary>The model: see <see cref="LitModel.LoadAsync"/>.</summary>
    public string Model { get; set; } = "";

    /// <summary>Where to compute: auto, cpu, cuda or cuda:N.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>The type that the towers compute in.</summary>
    public ComputeType Type { get; set; } = ComputeType.Float32;

    /// <summary>The language of the words, for a model that holds text towers for several; null for its own.</summary>
    public string? Language { get; set; }

    /// <summary>Threads for computing; 0 takes every core.</summary>
    public int Threads { get; set; }

    /// <summary>The labels of the <see cref="LiT.Classifier"/> service; it is not to be had without.</summary>
    public IList<string> Labels { get; set; } = [];

    /// <summary>
    /// How the <see cref="LiT.Classifier"/> service classifies. <see cref="ClassifierOptions.Templates"/> of a bound
    /// section come behind the standard ones, as the platform binds lists.
    /// </summary>
    public ClassifierOptions Classifier { get; set; } = new(); // its own: binding writes into what it finds

    /// <summary>
    /// Whether the model is loaded when the host starts, so that the first request does not wait for it and a wrong
    /// path stops the program at once. False loads it when it is first asked for.
    /// </summary>
    public bool LoadAtStart { get; set; } = true;
}

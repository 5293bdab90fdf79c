using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>
/// How this library's own gradients hand over what they computed. TorchSharp 0.107 lets go of nothing by itself:
/// neither of the gradient that comes in, nor of what was saved, nor of the gradients that go out, which libtorch has
/// taken only when the function has returned. All of a step's would stay until its end.
/// </summary>
internal static class Gradients
{
    [ThreadStatic]
    private static List<Tensor>? given;

    /// <summary>Computes the gradients of the inputs, in their order; null where none is wanted.</summary>
    /// <param name="context">What the forward pass saved; it is let go of.</param>
    /// <param name="gradient">Of the output; it is let go of.</param>
    /// <param name="inputs">How many there are.</param>
    /// <param name="compute">Gets what was saved, null where nothing was, and the gradient.</param>
    public static List<Tensor> Give(
        autograd.AutogradContext context,
        Tensor gradient,
        int inputs,
        Func<List<Tensor?>, Tensor, List<Tensor?>> compute
    )
    {
        given?.ForEach(one => one?.Dispose());
        given = null;
        if (gradient.IsInvalid)
            return [.. new Tensor[inputs]]; // nothing follows from this output
        using var scope = NewDisposeScope();
        var saved = context.get_saved_variables();
        var gradients = compute(saved!, gradient);
        foreach (var one in gradients)
            one?.DetachFromDisposeScope();
        context.Dispose();
        gradient.Dispose();
        return given = [.. gradients.Select(one => one!)];
    }
}

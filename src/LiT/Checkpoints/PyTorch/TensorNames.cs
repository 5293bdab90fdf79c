using System.Globalization;

namespace LiT.Checkpoints.PyTorch;

/// <summary>Finds the tensors in a pickled object and names them by the keys on the way to them.</summary>
internal sealed class TensorNames(PickleBytes bytes)
{
    private const int Deepest = 100;
    private readonly Dictionary<string, PickledNumbers> found = [];
    private readonly HashSet<object> onTheWay = new(ReferenceEqualityComparer.Instance);

    public static Dictionary<string, PickledNumbers> Of(object? root, PickleBytes bytes)
    {
        var names = new TensorNames(bytes);
        names.Walk(root, "");
        return names.found;
    }

    private void Walk(object? value, string name)
    {
        switch (value)
        {
            case PickledNumbers numbers:
                Keep(numbers, name);
                break;
            case PickledNumpy { Array: { } array }:
                Keep(array, name);
                break;
            case PickledDict or List<object?> or object?[] when onTheWay.Count < Deepest && onTheWay.Add(value):
                foreach (var (key, child) in Children(value))
                {
                    bytes.Charge(16);
                    if (child is not (PickledNumbers or PickledNumpy or PickledDict or List<object?> or object?[]))
                        continue;
                    bytes.Charge(2 * (name.Length + key.Length) + 32);
                    Walk(child, name.Length == 0 ? key : $"{name}.{key}");
                }
                onTheWay.Remove(value);
                break;
        }
    }

    private static IEnumerable<(string Key, object? Child)> Children(object container)
    {
        if (container is PickledDict dict)
        {
            foreach (var (key, child) in dict.Entries)
                if (KeyText(key) is { } text)
                    yield return (text, child);
        }
        else if (PickledValues.AsItems(container) is { } items)
        {
            for (var i = 0; i < items.Count; i++)
                yield return (i.ToString(CultureInfo.InvariantCulture), items[i]);
        }
    }

    private static string? KeyText(object? key) =>
        PickledValues.AsText(key) ?? (key as long?)?.ToString(CultureInfo.InvariantCulture);

    private void Keep(PickledNumbers numbers, string name)
    {
        bytes.Charge(300);
        found[name.Length == 0 ? "tensor" : name] = numbers;
    }
}

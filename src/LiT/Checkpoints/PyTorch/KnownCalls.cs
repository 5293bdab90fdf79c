using System.Text;

namespace LiT.Checkpoints.PyTorch;

/// <summary>
/// The few functions and classes whose meaning is known: tensors, their storages, containers, numpy's arrays. Their
/// calls are carried out here, by hand; every other call makes an opaque value, and its name is kept for the report.
/// </summary>
internal sealed class KnownCalls(PickleBytes bytes)
{
    private static readonly HashSet<string> Harmless =
    [
        "collections.OrderedDict",
        "collections.defaultdict",
        "torch.Size",
        "_codecs.encode",
        "torch.nn.parameter.Parameter",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch._tensor._rebuild_from_type_v2",
        "torch.device",
        "torch.Tensor",
        "numpy.ndarray",
        "numpy.dtype",
        "numpy.core.multiarray._reconstruct",
        "numpy._core.multiarray._reconstruct",
        "numpy.core.multiarray.scalar",
        "numpy._core.multiarray.scalar",
        .. from module in new[] { "builtins", "__builtin__" }
        from name in new[]
        {
            "dict",
            "list",
            "tuple",
            "set",
            "frozenset",
            "int",
            "float",
            "bool",
            "str",
            "bytes",
            "bytearray",
            "complex",
            "object",
        }
        select $"{module}.{name}",
    ];

    /// <summary>Classes and functions that were met and are not known, by name.</summary>
    public SortedSet<string> Foreign { get; } = new(StringComparer.Ordinal);

    /// <summary>The storages that were met: bytes of an element by key.</summary>
    public Dictionary<string, int> StorageSizes { get; } = [];

    public object Global(string module, string name)
    {
        if (module.Length + name.Length > 1000)
            throw bytes.Damaged("has a name without end");
        bytes.Charge(200);
        var global = new PickledGlobal(module, name);
        if (TorchNames.Type(global) is { } elements)
            return new PickledType(elements);
        if (TorchNames.Storage(global) is null && !Harmless.Contains(global.FullName) && Foreign.Add(global.FullName))
            bytes.Charge(2 * global.FullName.Length + 100);
        return global;
    }

    /// <summary>callable(*arguments)</summary>
    public object? Call(object? callable, object? arguments)
    {
        if (callable is not PickledGlobal global || arguments is not object?[] args)
            return PickledOpaque.Instance;
        return (global.FullName, args) switch
        {
            ("collections.OrderedDict" or "builtins.dict" or "__builtin__.dict", []) => new PickledDict(),
            ("collections.OrderedDict" or "builtins.dict" or "__builtin__.dict", [var pairs]) => Dict(pairs),
            ("collections.defaultdict", _) => new PickledDict(),
            ("torch.Size", [object?[] sizes]) => sizes,
            (
                "builtins.tuple"
                    or "__builtin__.tuple"
                    or "builtins.list"
                    or "__builtin__.list"
                    or "builtins.set"
                    or "__builtin__.set"
                    or "builtins.frozenset"
                    or "__builtin__.frozenset",
                [var items]
            ) => Copy(items),
            ("_codecs.encode", [string text, ..]) => Latin1(text),
            ("torch._utils._rebuild_tensor", [PickledStorage storage, long offset, var sizes, var strides]) => Tensor(
                storage,
                storage.Elements,
                offset,
                sizes,
                strides
            ),
            ("torch._utils._rebuild_tensor_v2", [PickledStorage storage, long offset, var sizes, var strides, _, _]) =>
                Tensor(storage, storage.Elements, offset, sizes, strides),
            (
                "torch._utils._rebuild_tensor_v2",
                [
                    PickledStorage storage,
                    long offset,
                    var sizes,
                    var strides,
                    _,
                    _,
                    null
                    or PickledDict { Entries.Count: 0 },
                ]
            ) => Tensor(storage, storage.Elements, offset, sizes, strides),
            (
                "torch._utils._rebuild_tensor_v3",
                [PickledStorage storage, long offset, var sizes, var strides, _, _, PickledType type, ..]
            ) => Tensor(storage, type.Elements, offset, sizes, strides),
            (
                "torch._utils._rebuild_parameter"
                    or "torch._utils._rebuild_parameter_with_state"
                    or "torch.nn.parameter.Parameter",
                [PickledTensor tensor, ..]
            ) => tensor,
            ("torch._tensor._rebuild_from_type_v2", [var rebuild, _, object?[] inner, ..]) => Call(rebuild, inner),
            ("numpy.core.multiarray._reconstruct" or "numpy._core.multiarray._reconstruct", _) => new PickledNumpy(),
            ("numpy.dtype", [var descr, ..]) => new PickledNumpy { Descr = PickledValues.AsText(descr) ?? "" },
            _ => PickledOpaque.Instance,
        };
    }

    /// <summary>object.__setstate__(state): only numpy's says something about numbers.</summary>
    public void SetState(object? target, object? state)
    {
        if (target is not PickledNumpy numpy || state is not object?[] fields)
            return;
        switch (fields)
        {
            case [_, string or byte[], ..]:
                numpy.Descr = PickledValues.AsText(fields[1]) + numpy.Descr;
                break;
            case [_, var sizes, PickledNumpy dtype, bool fortran, byte[] data]
                when PickledValues.AsSizes(sizes) is { } shape && NpyHeader.ElementsOf(dtype.Descr) is { } elements:
                if (!Elements.TryCount(shape, out var count) || count * elements.Size != data.Length)
                    throw bytes.Damaged(
                        $"has a numpy array of shape ({string.Join(", ", shape)}) in {data.Length} bytes"
                    );
                numpy.Array = new(elements, shape, fortran, data);
                break;
        }
    }

    /// <summary>
    /// torch's persistent ids: ('storage', class, key, location, count[, view]), and ('module', class, …) in old
    /// files.
    /// </summary>
    public object? Persistent(object? id)
    {
        if (id is not object?[] fields || fields.Length < 2)
            throw bytes.Damaged("has a persistent id that is no storage");
        if (PickledValues.AsText(fields[0]) == "module")
            return fields[1];
        if (fields is not [_, PickledGlobal type, var keyed, _, long count, ..] || count < 0)
            throw bytes.Damaged("has a persistent id that is no storage");
        if (TorchNames.Storage(type) is not { } elements)
            return PickledOpaque.Instance;
        var key = PickledValues.AsText(keyed) ?? throw bytes.Damaged("has a storage without a key");
        bytes.Charge(200);
        StorageSizes[key] = elements.Size;
        if (fields is not [_, _, _, _, _, object?[] and [_, long offset, long viewed]])
            return new PickledStorage(key, elements, count, 0);
        if (offset < 0 || viewed < 0 || viewed > count - offset)
            throw bytes.Damaged($"has a view outside of its storage {key}");
        return new PickledStorage(key, elements, viewed, offset);
    }

    private object Tensor(PickledStorage storage, Elements elements, long offset, object? sizes, object? strides)
    {
        bytes.Charge(300);
        if (
            PickledValues.AsSizes(sizes) is not { } shape
            || PickledValues.AsSizes(strides) is not { } steps
            || shape.Length != steps.Length
            || !Elements.TryCount(shape, out _)
            || steps.Any(step => step < 0)
            || offset < 0
        )
            throw bytes.Damaged($"has a tensor without a shape, in storage {storage.Key}");
        return new PickledTensor(storage, elements, offset, shape, steps);
    }

    private PickledDict Dict(object? pairs)
    {
        var dict = new PickledDict();
        if (pairs is PickledDict same)
        {
            bytes.Charge(16L * same.Entries.Count);
            dict.Entries.AddRange(same.Entries);
            return dict;
        }
        foreach (var pair in PickledValues.AsItems(pairs) ?? [])
        {
            bytes.Charge(16);
            if (PickledValues.AsItems(pair) is [var key, var value])
                dict.Entries.Add((key, value));
        }
        return dict;
    }

    private object Copy(object? items)
    {
        if (PickledValues.AsItems(items) is not { } list)
            return PickledOpaque.Instance;
        bytes.Charge(8L * list.Count);
        return list.ToList();
    }

    private byte[] Latin1(string text)
    {
        bytes.Charge(text.Length);
        return Encoding.Latin1.GetBytes(text);
    }
}

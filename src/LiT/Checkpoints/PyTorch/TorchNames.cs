using static TorchSharp.torch;

namespace LiT.Checkpoints.PyTorch;

/// <summary>
/// The names of torch's storages and types (torch/_utils.py, torch/storage.py, torch/serialization.py of PyTorch).
/// </summary>
internal static class TorchNames
{
    private static readonly Dictionary<string, ScalarType> Storages = new()
    {
        ["FloatStorage"] = ScalarType.Float32,
        ["DoubleStorage"] = ScalarType.Float64,
        ["HalfStorage"] = ScalarType.Float16,
        ["BFloat16Storage"] = ScalarType.BFloat16,
        ["LongStorage"] = ScalarType.Int64,
        ["IntStorage"] = ScalarType.Int32,
        ["ShortStorage"] = ScalarType.Int16,
        ["CharStorage"] = ScalarType.Int8,
        ["ByteStorage"] = ScalarType.Byte,
        ["BoolStorage"] = ScalarType.Bool,
        ["ComplexFloatStorage"] = ScalarType.ComplexFloat32,
        ["ComplexDoubleStorage"] = ScalarType.ComplexFloat64,
        ["UntypedStorage"] = ScalarType.Byte,
    };

    private static readonly Dictionary<string, Elements> Types = new()
    {
        ["float32"] = Elements.Of(ScalarType.Float32),
        ["float"] = Elements.Of(ScalarType.Float32),
        ["float64"] = Elements.Of(ScalarType.Float64),
        ["double"] = Elements.Of(ScalarType.Float64),
        ["float16"] = Elements.Of(ScalarType.Float16),
        ["half"] = Elements.Of(ScalarType.Float16),
        ["bfloat16"] = Elements.Of(ScalarType.BFloat16),
        ["int64"] = Elements.Of(ScalarType.Int64),
        ["long"] = Elements.Of(ScalarType.Int64),
        ["int32"] = Elements.Of(ScalarType.Int32),
        ["int"] = Elements.Of(ScalarType.Int32),
        ["int16"] = Elements.Of(ScalarType.Int16),
        ["short"] = Elements.Of(ScalarType.Int16),
        ["int8"] = Elements.Of(ScalarType.Int8),
        ["uint8"] = Elements.Of(ScalarType.Byte),
        ["uint16"] = new(ScalarType.Int32, 2, Unsigned: true),
        ["uint32"] = new(ScalarType.Int64, 4, Unsigned: true),
        ["uint64"] = new(ScalarType.Int64, 8, Unsigned: true),
        ["bool"] = Elements.Of(ScalarType.Bool),
        ["complex64"] = Elements.Of(ScalarType.ComplexFloat32),
        ["cfloat"] = Elements.Of(ScalarType.ComplexFloat32),
        ["complex128"] = Elements.Of(ScalarType.ComplexFloat64),
        ["cdouble"] = Elements.Of(ScalarType.ComplexFloat64),
    };

    /// <summary>The elements of a storage class such as torch.FloatStorage.</summary>
    public static Elements? Storage(PickledGlobal name) =>
        name.Module is "torch" or "torch.cuda" or "torch.storage"
        && Storages.TryGetValue(name.Name.TrimStart('_'), out var type)
            ? Elements.Of(type)
            : null;

    /// <summary>The elements of a dtype such as torch.bfloat16.</summary>
    public static Elements? Type(PickledGlobal name) =>
        name.Module == "torch" && Types.TryGetValue(name.Name, out var elements) ? elements : null;
}

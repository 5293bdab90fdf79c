using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>
/// While it lasts, matrix products compute in bfloat16 on weights that stay float32, and so do their gradients'
/// products: torch.autocast, which TorchSharp 0.107 does not expose and libtorch exports. Belongs to the thread that
/// makes it.
/// </summary>
internal sealed unsafe class Autocast : IDisposable
{
    private const string Namespace = "_ZN2at8autocast"; // at::autocast, as the Itanium ABI writes names

    private static readonly Lazy<Functions?> Found = new(Find);

    [ThreadStatic]
    private static int lasting;

    private readonly Device device;

    private Autocast(Device device)
    {
        this.device = device;
        lasting++;
    }

    /// <summary>Whether one lasts on this thread.</summary>
    public static bool IsOn => lasting > 0;

    /// <summary>Autocast to bfloat16 on a device, or nothing for float32.</summary>
    /// <exception cref="LitException">This libtorch does not export it (Windows names functions otherwise).</exception>
    public static IDisposable? To(ScalarType type, Device device)
    {
        if (type == ScalarType.Float32)
            return null;
        var functions = Found.Value
            ?? throw new LitException(
                "`ScalarType` bfloat16: this libtorch does not export the functions that mixed "
                    + "precision needs. Tune with `ScalarType` float32."
            );
        // The cache of cast weights outlives a step, and the weights do not stay what they were.
        functions.Cache(0);
        functions.Type((sbyte)device.type, (sbyte)type);
        functions.Enable((sbyte)device.type, 1);
        return new Autocast(device);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lasting--;
        Found.Value!.Enable((sbyte)device.type, 0);
    }

    private static Functions? Find()
    {
        _ = CPU.type; // loads libtorch
        using (zeros(1)) { }
        return
            NativeLibrary.TryLoad("libtorch_cpu.so", typeof(Tensor).Assembly, null, out var library)
            && NativeLibrary.TryGetExport(
                library,
                Namespace + "20set_autocast_enabledEN3c1010DeviceTypeEb",
                out var enable
            )
            && NativeLibrary.TryGetExport(
                library,
                Namespace + "18set_autocast_dtypeEN3c1010DeviceTypeENS1_10ScalarTypeE",
                out var type
            )
            && NativeLibrary.TryGetExport(library, Namespace + "26set_autocast_cache_enabledEb", out var cache)
            ? new(enable, type, cache)
            : null;
    }

    // Device types, element types and truths are one byte each.
    private sealed class Functions(nint enable, nint type, nint cache)
    {
        public void Enable(sbyte device, byte on) => ((delegate* unmanaged<sbyte, byte, void>)enable)(device, on);

        public void Type(sbyte device, sbyte scalar) => ((delegate* unmanaged<sbyte, sbyte, void>)type)(device, scalar);

        public void Cache(byte on) => ((delegate* unmanaged<byte, void>)cache)(on);
    }
}

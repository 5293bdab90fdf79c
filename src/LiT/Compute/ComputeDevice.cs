using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>Where and in what type the towers compute.</summary>
internal sealed record ComputeDevice(Device Device, ScalarType Type, int Threads)
{
    /// <summary>Float32 on the CPU with every core: what everything is measured against.</summary>
    public static ComputeDevice Cpu => new(CPU, ScalarType.Float32, Environment.ProcessorCount);

    /// <param name="name">auto, cpu, cuda or cuda:N. Auto takes CUDA where libtorch has it.</param>
    /// <param name="type">float32 or bfloat16.</param>
    /// <param name="threads">Threads for tensor operations; 0 for every core.</param>
    /// <exception cref="UsageException">A device or type that does not exist here.</exception>
    public static ComputeDevice Choose(string name, string type, int threads)
    {
        NativeLibraries.RequireTorch();
        var count = threads > 0 ? threads : Environment.ProcessorCount;
#pragma warning disable RS0030 // here the number is chosen that the executor then finds
        set_num_threads(count);
#pragma warning restore RS0030
        var chosen = name switch
        {
            "cpu" => CPU,
            "auto" => cuda.is_available() ? CUDA : CPU,
            _ when name.StartsWith("cuda", StringComparison.Ordinal) => CudaDevice(name),
            _ => throw new SettingException(
                "Device",
                name,
                "there is no such device",
                "Give auto, cpu, cuda or cuda:N"
            ),
        };
        var scalar = type switch
        {
            "float32" => ScalarType.Float32,
            "bfloat16" => ScalarType.BFloat16,
            _ => throw new SettingException("ScalarType", type, null, "give float32 or bfloat16"),
        };
        return new(chosen, scalar, count);
    }

    private static Device CudaDevice(string name)
    {
        var index =
            name == "cuda" ? 0
            : name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name[5..], out var n) ? n
            : -1;
        if (index < 0)
            throw new SettingException("Device", name, null, "give cuda, or cuda:N with the number of the GPU");
        if (!cuda.is_available())
            throw new LitException(
                $"`Device` {name}: this build of libtorch sees no CUDA GPU. Use `Device` cpu, or "
                    + "build with -p:LibTorch=cuda on a machine that has one."
            );
        if (index >= cuda.device_count())
            throw new SettingException("Device", name, null, $"there are {cuda.device_count()} GPUs, numbered from 0");
        return device($"cuda:{index}");
    }
}

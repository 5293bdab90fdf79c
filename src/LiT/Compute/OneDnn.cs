using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace LiT.Compute;

/// <summary>
/// Products of oneDNN, which libtorch carries and its own dense layer does not use for float32: on processors that MKL
/// does not favour they are more than twice as fast. Their operators have no TorchSharp names and are reached through a
/// TorchScript archive. Safe for use from several threads.
/// </summary>
internal static class OneDnn
{
    private const string Script = """
        class Products(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def pack(self: __torch__.Products, weight: Tensor) -> Tensor:
            return ops.mkldnn._reorder_linear_weight(weight, None)
          def pack_codes(self: __torch__.Products, weight: Tensor) -> Tensor:
            return ops.onednn.qlinear_prepack(weight, annotate(Optional[List[int]], None))
          def linear(self: __torch__.Products, x: Tensor, weight: Tensor, bias: Optional[Tensor]) -> Tensor:
            return ops.mkldnn._linear_pointwise(x, weight, bias, "none", annotate(List[Optional[number]], []), "")
          def pack_convolution(self: __torch__.Products, kernel: Tensor, padding: int, stride: int, height: int, width: int) -> Tensor:
            return ops.mkldnn._reorder_convolution_weight(kernel, [padding, padding], [stride, stride], [1, 1], 1, [8, torch.size(kernel, 1), height, width])
          def convolution(self: __torch__.Products, x: Tensor, kernel: Tensor, bias: Optional[Tensor], padding: int, stride: int, relu: bool) -> Tensor:
            then = "none"
            if relu:
              then = "relu"
            return ops.mkldnn._convolution_pointwise(x, kernel, bias, [padding, padding], [stride, stride], [1, 1], 1, then, annotate(List[Optional[number]], []), "")
          def convolution_onto(self: __torch__.Products, sum: Tensor, x: Tensor, kernel: Tensor, bias: Optional[Tensor], padding: int, stride: int, relu: bool) -> Tensor:
            then = annotate(Optional[str], None)
            if relu:
              then = "relu"
            return ops.mkldnn._convolution_pointwise_(sum, x, kernel, bias, [padding, padding], [stride, stride], [1, 1], 1, "add", 1.0, then, annotate(List[Optional[number]], []), "")
          def codes(self: __torch__.Products, x: Tensor, weight: Tensor, scales: Tensor, zeros: Tensor) -> Tensor:
            return ops.onednn.qlinear_pointwise(x, 1.0, 128, weight, scales, zeros, None, 1.0, 0, 6, "none", annotate(List[Optional[number]], []), "")

        """;

    private static readonly Lazy<jit.ScriptModule?> Products = new(Load);
    private static readonly Lazy<bool> Bytes = new(TryBytes);

    /// <summary>Whether they are there: a libtorch with oneDNN on an x64 processor.</summary>
    public static bool IsAvailable => Products.Value is not null;

    /// <summary>Whether products of bytes are there too, fast, and right.</summary>
    public static bool MultipliesBytes => IsAvailable && Processor.HasVnni && Bytes.Value;

    /// <summary>Whether a product with this input goes to oneDNN.</summary>
    public static bool Takes(Tensor x) =>
        x.dtype == ScalarType.Float32 && x.device_type == DeviceType.CPU && IsAvailable;

    /// <summary>A weight laid out as oneDNN's products like it; opaque to every other operation.</summary>
    /// <param name="weight">[outputs, inputs], float32.</param>
    public static Tensor Pack(Tensor weight) => Invoke("pack", weight.contiguous());

    /// <summary>x · weightᵀ + bias, [.., inputs] → [.., outputs].</summary>
    /// <param name="x">Float32 on the CPU.</param>
    /// <param name="weight">What <see cref="Pack"/> gave, or [outputs, inputs] as it lies in memory, transposed or
    /// not.</param>
    /// <param name="bias">[outputs], or null.</param>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias) => Invoke("linear", x, weight, bias);

    /// <summary>
    /// A kernel laid out as oneDNN's convolutions of such pictures like it; opaque to every other operation.
    /// </summary>
    /// <param name="kernel">[outputs, inputs, K, K], float32.</param>
    /// <param name="padding">Zeros on every side of the picture.</param>
    /// <param name="stride">Places that the kernel moves on by.</param>
    /// <param name="picture">Of the size that most pictures have, [.., H, W]; others are computed too, more
    /// slowly.</param>
    public static Tensor PackConvolution(Tensor kernel, long padding, long stride, Tensor picture) =>
        Invoke(
            "pack_convolution",
            kernel.contiguous(),
            (int)padding,
            (int)stride,
            (int)picture.shape[^2],
            (int)picture.shape[^1]
        );

    /// <summary>
    /// A convolution, and ReLU where asked for: [B, inputs, H, W] → [B, outputs, H', W'], channels innermost in memory.
    /// </summary>
    /// <param name="x">Float32 on the CPU; fastest with channels innermost in memory.</param>
    /// <param name="packed">What <see cref="PackConvolution"/> gave, with the same padding and stride.</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="padding">Zeros on every side of the picture.</param>
    /// <param name="stride">Places that the kernel moves on by.</param>
    /// <param name="relu">Whether max(0, ·) follows.</param>
    public static Tensor Convolution(Tensor x, Tensor packed, Tensor? bias, long padding, long stride, bool relu) =>
        Invoke("convolution", x, packed, bias, (int)padding, (int)stride, relu);

    /// <summary>
    /// <see cref="Convolution"/> with the sum with what is there before the ReLU: sum is [B, outputs, H', W'], channels
    /// innermost in memory, and its memory holds the result afterwards.
    /// </summary>
    public static Tensor ConvolutionOnto(
        Tensor sum,
        Tensor x,
        Tensor packed,
        Tensor? bias,
        long padding,
        long stride,
        bool relu
    ) => Invoke("convolution_onto", sum, x, packed, bias, (int)padding, (int)stride, relu);

    /// <summary>A weight of signed bytes laid out for <see cref="Codes"/>.</summary>
    /// <param name="weight">[outputs, inputs], int8.</param>
    public static Tensor PackCodes(Tensor weight) => Invoke("pack_codes", weight.contiguous());

    /// <summary>
    /// (x - 128) · weightᵀ, each output times its scale: bytes in, [rows, inputs], float32 out, [rows, outputs].
    /// </summary>
    /// <param name="x">Unsigned bytes; 128 stands for zero.</param>
    /// <param name="packed">What <see cref="PackCodes"/> gave.</param>
    /// <param name="scales">[outputs], float32.</param>
    /// <param name="zeros">[outputs], int32, all zero.</param>
    public static Tensor Codes(Tensor x, Tensor packed, Tensor scales, Tensor zeros) =>
        Invoke("codes", x, packed, scales, zeros);

    // Nothing that torch reads may be collected before it returns (see Scalars): arguments are held here, and numbers
    // are int, which goes over as it is, where long would become a scalar that nobody holds.
    private static Tensor Invoke(string name, params object?[] arguments)
    {
        foreach (var argument in arguments)
            if (argument is long or float or double)
                throw new ArgumentException(
                    $"{name}: a {argument.GetType().Name} would become a scalar that nobody holds."
                );
#pragma warning disable RS0030 // none of the arguments becomes a scalar, see above
        var result = (Tensor)Products.Value!.invoke(name, arguments!);
#pragma warning restore RS0030
        GC.KeepAlive(arguments);
        return result;
    }

    // A small product is tried, so that a libtorch without these operators shows here and not in a tower.
    private static jit.ScriptModule? Load()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
            return null;
        try
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            var products = jit.load<Tensor, Tensor>(Archive(nameof(Products), Script));
#pragma warning disable RS0030 // tensors alone
            var packed = (Tensor)products.invoke("pack", ones(16, 16));
            var sums = (Tensor)products.invoke("linear", ones(1, 16), packed, ones(16));
#pragma warning restore RS0030
            return sums.to(CPU)[0, 0].item<float>() == 17 ? products : null;
        }
        catch (ExternalException)
        {
            return null;
        }
    }

    // Only with VNNI do the sums of products stay exact.
    private static bool TryBytes()
    {
        try
        {
            using var scope = NewDisposeScope();
            using var unrecorded = no_grad();
            var packed = PackCodes(Scalars.Filled([16, 64], -127, ScalarType.Int8, CPU));
            var sums = Codes(
                Scalars.Filled([1, 64], 255, ScalarType.Byte, CPU),
                packed,
                ones(16),
                zeros(16, ScalarType.Int32)
            );
            return sums[0, 0].item<float>() == 64 * 127 * -127;
        }
        catch (ExternalException)
        {
            return false;
        }
    }

    /// <summary>A TorchScript module without weights, as <c>torch.jit.save</c> writes one.</summary>
    /// <param name="name">The class in the code.</param>
    /// <param name="code">TorchScript's own form of Python.</param>
    internal static byte[] Archive(string name, string code)
    {
        using MemoryStream bytes = new();
        using (ZipArchive zip = new(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            void Add(string entry, ReadOnlySpan<byte> content)
            {
                using var stream = zip.CreateEntry($"{name}/{entry}", CompressionLevel.NoCompression).Open();
                stream.Write(content);
            }
            // Pickle, protocol 2: an object of the class with training = False; no constants.
            Add(
                "data.pkl",
                [
                    0x80,
                    2,
                    (byte)'c',
                    .. Encoding.ASCII.GetBytes($"__torch__\n{name}\n"),
                    (byte)')',
                    0x81,
                    .. "}(X\x08\0\0\0training"u8,
                    0x89,
                    .. "ub."u8,
                ]
            );
            Add("constants.pkl", [0x80, 2, (byte)')', (byte)'.']);
            Add("version", "3\n"u8);
            Add("code/__torch__.py", Encoding.ASCII.GetBytes(code));
        }
        return bytes.ToArray();
    }
}

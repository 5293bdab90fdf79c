using CsCheck;
using LiT.Checkpoints;
using LiT.Tests.Parity;
using static TorchSharp.torch;

namespace LiT.Tests.Checkpoints;

/// <summary>What holds for all tensors and all flipped bytes.</summary>
public sealed class ContainerProperties : IDisposable
{
    private static readonly ScalarType[] Types =
    [
        ScalarType.Float32,
        ScalarType.Float64,
        ScalarType.Float16,
        ScalarType.BFloat16,
        ScalarType.Int64,
        ScalarType.Int32,
        ScalarType.Int16,
        ScalarType.Int8,
        ScalarType.Byte,
        ScalarType.Bool,
        ScalarType.ComplexFloat32,
    ];

    private static readonly Gen<(string Name, ScalarType Type, long[] Shape, byte[] Bytes)[]> Tensors = (
        from type in Gen.Int[0, Types.Length - 1].Select(i => Types[i])
        from shape in Gen.Long[0, 4].Array[0, 4]
        let size = (int)shape.Aggregate(1L, (product, axis) => product * axis) * Elements.SizeOf(type)
        from bytes in Gen.Byte.Array[size]
        from name in Gen.Char["abzZ09._/-ü重"].Array[1, 12]
        select (
            new string(name),
            type,
            shape,
            type == ScalarType.Bool ? [.. bytes.Select(value => (byte)(value & 1))] : bytes
        )
    )
        .Array[0, 6]
        .Select(tensors => tensors.DistinctBy(tensor => tensor.Item1).ToArray());

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("safetensors")]
    [InlineData("npz, stored")]
    [InlineData("npz, deflated")]
    public void What_is_written_is_read_bit_for_bit(string container) =>
        Tensors.Sample(
            tensors =>
            {
                using var scope = NewDisposeScope();
                var written = tensors
                    .Select(tensor => (tensor.Name, Of(tensor.Type, tensor.Shape, tensor.Bytes)))
                    .ToList();
                if (container == "safetensors")
                    Safetensors.Write(folder["x"], written);
                else
                    Npz.Write(folder["x"], written, deflated: container.EndsWith("deflated", StringComparison.Ordinal));
                using var checkpoint = Checkpoint.Open(folder["x"]);
                Assert.Equal(
                    tensors.Select(tensor => tensor.Name).Order(StringComparer.Ordinal),
                    checkpoint.Tensors.Keys.Order(StringComparer.Ordinal)
                );
                foreach (var (name, tensor) in written)
                    TensorValues.AssertSame(tensor, checkpoint.Read(name), name);
            },
            iter: 100,
            threads: 1
        );

    [Fact]
    public void A_single_array_is_read_bit_for_bit() =>
        Tensors
            .Where(tensors => tensors.Length > 0)
            .Sample(
                tensors =>
                {
                    using var scope = NewDisposeScope();
                    var tensor = Of(tensors[0].Type, tensors[0].Shape, tensors[0].Bytes);
                    Npy.Write(folder["x.npy"], tensor);
                    TensorValues.AssertSame(tensor, Npy.Read(folder["x.npy"]), "x");
                },
                iter: 100,
                threads: 1
            );

    [Theory]
    [InlineData("npz_reader", "stored.npz")]
    [InlineData("npz_reader", "deflated.npz")]
    [InlineData("pth_reader", "state_dict.pth")]
    public void A_flipped_byte_in_a_zip_container_gives_the_right_tensors_or_one_line(string fixture, string file)
    {
        using var outer = NewDisposeScope();
        var right = File.ReadAllBytes(Reference.OpenCopied(fixture).PathOf(file));
        File.WriteAllBytes(folder["x"], right);
        Dictionary<string, Tensor> expected;
        using (var checkpoint = Checkpoint.Open(folder["x"]))
            expected = checkpoint.Tensors.Keys.ToDictionary(name => name, name => checkpoint.Read(name).clone());

        Gen.Select(Gen.Int[0, right.Length - 1], Gen.Int[1, 255])
            .Sample(
                (at, flip) =>
                {
                    using var scope = NewDisposeScope();
                    var wrong = (byte[])right.Clone();
                    wrong[at] ^= (byte)flip;
                    File.WriteAllBytes(folder["x"], wrong);
                    try
                    {
                        using var checkpoint = Checkpoint.Open(folder["x"]);
                        Assert.Equal(
                            expected.Keys.Order(StringComparer.Ordinal),
                            checkpoint.Tensors.Keys.Order(StringComparer.Ordinal)
                        );
                        foreach (var (name, tensor) in expected)
                            TensorValues.AssertSame(tensor, checkpoint.Read(name), name);
                    }
                    catch (LitException refusal)
                    {
                        Assert.StartsWith(folder["x"], refusal.Message);
                        Assert.DoesNotContain('\n', refusal.Message);
                    }
                },
                iter: 300,
                threads: 1
            );
    }

    // These containers have no checksums: a flipped byte in a number is another number. It must not be more than that.
    [Theory]
    [InlineData("safetensors_reader", "mixed.safetensors")]
    [InlineData("pth_reader", "state_dict_legacy.pth")]
    public void A_flipped_byte_in_a_container_without_checksums_gives_tensors_as_announced_or_one_line(
        string fixture,
        string file
    )
    {
        var right = File.ReadAllBytes(Reference.OpenCopied(fixture).PathOf(file));
        Gen.Select(Gen.Int[0, right.Length - 1], Gen.Int[1, 255])
            .Sample(
                (at, flip) =>
                {
                    using var scope = NewDisposeScope();
                    var wrong = (byte[])right.Clone();
                    wrong[at] ^= (byte)flip;
                    File.WriteAllBytes(folder["x"], wrong);
                    try
                    {
                        using var checkpoint = Checkpoint.Open(folder["x"]);
                        foreach (var (name, info) in checkpoint.Tensors)
                        {
                            var tensor = checkpoint.Read(name);
                            Assert.Equal(info.Shape, tensor.shape);
                            Assert.Equal(info.Type, tensor.dtype);
                        }
                    }
                    catch (LitException refusal)
                    {
                        Assert.StartsWith(folder["x"], refusal.Message);
                        Assert.DoesNotContain('\n', refusal.Message);
                    }
                },
                iter: 300,
                threads: 1
            );
    }

    private static Tensor Of(ScalarType type, long[] shape, byte[] bytes)
    {
        var tensor = zeros(shape, type);
        if (tensor.numel() > 0)
            bytes.CopyTo(tensor.bytes);
        return tensor;
    }
}

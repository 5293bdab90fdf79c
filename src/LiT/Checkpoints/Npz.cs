using static TorchSharp.torch;

namespace LiT.Checkpoints;

/// <summary>Writes numpy .npz files; <see cref="Checkpoint.Open"/> reads them.</summary>
internal static class Npz
{
    /// <summary>
    /// Writes tensors into one .npz, in the order given, byte for byte the same each time. bfloat16 becomes numpy's |V2, as
    /// JAX checkpoints have it. Stored arrays are aligned, so that readers may map them.
    /// </summary>
    /// <param name="path">The file; it is replaced as a whole, or stays as it was.</param>
    /// <param name="tensors">Tensors on any device, contiguous or not; they are not changed.</param>
    /// <param name="deflated">Compress the arrays, which pays for masks and integers, hardly for weights.</param>
    /// <exception cref="LitException">The disk is full, or the place cannot be written to.</exception>
    public static void Write(string path, IEnumerable<(string Name, Tensor Tensor)> tensors, bool deflated = false) =>
        Files.AtomicFile.Write(path, stream =>
        {
            var zip = new ZipWriter(stream);
            var names = new HashSet<string>();
            foreach (var (name, tensor) in tensors)
            {
                if (!names.Add(name))
                    throw new ArgumentException($"Two tensors are named '{name}'.", nameof(tensors));
                zip.Add(name + ".npy", deflated, member => Npy.Write(member, tensor));
            }
            zip.Finish();
        });
}

/// <summary>The arrays of an .npz file.</summary>
internal sealed class NpzCheckpoint : Checkpoint
{
    private readonly CheckpointFile file;
    private readonly Dictionary<string, (ZipMember Member, NpyHeader Header)> arrays = [];
    private readonly Dictionary<string, TensorInfo> tensors = [];
    private readonly SortedDictionary<string, string> passedOver = new(StringComparer.Ordinal);

    private NpzCheckpoint(CheckpointFile file) => this.file = file;

    public override string Container => "npz";
    public override IReadOnlyDictionary<string, TensorInfo> Tensors => tensors;
    public override IReadOnlyList<string> PassedOver =>
        [.. passedOver.Select(entry => LitException.OneLine($"{entry.Key}: {entry.Value}"))];

    /// <summary>Takes over the file.</summary>
    public static NpzCheckpoint Open(CheckpointFile file, IReadOnlyList<ZipMember> members)
    {
        var checkpoint = new NpzCheckpoint(file) { Path = file.Path };
        foreach (var member in members)
        {
            if (!member.Name.EndsWith(".npy", StringComparison.Ordinal))
            {
                if (!member.Name.EndsWith('/'))
                    checkpoint.passedOver[member.Name] = "no array";
                continue;
            }
            var name = member.Name[..^4];
            using var stream = new ZipMemberStream(file, member);
            var header = NpyHeader.Read(stream, Where(file, member));
            if (header.Elements is not { } elements)
            {
                stream.Finish(); // it is what it says, and not a damaged array of numbers
                checkpoint.passedOver[name] = header.Refused!;
                continue;
            }
            if (member.Size != header.Size + header.DataSize)
                throw new LitException(
                    $"{Where(file, member)}: has {member.Size - header.Size} bytes of elements, where its shape "
                        + $"({string.Join(", ", header.Shape)}) needs {header.DataSize}. The file is damaged; download or copy it again."
                );
            checkpoint.arrays[name] = (member, header);
            checkpoint.tensors[name] = new(name, elements.Type, header.Shape);
        }
        return checkpoint;
    }

    /// <inheritdoc/>
    public override Tensor Read(string name)
    {
        if (passedOver.TryGetValue(name, out var what))
            throw new LitException($"{Path}, array {name}: holds {what}. Save it again as an array of numbers.");
        if (!arrays.TryGetValue(name, out var array))
            throw Unknown(name);
        var (member, header) = array;
        var where = Where(file, member);
        using var scope = NewDisposeScope();
        var shape = header.FortranOrder ? header.Shape.Reverse().ToArray() : header.Shape;
        var tensor = member.Deflated ? Inflate() : Stored();
        if (header.FortranOrder)
            tensor = tensor
                .permute([.. Enumerable.Range(0, shape.Length).Reverse().Select(axis => (long)axis)])
                .contiguous();
        return tensor.MoveToOuterDisposeScope();

        Tensor Inflate()
        {
            using var stream = new ZipMemberStream(file, member);
            NpyHeader.Read(stream, where);
            return TensorBytes.Read(stream, header.Elements!.Value, shape, where);
        }

        Tensor Stored()
        {
            var offset = member.DataOffset + header.Size;
            if (!header.Elements!.Value.AsTheyLie || offset % header.Elements.Value.Size != 0)
                return Inflate();
            var mapped = file.ReadTensor(offset, header.Elements.Value, shape, where);
            Checksum.Require(member, file.ReadBytes(member.DataOffset, header.Size), mapped, where);
            return mapped;
        }
    }

    /// <inheritdoc/>
    public override void Dispose() => file.Dispose();

    private static string Where(CheckpointFile file, ZipMember member) => $"{file.Path}, member {member.Name}";
}

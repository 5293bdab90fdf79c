using System.Buffers;
using static TorchSharp.torch;

namespace LiT.Checkpoints.PyTorch;

/// <summary>Where the bytes of a storage are: a member of a zip file, or a place in the file itself.</summary>
internal sealed record StoragePlace(long Offset, long Size, ZipMember? Member)
{
    /// <summary>The bytes match the checksum; asked once.</summary>
    public bool Checked { get; set; }
}

/// <summary>
/// What torch.save wrote, of which only tensors, numpy arrays and the containers around them are understood. Names are the
/// keys on the way to a tensor, joined by '.': state_dict.module.conv1.weight, optimizer.state.0.exp_avg; lists and tuples count
/// from 0; a lone tensor is called "tensor". Of two values with one name the later counts.
/// </summary>
internal sealed class PyTorchCheckpoint : Checkpoint
{
    private readonly CheckpointFile file;
    private readonly IReadOnlyDictionary<string, StoragePlace> storages;
    private readonly bool bigEndian;
    private readonly Dictionary<string, PickledNumbers> numbers;
    private readonly Dictionary<string, TensorInfo> tensors = [];

    /// <summary>Takes over the file.</summary>
    [System.Diagnostics.CodeAnalysis.SetsRequiredMembers]
    public PyTorchCheckpoint(
        CheckpointFile file,
        string container,
        Dictionary<string, PickledNumbers> numbers,
        IReadOnlyDictionary<string, StoragePlace> storages,
        IEnumerable<string> foreign,
        bool bigEndian
    )
    {
        Path = file.Path;
        Container = container;
        PassedOver = [.. foreign.Select(name => LitException.OneLine($"{name}: no tensor, not executed"))];
        this.file = file;
        this.numbers = numbers;
        this.storages = storages;
        this.bigEndian = bigEndian;
        foreach (var (name, value) in numbers)
        {
            if (value is PickledTensor tensor)
                Require(name, tensor);
            tensors[name] = new(name, value.Type, value.Shape);
        }
        if (tensors.Count == 0)
        {
            var without =
                PassedOver.Count == 0
                    ? ""
                    : $" that can be read without executing {string.Join(", ", foreign.Take(5))}";
            throw new LitException(
                $"{Path}: holds no tensors{without}. Save the model's state_dict() with torch.save."
            );
        }
    }

    public override string Container { get; }
    public override IReadOnlyDictionary<string, TensorInfo> Tensors => tensors;
    public override IReadOnlyList<string> PassedOver { get; }

    /// <inheritdoc/>
    public override Tensor Read(string name)
    {
        if (!numbers.TryGetValue(name, out var value))
            throw Unknown(name);
        using var scope = NewDisposeScope();
        var where = $"{Path}, tensor {name}";
        return (
            value is PickledArray array ? ReadArray(array, where) : ReadTensor((PickledTensor)value, where)
        ).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override void Dispose() => file.Dispose();

    private Tensor ReadTensor(PickledTensor tensor, string where)
    {
        var extent = tensor.Extent;
        if (extent == 0)
            return TensorBytes.Allocate(tensor.Type, tensor.Shape, where);
        var elements = tensor.Elements with { BigEndian = bigEndian };
        var place = storages[tensor.Storage.Key];
        var first =
            ((tensor.Storage.Offset * tensor.Storage.Elements.Size) + (tensor.Offset * elements.Size)) / elements.Size;
        Tensor piece;
        if (place.Member is { Deflated: true } member)
        {
            using var stream = new ZipMemberStream(file, member);
            piece = TensorBytes.Read(stream, elements, [place.Size / elements.Size], where).narrow(0, first, extent);
            if (place.Size % elements.Size != 0)
                stream.Finish();
        }
        else
        {
            Check(place);
            piece = file.ReadTensor(place.Offset + (first * elements.Size), elements, [extent], where);
        }
        return piece.as_strided(tensor.Shape, tensor.Strides, piece.storage_offset()).contiguous();
    }

    private static Tensor ReadArray(PickledArray array, string where)
    {
        using var stream = new MemoryStream(array.Bytes, writable: false);
        if (!array.FortranOrder)
            return TensorBytes.Read(stream, array.Elements, array.Shape, where);
        return TensorBytes
            .Read(stream, array.Elements, [.. array.Shape.Reverse()], where)
            .permute([.. Enumerable.Range(0, array.Shape.Length).Reverse().Select(axis => (long)axis)])
            .contiguous();
    }

    /// <summary>A tensor lies inside its storage, and its storage inside the file.</summary>
    private void Require(string name, PickledTensor tensor)
    {
        if (tensor.Shape.Contains(0))
            return;
        if (!storages.TryGetValue(tensor.Storage.Key, out var place))
            throw new LitException(
                $"{Path}, tensor {name}: its storage {tensor.Storage.Key} is missing. "
                    + "The file is damaged; download or copy it again."
            );
        try
        {
            checked
            {
                var storageStart = tensor.Storage.Offset * tensor.Storage.Elements.Size;
                var storageSize = tensor.Storage.Count * tensor.Storage.Elements.Size;
                var end = (tensor.Offset + tensor.Extent) * tensor.Elements.Size;
                Elements.TryCount(tensor.Shape, out var count);
                if (
                    storageStart + storageSize <= place.Size
                    && end <= storageSize
                    && storageStart % tensor.Elements.Size == 0
                    && (count <= tensor.Extent || count * tensor.Elements.Size <= (2 * file.Length) + (16 << 20))
                )
                    return;
            }
        }
        catch (OverflowException)
        {
            // falls through: no such place in any file
        }
        throw new LitException(
            $"{Path}, tensor {name}: shape [{string.Join(", ", tensor.Shape)}], strides "
                + $"[{string.Join(", ", tensor.Strides)}] at {tensor.Offset} lie outside of storage {tensor.Storage.Key} of {place.Size} bytes. "
                + "The file is damaged; download or copy it again."
        );
    }

    /// <summary>torch.save can leave checksums out (torch.serialization.set_crc32_options); they are 0 then.</summary>
    private void Check(StoragePlace place)
    {
        if (place.Checked || place.Member is not { Crc: not 0 } member)
            return;
        var buffer = ArrayPool<byte>.Shared.Rent(TensorMemory.Piece);
        try
        {
            using var stream = new ZipMemberStream(file, member);
            while (stream.Read(buffer) > 0) { }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        place.Checked = true;
    }
}

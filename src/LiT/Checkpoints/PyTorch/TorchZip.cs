using System.Text;

namespace LiT.Checkpoints.PyTorch;

/// <summary>
/// The zip container that torch.save writes since PyTorch 1.6: NAME/data.pkl with the objects, NAME/data/KEY with the
/// storages, NAME/byteorder.
/// </summary>
internal static class TorchZip
{
    private const string Pickle = "data.pkl";

    /// <summary>The folder of the archive with its '/', or null if this is no such archive.</summary>
    public static string? Root(IReadOnlyList<ZipMember> members) =>
        members
            .Select(member => member.Name)
            .FirstOrDefault(name => name == Pickle || name.EndsWith("/" + Pickle, StringComparison.Ordinal))
            ?[..^Pickle.Length];

    /// <summary>Takes over the file.</summary>
    public static PyTorchCheckpoint Open(CheckpointFile file, IReadOnlyList<ZipMember> members, string root)
    {
        var pickle = members.First(member => member.Name == root + Pickle);
        if (pickle.Size > file.Length + (8 << 20))
            throw new LitException(
                file.Path,
                Place.Member(pickle.Name),
                $"grows to {pickle.Size} bytes, more than objects beside weights ever do",
                "It is made to harm; do not use it"
            );
        using var stream = new MemoryStream(ReadAll(file, pickle), writable: false);
        var bytes = new PickleBytes(stream, stream.Length, file.Length, $"{file.Path}, member {pickle.Name}");
        var calls = new KnownCalls(bytes);
        var numbers = TensorNames.Of(new Unpickler(bytes, calls).Read(), bytes);

        var storages = members
            .Where(member => member.Name.StartsWith(root + "data/", StringComparison.Ordinal))
            .ToDictionary(
                member => member.Name[(root.Length + 5)..],
                member => new StoragePlace(member.DataOffset, member.Size, member)
            );
        var order = members.FirstOrDefault(member => member.Name == root + "byteorder");
        var bigEndian = order is { Size: <= 16 } && Encoding.ASCII.GetString(ReadAll(file, order)).Trim() == "big";
        return new(file, "PyTorch zip", numbers, storages, calls.Foreign, bigEndian);
    }

    private static byte[] ReadAll(CheckpointFile file, ZipMember member)
    {
        var bytes = new byte[member.Size];
        using var stream = new ZipMemberStream(file, member);
        stream.ReadExactly(bytes);
        return bytes;
    }
}

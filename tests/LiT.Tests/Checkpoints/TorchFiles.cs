using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace LiT.Tests.Checkpoints;

/// <summary>
/// Files as torch.save writes them, put together opcode by opcode, so that they can also be wrong. The pieces are
/// pickles of one object each; <see cref="Whole"/> makes a pickle of them.
/// </summary>
internal static class TorchFiles
{
    public static byte[] None => [(byte)'N'];

    public static byte[] Str(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return [(byte)'X', .. Little(utf8.Length, 4), .. utf8];
    }

    public static byte[] Int(long value) => [0x8A, 8, .. Little(value, 8)];

    public static byte[] Ints(params long[] values) => Tuple([.. values.Select(Int)]);

    public static byte[] Tuple(params byte[][] items) => [(byte)'(', .. items.SelectMany(item => item), (byte)'t'];

    public static byte[] List(params byte[][] items) =>
        [(byte)']', (byte)'(', .. items.SelectMany(item => item), (byte)'e'];

    public static byte[] Dict(params (string Key, byte[] Value)[] entries) =>
        Dict(entries.Select(entry => (Str(entry.Key), entry.Value)));

    public static byte[] Dict(IEnumerable<(byte[] Key, byte[] Value)> entries) =>
        [(byte)'}', (byte)'(', .. entries.SelectMany(entry => entry.Key.Concat(entry.Value)), (byte)'u'];

    public static byte[] Global(string module, string name) =>
        [(byte)'c', .. Encoding.ASCII.GetBytes($"{module}\n{name}\n")];

    public static byte[] Call(byte[] callable, params byte[][] arguments) =>
        [.. callable, .. Tuple(arguments), (byte)'R'];

    /// <summary>Makes an object remembered, and gives it back.</summary>
    public static byte[] Kept(byte index, byte[] value) => [.. value, (byte)'q', index];

    public static byte[] Again(byte index) => [(byte)'h', index];

    public static byte[] Storage(string key, long count, string type = "FloatStorage") =>
        [.. Tuple(Str("storage"), Global("torch", type), Str(key), Str("cpu"), Int(count)), (byte)'Q'];

    public static byte[] Tensor(byte[] storage, long offset, long[] shape, long[] strides) =>
        Call(
            Global("torch._utils", "_rebuild_tensor_v2"),
            storage,
            Int(offset),
            Ints(shape),
            Ints(strides),
            [0x89],
            Call(Global("collections", "OrderedDict"))
        );

    public static byte[] Whole(byte[] body) => [0x80, 2, .. body, (byte)'.'];

    public static byte[] Floats(params float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    /// <summary>A zip archive with the object and its storages.</summary>
    public static void WriteZip(string path, byte[] body, params (string Key, byte[] Bytes)[] storages) =>
        WriteMembers(
            path,
            CompressionLevel.NoCompression,
            [
                ("archive/data.pkl", Whole(body)),
                .. storages.Select(storage => ($"archive/data/{storage.Key}", storage.Bytes)),
            ]
        );

    public static void WriteMembers(string path, CompressionLevel level, params (string Name, byte[] Bytes)[] members)
    {
        using var zip = ZipFile.Open(path, ZipArchiveMode.Create);
        foreach (var (name, bytes) in members)
        {
            using var stream = zip.CreateEntry(name, level).Open();
            stream.Write(bytes);
        }
    }

    /// <summary>The container before PyTorch 1.6.</summary>
    public static void WriteLegacy(string path, byte[] body, params (string Key, int Size, byte[] Bytes)[] storages) =>
        File.WriteAllBytes(
            path,
            [
                .. Whole([0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]),
                .. Whole(Int(1001)),
                .. Whole(Dict(("little_endian", [0x88]))),
                .. Whole(body),
                .. Whole(List([.. storages.Select(storage => Str(storage.Key))])),
                .. storages.SelectMany(storage => Little(storage.Bytes.Length / storage.Size, 8).Concat(storage.Bytes)),
            ]
        );

    private static byte[] Little(long value, int size)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes[..size];
    }
}

using System.Buffers.Binary;
using System.Text;
using LiT.Checkpoints.PyTorch;

namespace LiT.Checkpoints;

/// <summary>Finds out what a path is, by what is in it and not by its name.</summary>
internal static class OpenCheckpoint
{
    private static readonly string[] InFolders =
    [
        "model.safetensors",
        "model.safetensors.index.json",
        "pytorch_model.bin",
        "pytorch_model.bin.index.json",
    ];

    private const string ForeignPickle = "a pickle, but none that torch.save wrote";
    private const string ConvertPickle = "Load it in Python and save its tensors as .safetensors";

    // Other things that are given where a checkpoint is expected: how they begin, what they are, what to do.
    private static readonly (byte[] Start, string What, string Do)[] Others =
    [
        ([0x93, .. "NUMPY"u8], "a single .npy array", "Give an .npz of named arrays"),
        ([0x89, .. "HDF"u8], "an HDF5 file", "Convert it to .safetensors"),
        ([0x1F, 0x8B], "a gzip file", "Unpack it first"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a zstandard file", "Unpack it first"),
        ([0x80, 0x02], ForeignPickle, ConvertPickle),
        ([0x80, 0x03], ForeignPickle, ConvertPickle),
        ([0x80, 0x04], ForeignPickle, ConvertPickle),
        ([0x80, 0x05], ForeignPickle, ConvertPickle),
        ([.. "GGUF"u8], "a GGUF file", "Give the .safetensors or .npz that it was made from"),
        ([0x89, .. "PNG"u8], "a picture", "Give a checkpoint"),
        ([0xFF, 0xD8, 0xFF], "a picture", "Give a checkpoint"),
    ];

    /// <exception cref="LitException">The path is missing, or holds no checkpoint that can be read.</exception>
    public static Checkpoint At(string path)
    {
        if (!Directory.Exists(path))
            return SingleFile(path);
        foreach (var name in InFolders)
            if (File.Exists(Path.Combine(path, name)))
                return SingleFile(Path.Combine(path, name));
        throw new LitException(
            path,
            $"the folder has no {string.Join(", ", InFolders)}",
            "Give the checkpoint file itself"
        );
    }

    public static Checkpoint SingleFile(string path, bool mayBeIndex = true)
    {
        if (Directory.Exists(path))
            throw new LitException(path, "is a folder, where a file is expected", "Give a checkpoint file");
        var file = CheckpointFile.Open(path);
        Checkpoint? checkpoint = null;
        try
        {
            return checkpoint = ByContent(file, mayBeIndex);
        }
        finally
        {
            if (checkpoint is null or ShardedCheckpoint)
                file.Dispose();
        }
    }

    private static Checkpoint ByContent(CheckpointFile file, bool mayBeIndex)
    {
        if (file.Length == 0)
            throw new LitException(file.Path, "the file is empty", "Download or copy it again");
        Span<byte> first = stackalloc byte[(int)Math.Min(512, file.Length)];
        file.Read(0, first);
        if (first.StartsWith("PK\x03\x04"u8) || first.StartsWith("PK\x05\x06"u8))
        {
            var members = ZipDirectory.Read(file);
            return TorchZip.Root(members) is { } root
                ? TorchZip.Open(file, members, root)
                : NpzCheckpoint.Open(file, members);
        }
        if (first.Length > 8 && first[8] == '{' && BinaryPrimitives.ReadUInt16LittleEndian(first[6..]) == 0)
            return SafetensorsCheckpoint.Open(file);
        if (TorchLegacy.Begins(first))
            return TorchLegacy.Open(file);
        foreach (var (start, what, toDo) in Others)
            if (first.StartsWith(start))
                throw new LitException(file.Path, $"is {what}, no checkpoint", $"{toDo}");
        var text = Encoding.Latin1.GetString(first).TrimStart('\xEF', '\xBB', '\xBF', ' ', '\t', '\r', '\n');
        if (text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            throw new LitException(
                file.Path,
                "is a Git LFS pointer, not the file itself",
                "Run 'git lfs pull', or download the file"
            );
        if (
            text.StartsWith("<!doctype", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<html", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase)
        )
            throw new LitException(
                file.Path,
                "is a web page, saved in place of the checkpoint",
                "Download the file again, by its direct link"
            );
        if (file.Path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
            throw new LitException(
                file.Path,
                "is a network in ONNX, which can be a locked tower, and nothing else here",
                "Give it as `ImageTower` or `TextTower` (a program of its own needs the package LiT.Onnx, and "
                    + "OnnxTowers.Use() when it "
                    + "starts), or the .safetensors that it was exported from"
            );
        if (mayBeIndex && text.StartsWith('{'))
            return ShardedCheckpoint.Open(file);
        throw new LitException(file.Path, "is no checkpoint", "Give an .npz, .safetensors or PyTorch .pth file");
    }
}

using System.Security.Cryptography;
using System.Text;
using LiT.Files;

namespace LiT.Onnx;

/// <summary>A graph with all its weights, wherever they lie: its hash, and the whole in one file.</summary>
internal static class OnnxWeights
{
    private const int Piece = 1 << 20;

    /// <summary>
    /// SHA-256, in hexadecimal, over the versions of the operators, the functions and the graph with its weights.
    /// Weights
    /// in a file beside the graph count as those inside; who wrote the file, and its notes, do not.
    /// </summary>
    /// <exception cref="LitException">A file beside it cannot be read.</exception>
    public static string Hash(ReadOnlySpan<byte> bytes, string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (var model = OnnxFile.Reader(bytes, path); model.Next(); )
            if (model.Field == OnnxFields.Graph)
                HashGraph(model.Message(), path, hash);
            else if (model.Field is OnnxFields.Opset or OnnxFields.Functions)
                hash.AppendData(model.Whole());
            else
                model.Skip();
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The same network as one file, with notes of one's own in it.</summary>
    /// <exception cref="LitException">It would be larger than such a file can be, or a file beside it cannot be
    /// read.</exception>
    public static void WriteWhole(
        Stream to,
        ReadOnlySpan<byte> bytes,
        string path,
        IReadOnlyDictionary<string, string> notes
    )
    {
        ProtoWriter whole = new(to);
        for (var model = OnnxFile.Reader(bytes, path); model.Next(); )
        {
            var field = model;
            if (model.Field == OnnxFields.Graph && HoldsExternal(field.Message()))
                whole.Bytes(OnnxFields.Graph, Gathered(model.Message(), path));
            else if (model.Field == OnnxFields.Notes && notes.ContainsKey(KeyOf(field.Message())))
                model.Skip();
            else
                whole.Copy(model.Whole());
        }
        foreach (var (key, value) in notes.OrderBy(note => note.Key, StringComparer.Ordinal))
            whole.Message(OnnxFields.Notes, new ProtoWriter().Text(1, key).Text(2, value));
    }

    /// <summary>What makes a value inside a graph one of its outputs, to be put behind the file's bytes.</summary>
    public static byte[] AsOutput(string name) =>
        new ProtoWriter()
            .Message(OnnxFields.Graph, new ProtoWriter().Message(OnnxFields.Outputs, new ProtoWriter().Text(1, name)))
            .ToArray();

    private static void HashGraph(ProtoReader graph, string path, IncrementalHash hash)
    {
        while (graph.Next())
        {
            if (graph.Field != OnnxFields.Constants)
            {
                hash.AppendData(graph.Whole());
                continue;
            }
            var tensor = graph.Message();
            var constant = OnnxFile.Constant(tensor);
            hash.AppendData(
                Encoding.UTF8.GetBytes($"{constant.Name} {constant.Type} [{string.Join(", ", constant.Shape)}]\n")
            );
            if (constant.External is { } external)
                Visit(path, external, hash.AppendData);
            else
                HashNumbers(tensor, hash);
        }
    }

    private static void HashNumbers(ProtoReader tensor, IncrementalHash hash)
    {
        while (tensor.Next())
            if (tensor.Field == OnnxFields.RawData)
                hash.AppendData(tensor.Bytes());
            // Numbers written one by one, in fields of their type.
            else if (tensor.Field is 4 or 5 or 6 or 7 or 10 or 11)
                hash.AppendData(tensor.Whole());
            else
                tensor.Skip();
    }

    private static bool HoldsExternal(ProtoReader graph)
    {
        while (graph.Next())
            if (graph.Field != OnnxFields.Constants)
                graph.Skip();
            else if (OnnxFile.Constant(graph.Message()).External is not null)
                return true;
        return false;
    }

    /// <summary>
    /// Whether a graph and what lies beside it are too much for the one file that a bundle would hold.
    /// </summary>
    /// <param name="file">The graph.</param>
    /// <param name="bytes">Bytes of its file.</param>
    public static bool IsTooMuchForOneFile(OnnxFile file, long bytes) =>
        bytes + file.Constants.Sum(constant => constant.External is { } there ? LengthOf(file.Path, there) : 0)
        > LongestWhole;

    private const long LongestWhole = OnnxFile.Longest - (64 << 20);

    private static long LengthOf(string path, ExternalBytes external) =>
        external.Length ?? Linked.Length(NoTower.PathOf(path, external)) - external.Offset;

    private static byte[] Gathered(ProtoReader graph, string path)
    {
        using MemoryStream gathered = new();
        ProtoWriter whole = new(gathered);
        while (graph.Next())
        {
            var field = graph;
            if (graph.Field != OnnxFields.Constants || OnnxFile.Constant(field.Message()).External is not { } external)
            {
                whole.Copy(graph.Whole());
                continue;
            }
            var length = LengthOf(path, external);
            if (gathered.Length + length > LongestWhole)
                throw new LitException(
                    path,
                    "has more than 2 GB of weights, which do not fit into one file with the graph",
                    "Name the tower in the bundle instead of putting it in: `BundleTower` never"
                );
            ProtoWriter tensor = new();
            for (var old = graph.Message(); old.Next(); )
                if (old.Field is OnnxFields.ExternalData or OnnxFields.DataLocation)
                    old.Skip();
                else
                    tensor.Copy(old.Whole());
            using MemoryStream numbers = new((int)length);
            Visit(path, external, numbers.Write);
            whole.Message(OnnxFields.Constants, tensor.Bytes(OnnxFields.RawData, numbers.ToArray()));
        }
        return gathered.ToArray();
    }

    private static void Visit(string path, ExternalBytes external, Action<ReadOnlySpan<byte>> visit)
    {
        var file = NoTower.PathOf(path, external);
        try
        {
            using var stream = File.OpenRead(file);
            stream.Position = external.Offset;
            var left = external.Length ?? stream.Length - external.Offset;
            var piece = new byte[(int)Math.Min(Piece, left)];
            while (left > 0)
            {
                var some = piece.AsSpan(0, (int)Math.Min(piece.Length, left));
                stream.ReadExactly(some);
                visit(some);
                left -= some.Length;
            }
        }
        catch (Exception trouble) when (trouble is IOException or UnauthorizedAccessException)
        {
            throw new LitException(
                file,
                $"cannot be read ({trouble.Message.TrimEnd('.')})",
                "Put all files of the export into one folder",
                trouble
            );
        }
    }

    private static string KeyOf(ProtoReader note)
    {
        var key = "";
        while (note.Next())
            if (note.Field == 1)
                key = note.String();
            else
                note.Skip();
        return key;
    }
}

using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace LiT.Onnx;

/// <summary>
/// One graph with the input and the output that are used of it, ready to run. Runs on the thread that calls it; safe
/// for
/// several at once.
/// </summary>
internal sealed class OnnxNetwork : IDisposable
{
    private const string Package = "Microsoft.ML.OnnxRuntime 1.31.1";

    private readonly InferenceSession session;
    private int batch;

    private OnnxNetwork(InferenceSession session, OnnxFile file, OnnxValue input, OnnxValue output, string hash)
    {
        (this.session, Path, Input, Output, Hash) = (session, file.Path, input, output, hash);
        batch = input.Shape is [> 0 and <= int.MaxValue and var fixedBatch, ..] ? (int)fixedBatch : 0;
    }

    /// <summary>The file, for messages.</summary>
    public string Path { get; }

    /// <summary>The input that takes pictures.</summary>
    public OnnxValue Input { get; }

    /// <summary>The value that is given.</summary>
    public OnnxValue Output { get; }

    /// <summary>Of the graph with its weights (<see cref="OnnxWeights.Hash"/>).</summary>
    public string Hash { get; }

    /// <summary>How many pictures go in at once; 0 for any number.</summary>
    public int Batch => batch;

    /// <summary>Opens a graph.</summary>
    /// <param name="file">What it says of itself.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="input">The name of the input; null where there is but one.</param>
    /// <param name="output">The name of the output, or of a value inside; null where there is but one.</param>
    /// <param name="inMemory">Whether there is no file of these bytes.</param>
    /// <exception cref="LitException">It is no locked tower, or ONNX Runtime does not take it.</exception>
    public static OnnxNetwork Open(OnnxFile file, byte[] bytes, string? input, string? output, bool inMemory = false)
    {
        NoTower.Check(file);
        return Open(file, bytes, NoTower.InputOf(file, input), NoTower.OutputOf(file, output), inMemory);
    }

    /// <summary>Opens a graph that was looked at.</summary>
    /// <param name="file">What it says of itself.</param>
    /// <param name="bytes">All of it.</param>
    /// <param name="takes">The input whose first side counts what goes in.</param>
    /// <param name="gives">The output, or a value inside.</param>
    /// <param name="inMemory">Whether there is no file of these bytes.</param>
    /// <exception cref="LitException">ONNX Runtime does not take it.</exception>
    public static OnnxNetwork Open(OnnxFile file, byte[] bytes, OnnxValue takes, OnnxValue gives, bool inMemory = false)
    {
        var inside = file.Outputs.All(one => one.Name != gives.Name);
        var hash = OnnxWeights.Hash(bytes, file.Path);
        try
        {
            using SessionOptions options = new()
            {
                IntraOpNumThreads = 1, // the executor cuts the work and brings the threads, see Parts
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            if (!inside && !inMemory)
                return new(new InferenceSession(file.Path, options), file, takes, gives, hash);
            options.AddSessionConfigEntry(
                "session.model_external_initializers_file_folder_path",
                System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(file.Path))!
            );
            byte[] whole = inside ? [.. bytes, .. OnnxWeights.AsOutput(gives.Name)] : bytes;
            return new(new InferenceSession(whole, options), file, takes, gives, hash);
        }
        catch (OnnxRuntimeException refused)
        {
            throw Refused(file.Path, "does not take it", refused);
        }
        catch (Exception missing)
            when (missing is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new LitException(
                $"ONNX Runtime, which computes {file.Path}, is not at hand. "
                    + $"Add the package {Package} to the program's project, beside LiT.Onnx.",
                missing
            );
        }
    }

    /// <summary>From now on one picture goes in at once, whatever the graph says of its input.</summary>
    public void TakeOneByOne() => batch = 1;

    /// <summary>Runs pictures through the graph, in slices where its batch is fixed.</summary>
    /// <param name="pictures">[B, …], as the input's shape says.</param>
    /// <returns>[B, …] in float32.</returns>
    /// <exception cref="LitException">The graph fails, or gives another number of rows.</exception>
    public Tensor Run(Tensor pictures)
    {
        using var scope = NewDisposeScope();
        var count = pictures.shape[0];
        var rows = batch == 0 || count == batch ? RunOnce(pictures, count) : cat(Slices().ToArray(), 0);
        return rows.MoveToOuterDisposeScope();

        IEnumerable<Tensor> Slices()
        {
            for (var first = 0L; first < count; first += batch)
            {
                var some = Math.Min(batch, count - first);
                var slice = pictures.narrow(0, first, some);
                if (some < batch) // what is not there is filled up, and its rows are dropped
                    slice = cat([slice, zeros([batch - some, .. pictures.shape[1..]], slice.dtype)], 0);
                yield return RunOnce(slice, batch).narrow(0, 0, some);
            }
        }
    }

    private Tensor RunOnce(Tensor pictures, long count)
    {
        var type = Input.Type switch
        {
            OnnxTypes.Half => ScalarType.Float16,
            OnnxTypes.UInt8 => ScalarType.Byte,
            _ => ScalarType.Float32,
        };
        var pixels = pictures.to(type).contiguous();
        return Run([(Input.Name, pixels)], count, "pictures");
    }

    /// <summary>Runs the graph once, as its batch is.</summary>
    /// <param name="inputs">Each input by its name, contiguous, of the type that it takes.</param>
    /// <param name="count">How many went in.</param>
    /// <param name="what">What went in, for messages.</param>
    /// <returns>[count, …] in float32.</returns>
    /// <exception cref="LitException">The graph fails, or gives another number of rows.</exception>
    public Tensor Run(IReadOnlyList<(string Name, Tensor Value)> inputs, long count, string what)
    {
        List<OrtValue> given = [];
        try
        {
            foreach (var (_, value) in inputs)
                given.Add(Wrapped(value));
            using RunOptions options = new();
            using var results = session.Run(options, [.. inputs.Select(input => input.Name)], given, [Output.Name]);
            GC.KeepAlive(inputs);
            return Rows(results[0], count);
        }
        catch (OnnxRuntimeException failed)
        {
            throw Refused(Path, $"fails on {what} of [{string.Join(", ", inputs[0].Value.shape)}]", failed);
        }
        finally
        {
            given.ForEach(value => value.Dispose());
        }
    }

    /// <inheritdoc/>
    public void Dispose() => session.Dispose();

    // The tensor's own memory; it must live until the call has returned.
    private static unsafe OrtValue Wrapped(Tensor contiguous) =>
        OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            contiguous.dtype switch
            {
                ScalarType.Float16 => TensorElementType.Float16,
                ScalarType.Byte => TensorElementType.UInt8,
                ScalarType.Int32 => TensorElementType.Int32,
                ScalarType.Int64 => TensorElementType.Int64,
                ScalarType.Bool => TensorElementType.Bool,
                _ => TensorElementType.Float,
            },
            contiguous.shape,
            (IntPtr)TensorMemory.Address(contiguous),
            contiguous.numel() * contiguous.ElementSize
        );

    private unsafe Tensor Rows(OrtValue result, long count)
    {
        var told = result.GetTensorTypeAndShape();
        var type = told.ElementDataType switch
        {
            TensorElementType.Float => ScalarType.Float32,
            TensorElementType.Float16 => ScalarType.Float16,
            var other => throw new LitException(
                Path,
                $"its output {Output.Name} is of {other}",
                "Name an output of float32 or float16, as in :output=NAME"
            ),
        };
        if (told.Shape is not [var rows, ..] || rows != count || told.Shape.Any(side => side <= 0))
            throw new LitException(
                Path,
                $"gives {Output.Name} of [{string.Join(", ", told.Shape)}] where {count} went in",
                "Name the output that has a row for each of them, as in :output=NAME"
            );
        var copy = empty(told.Shape, type);
        var bytes = result.GetTensorMutableRawData();
        bytes.CopyTo(new Span<byte>(TensorMemory.Address(copy), bytes.Length));
        return copy.to(ScalarType.Float32);
    }

    private static LitException Refused(string path, string what, OnnxRuntimeException reason) =>
        new(
            path,
            $"ONNX Runtime {what} ({LitException.OneLine(reason.Message.ReplaceLineEndings(" ")).Trim().TrimEnd('.')})",
            "Check that it is whole, and that it runs elsewhere",
            reason
        );
}

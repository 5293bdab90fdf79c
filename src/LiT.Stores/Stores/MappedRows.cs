using System.IO.MemoryMappedFiles;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace LiT.Stores;

/// <summary>The rows of one .npy file, mapped into memory: read where they lie, by any number of threads.</summary>
internal sealed unsafe class MappedRows : IDisposable
{
    private readonly MemoryMappedFile? file;
    private readonly MemoryMappedViewAccessor? view;
    private byte* start;

    public MappedRows(string path)
    {
        Head = NpyFile.Read(path);
        if (Head.Rows == 0)
            return;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset + Head.DataOffset;
    }

    public NpyFile Head { get; }

    /// <summary>One row as it lies in the file.</summary>
    public ReadOnlySpan<byte> Stored(long row)
    {
        ObjectDisposedException.ThrowIf(start is null, this);
        return new(start + row * Head.Columns * Head.ItemSize, Head.Columns * Head.ItemSize);
    }

    /// <summary>Copies one row as single precision.</summary>
    public void Read(long row, Span<float> destination)
    {
        var bytes = Stored(row);
        switch (Head.Type)
        {
            case StoredType.Float32:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(destination);
                break;
            case StoredType.Float16:
                TensorPrimitives.ConvertToSingle(MemoryMarshal.Cast<byte, Half>(bytes), destination);
                break;
            default:
                TensorPrimitives.ConvertChecked<sbyte, float>(MemoryMarshal.Cast<byte, sbyte>(bytes), destination);
                break;
        }
    }

    public void Dispose()
    {
        if (start is null)
            return;
        start = null;
        view!.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file!.Dispose();
    }
}

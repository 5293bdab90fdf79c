using System.Runtime.InteropServices;
using System.Text;

namespace LiT.Mpi;

/// <summary>
/// The machine's MPI, as far as it is needed: what moves bytes, and no arithmetic, so that sums do not depend on whose
/// library it is. Two binary interfaces are known: Open MPI's, whose handles are addresses of exported symbols, and
/// MPICH's, whose handles are numbers. Every call is made on one thread.
/// </summary>
internal sealed unsafe partial class MpiLibrary
{
    /// <summary>Names the library's file where the usual ones are not to be taken.</summary>
    internal const string Variable = "LIT_MPI_LIBRARY";

    private const int Now = 2,
        Global = 0x100,
        Funneled = 1;

    private static readonly Dictionary<MpiKind, string[]> Names = new()
    {
        [MpiKind.OpenMpi] = ["libmpi.so.40", "libmpi.so"],
        [MpiKind.Mpich] = ["libmpich.so.12", "libmpi.so.12", "libmpich.so"],
    };

    private readonly nint world,
        bytes,
        errorsReturn,
        statusIgnore;
    private readonly delegate* unmanaged<void*, void*, int, int*, int> initThread;
    private readonly delegate* unmanaged<nint, int*, int> commSize,
        commRank;
    private readonly delegate* unmanaged<nint, nint, int> setErrorHandler;
    private readonly delegate* unmanaged<nint, nint*, int> startBarrier;
    private readonly delegate* unmanaged<nint*, int*, nint, int> test;
    private readonly delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, nint*, int> allgatherv;
    private readonly delegate* unmanaged<void*, int*, int*, nint, void*, int*, int*, nint, nint, nint*, int> alltoallv;
    private readonly delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int> alltoall,
        allgather;
    private readonly delegate* unmanaged<int, nint, nint*, int> contiguous;
    private readonly delegate* unmanaged<nint*, int> commit,
        free,
        requestFree;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int> startSend;
    private readonly delegate* unmanaged<int, int, nint, int*, nint, int> probe;
    private readonly delegate* unmanaged<void*, int, nint, int, int, nint, nint, int> receive;
    private readonly delegate* unmanaged<int, byte*, int*, int> errorString;
    private readonly delegate* unmanaged<byte*, int*, int> version;
    private readonly delegate* unmanaged<nint, int, int> abort;
    private readonly delegate* unmanaged<int> finalize;

    private MpiLibrary(nint library, string name)
    {
        Name = name;
        nint Symbol(string symbol) =>
            NativeLibrary.TryGetExport(library, symbol, out var address)
                ? address
                : throw new LitException(
                    name,
                    $"has no {symbol}, so it is no MPI that is understood here",
                    $"Install Open MPI or MPICH, or name its library with {Variable}"
                );
        if (NativeLibrary.TryGetExport(library, "ompi_mpi_comm_world", out world))
        {
            (Kind, bytes, errorsReturn) = (MpiKind.OpenMpi, Symbol("ompi_mpi_byte"), Symbol("ompi_mpi_errors_return"));
            statusIgnore = 0;
        }
        else
        {
            // As mpi.h of MPICH has them, which is the interface of Intel's, Cray's and MVAPICH's libraries, too.
            (Kind, world, bytes, errorsReturn) = (MpiKind.Mpich, 0x44000000, 0x4c00010d, 0x54000001);
            statusIgnore = 1;
        }
        initThread = (delegate* unmanaged<void*, void*, int, int*, int>)Symbol("MPI_Init_thread");
        commSize = (delegate* unmanaged<nint, int*, int>)Symbol("MPI_Comm_size");
        commRank = (delegate* unmanaged<nint, int*, int>)Symbol("MPI_Comm_rank");
        setErrorHandler = (delegate* unmanaged<nint, nint, int>)Symbol("MPI_Comm_set_errhandler");
        startBarrier = (delegate* unmanaged<nint, nint*, int>)Symbol("MPI_Ibarrier");
        test = (delegate* unmanaged<nint*, int*, nint, int>)Symbol("MPI_Test");
        allgatherv = (delegate* unmanaged<void*, int, nint, void*, int*, int*, nint, nint, nint*, int>)Symbol(
            "MPI_Iallgatherv"
        );
        alltoallv = (delegate* unmanaged<void*, int*, int*, nint, void*, int*, int*, nint, nint, nint*, int>)Symbol(
            "MPI_Ialltoallv"
        );
        alltoall = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)Symbol("MPI_Ialltoall");
        allgather = (delegate* unmanaged<void*, int, nint, void*, int, nint, nint, nint*, int>)Symbol("MPI_Iallgather");
        contiguous = (delegate* unmanaged<int, nint, nint*, int>)Symbol("MPI_Type_contiguous");
        commit = (delegate* unmanaged<nint*, int>)Symbol("MPI_Type_commit");
        free = (delegate* unmanaged<nint*, int>)Symbol("MPI_Type_free");
        requestFree = (delegate* unmanaged<nint*, int>)Symbol("MPI_Request_free");
        startSend = (delegate* unmanaged<void*, int, nint, int, int, nint, nint*, int>)Symbol("MPI_Isend");
        probe = (delegate* unmanaged<int, int, nint, int*, nint, int>)Symbol("MPI_Iprobe");
        receive = (delegate* unmanaged<void*, int, nint, int, int, nint, nint, int>)Symbol("MPI_Recv");
        errorString = (delegate* unmanaged<int, byte*, int*, int>)Symbol("MPI_Error_string");
        version = (delegate* unmanaged<byte*, int*, int>)Symbol("MPI_Get_library_version");
        abort = (delegate* unmanaged<nint, int, int>)Symbol("MPI_Abort");
        finalize = (delegate* unmanaged<int>)Symbol("MPI_Finalize");
    }

    /// <summary>The file that was loaded.</summary>
    internal string Name { get; }

    /// <summary>Whose binary interface it has.</summary>
    internal MpiKind Kind { get; }

    /// <summary>The library of the launcher, or the one that the environment names.</summary>
    /// <exception cref="LitException">It is not there.</exception>
    internal static MpiLibrary Load(Launch launch)
    {
        if (!OperatingSystem.IsLinux())
            throw new LitException("MPI is spoken on Linux only; start one process, without MPI.");
        // Neither library is to take over the faults that .NET handles itself.
        SetVariable("UCX_ERROR_SIGNALS", "", 0);
        SetVariable("OMPI_MCA_opal_signal", "", 0);
        string[] names = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given
            ? [given]
            : Names[launch.Kind];
        foreach (var name in names)
            if (Open(name, Now | Global) is not 0 and var library)
                return new(library, name);
        throw new LitException(
            names[0],
            $"this library cannot be loaded, and {launch.Name} started the process",
            launch.Kind == MpiKind.OpenMpi
                ? "Install it (Debian: libopenmpi3), or start with MPICH's mpirun"
                : "Install it (Debian: libmpich12), or start with Open MPI's mpirun"
        );
    }

    /// <summary>What the library says of itself, one line.</summary>
    internal string Version()
    {
        var text = stackalloc byte[8192];
        var length = 0;
        Check(version(text, &length));
        return Encoding.UTF8.GetString(text, length).Split('\n', ',')[0].Trim().Replace('\t', ' ');
    }

    internal (int Place, int Processes) Initialize()
    {
        int provided,
            place,
            processes;
        Check(initThread(null, null, Funneled, &provided));
        Check(setErrorHandler(world, errorsReturn));
        Check(commRank(world, &place));
        Check(commSize(world, &processes));
        return (place, processes);
    }

    /// <summary>Begins to wait for everybody.</summary>
    internal nint StartBarrier()
    {
        nint request = 0;
        Check(startBarrier(world, &request));
        return request;
    }

    internal bool IsDone(ref nint request)
    {
        var done = 0;
        fixed (nint* at = &request)
            Check(test(at, &done, statusIgnore));
        return done != 0;
    }

    /// <summary>A type of so many bytes; counts and places are numbers of them.</summary>
    internal nint RowType(int size)
    {
        nint type = 0;
        Check(contiguous(size, bytes, &type));
        Check(commit(&type));
        return type;
    }

    internal void Free(nint type) => Check(free(&type));

    // What is begun here is waited for by the caller, who yields meanwhile: a library's own waiting spins. Counts and
    // places are pinned, and kept until then.

    internal nint Allgatherv(byte* from, int count, byte* to, int[] counts, int[] places, nint type)
    {
        nint request = 0;
        fixed (
            int* c = counts,
                p = places
        )
            Check(allgatherv(from, count, type, to, c, p, type, world, &request));
        return request;
    }

    internal nint Alltoallv(
        byte* from,
        (int[] Counts, int[] Places) sent,
        byte* to,
        (int[] Counts, int[] Places) received,
        nint type
    )
    {
        nint request = 0;
        fixed (
            int* sc = sent.Counts,
                sp = sent.Places,
                rc = received.Counts,
                rp = received.Places
        )
            Check(alltoallv(from, sc, sp, type, to, rc, rp, type, world, &request));
        return request;
    }

    /// <summary>So many bytes to each process, and from each.</summary>
    internal nint Alltoall(void* from, void* to, int size)
    {
        nint request = 0;
        Check(alltoall(from, size, bytes, to, size, bytes, world, &request));
        return request;
    }

    /// <summary>So many bytes of each process, for all.</summary>
    internal nint Allgather(void* from, void* to, int size)
    {
        nint request = 0;
        Check(allgather(from, size, bytes, to, size, bytes, world, &request));
        return request;
    }

    /// <summary>Sends two numbers and forgets them. They stay in memory: nobody waits for their arrival.</summary>
    internal void Send(int process, int tag, long first, long second)
    {
        var message = (long*)NativeMemory.Alloc(16);
        (message[0], message[1]) = (first, second);
        nint request = 0;
        Check(startSend(message, 16, bytes, process, tag, world, &request));
        Check(requestFree(&request));
    }

    /// <summary>Two numbers that a process has sent; null where none have come.</summary>
    internal (long First, long Second)? Receive(int process, int tag)
    {
        var there = 0;
        Check(probe(process, tag, world, &there, statusIgnore));
        if (there == 0)
            return null;
        var message = stackalloc long[2];
        Check(receive(message, 16, bytes, process, tag, world, statusIgnore));
        return (message[0], message[1]);
    }

    /// <summary>Ends every process of the job. It does not return where the library keeps to its word.</summary>
    internal void Abort(int code) => _ = abort(world, code);

    internal void Finish() => Check(finalize());

    private void Check(int code)
    {
        if (code == 0)
            return;
        var text = stackalloc byte[8192];
        var length = 0;
        var words = errorString(code, text, &length) == 0 ? Encoding.UTF8.GetString(text, length) : $"error {code}";
        throw new MpiException($"MPI says: {words.ReplaceLineEndings(" ").Trim()}.");
    }

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string name, int flags);

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}

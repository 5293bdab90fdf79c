using LiT.Benchmarks;

// Figures are kept where builds are, or, with --keep, where results are committed.
var keep = args.Contains("--keep");
var root = Root();
var kept = Path.Combine(root, "benchmarks", "results");
args = [.. args.Where(argument => argument != "--keep")];
if (args is ["tables", .. var pages])
    return ResultTables.Run(kept, pages);
if (args.Length == 0)
    return Usage();

Results results = new(args[0], args[1..]);
var code = args switch
{
    ["loss", .. var options] => LossBenchmark.Run(options, results),
    ["duplicates", .. var options] => DuplicatesBenchmark.Run(options, results),
    ["towers", .. var options] => TowerBenchmark.Run(options, results),
    ["embed", .. var options] => EmbedBenchmark.Run(options, results),
    ["int8", _, _, ..] => Int8Benchmark.Run(args[1..], results),
    ["onnx", _, ..] => OnnxBenchmark.Run(args[1..], results),
    ["decode", _, _, ..] => DecodeBenchmark.Run(args[1..], results),
    ["text", .. var options] => TextTowerBenchmark.Run(options, results),
    ["exact", .. var options] => ExactStepBenchmark.Run(options, results),
    ["shared", .. var options] => SharedStepBenchmark.Run(options, results),
    ["stored", .. var options] => StoredBenchmark.Run(options, results),
    ["optimizer", .. var options] => OptimizerBenchmark.Run(options, results),
    ["small", .. var options] => SmallTowerBenchmark.Run(options, results),
    ["products", .. var options] => ProductBenchmark.Run(options, results),
    ["kernels"] => KernelBenchmark.Run(results),
    ["steady", .. var options] => SteadyBenchmark.Run(options, results),
    ["open", .. var options] => OpenBenchmark.Run(options, results),
    ["evaluation", .. var options] when options.Length > 0 => EvaluationBenchmark.Run(options, results),
    ["search", .. var options] when options.Length > 0 => SearchBenchmark.Run(options, results),
    ["peers", .. var options] when options.Length > 1 => PeersBenchmark.Run(options, results),
    ["growth", .. var options] when options.Length > 0 => GrowthBenchmark.Run(options, results),
    ["serve", .. var options] when options.Length > 1 => ServeBenchmark.Run(options, results),
    ["soak", .. var options] when options.Length > 1 => SoakBenchmark.Run(options, results),
    ["start", .. var options] when options.Length > 0 => StartBenchmark.Run(options, results),
    _ => Usage(),
};
if (code == 0 && results.Write(keep ? kept : Path.Combine(root, "artifacts", "benchmarks")) is { } path)
    Console.WriteLine($"{Path.GetRelativePath(Environment.CurrentDirectory, path)}");
return code;

static string Root()
{
    var folder = new DirectoryInfo(AppContext.BaseDirectory);
    while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "LiT.slnx")))
        folder = folder.Parent;
    return folder?.FullName ?? Environment.CurrentDirectory;
}

static int Usage()
{
    Console.Error.WriteLine(
        """
        usage: dotnet run -c Release --project benchmarks/LiT.Benchmarks -- WHAT [--keep]
          loss [BATCH [WIDTH [ROUNDS [blocks|ratios]]]]   the contrastive loss beside autograd's
          duplicates [TRAIN [TEST [WIDTH]]]        near-duplicates of one set in another
          towers [THREADS [SPEC...]]               image towers beside the matrix products
          embed [THREADS [COUNT [SPEC...] [plain] [float32] [int8]]]  JPEG files to a store, beside plain modules and
                                                   ONNX Runtime, or beside the named of them alone
          int8 SPEC DATA [COUNT [THREADS]]         a tower of bytes beside the same in float32
          onnx TOWER [COUNT [THREADS]]             a network in ONNX as a tower beside ONNX Runtime alone on the same pixels
          decode DATA TOWER [SHORTER_SIDE]         pictures decoded exactly and shrunk on the way, and the cosine of the two
          text [BATCH [STEPS [TOWER]]]             pairs a second of a text tower beside the matrix products and the usual way
          exact [TOWER [BATCH [MICRO [SIZE [memory]]]]]  an exact step of a large batch beside plain micro-batches
          shared [TOWER [BATCH [STEPS [SIZE [THREADS [PROCESSES [MICRO]]]]]]]  steps that the processes of a job share, under mpirun
                                                   or alone
          stored [BATCH [IMAGES TEXTS [TIMES [STEPS [step]]]]]  a step of gated heads from two stores beside the products
          optimizer [TOWER]                        one update of every weight
          small [STEPS [TOWER]]                    pairs a second of the default small text tower, one thread and two
          products [stay]                          dense layers by libtorch and by oneDNN; those alone whose rows stay
          kernels                                  every kernel of our own with vectors of every width
          steady [STEPS]                           memory over a long run
          open [FOLDER]                            opening a checkpoint of LiT-L16L's size
          evaluation classification|retrieval|prompts [SIZES]   evaluations beside their matrix products
          serve STORE MODEL [CLIENTS [SECONDS]]    searches over HTTP beside the library's own; for one client and many
          soak STORE MODEL [CLIENTS [SECONDS]] [growing]  a server at its limit, each answer checked; of a copy that grows
          growth STORE [COUNT]                     pictures added to a large store, removed and moved, beside a store of them alone
          search STORE [ROWS [SIZE [THREADS [MODEL | lists RECALL]]]]  searches beside reading the codes once; the store is made where missing
          peers STORE MODEL [FROM ROWS]            recall against time beside USearch and faiss, captions asking; a store that
                                                   is not there is made of rows around those of FROM
          start STORE [PROGRAM]                    from the command to the first step
          tables [[--check] PAGE]                  the committed results as tables, printed or filled into a page, whose
                                                   pictures of results are drawn anew
        Figures go to artifacts/benchmarks/KIND-OF-MACHINE, with --keep to benchmarks/results/KIND-OF-MACHINE.
        """
    );
    return 2;
}

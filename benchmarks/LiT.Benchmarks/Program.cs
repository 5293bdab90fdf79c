using LiT.Benchmarks;

return args switch
{
    ["loss", .. var options] => LossBenchmark.Run(options),
    ["duplicates", .. var options] => DuplicatesBenchmark.Run(options),
    ["towers", .. var options] => TowerBenchmark.Run(options),
    ["embed", .. var options] => EmbedBenchmark.Run(options),
    ["int8", _, _, ..] => Int8Benchmark.Run(args[1..]),
    ["decode", _, _, ..] => DecodeBenchmark.Run(args[1..]),
    ["text", .. var options] => TextTowerBenchmark.Run(options),
    ["exact", .. var options] => ExactStepBenchmark.Run(options),
    ["optimizer", .. var options] => OptimizerBenchmark.Run(options),
    ["steady", .. var options] => SteadyBenchmark.Run(options),
    ["open", .. var options] => OpenBenchmark.Run(options),
    ["evaluation", .. var options] when options.Length > 0 => EvaluationBenchmark.Run(options),
    ["search", .. var options] when options.Length > 0 => SearchBenchmark.Run(options),
    ["start", .. var options] when options.Length > 0 => StartBenchmark.Run(options),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine(
        """
        usage: dotnet run -c Release --project benchmarks/LiT.Benchmarks -- WHAT
          loss [BATCH [WIDTH [ROUNDS [blocks]]]]   the contrastive loss beside autograd's
          duplicates [TRAIN [TEST [WIDTH]]]        near-duplicates of one set in another
          towers [THREADS [SPEC...]]               image towers beside the matrix products
          embed [THREADS [COUNT [SPEC...]]]        JPEG files to a store, beside plain modules and ONNX Runtime
          int8 SPEC DATA [COUNT [THREADS]]         a tower of bytes beside the same in float32
          decode DATA TOWER [SHORTER_SIDE]         pictures decoded exactly and shrunk on the way, and the cosine of the two
          text [BATCH [STEPS [TOWER]]]             pairs a second of a text tower beside the matrix products and the usual way
          exact [TOWER [BATCH [MICRO [SIZE [memory]]]]]  an exact step of a large batch beside plain micro-batches
          optimizer [TOWER]                        one update of every weight
          steady [STEPS]                           memory over a long run
          open [FOLDER]                            opening a checkpoint of LiT-L16L's size
          evaluation classification|retrieval|prompts [SIZES]   evaluations beside their matrix products
          search STORE [ROWS [SIZE [THREADS [MODEL]]]]  searches beside reading the codes once; the store is made where missing
          start STORE [PROGRAM]                    from the command to the first step
        """
    );
    return 2;
}

using LiT.Benchmarks;

return args switch
{
    ["loss", .. var sizes] => LossBenchmark.Run(sizes),
    ["duplicates", .. var sizes] => DuplicatesBenchmark.Run(sizes),
    ["towers", .. var choice] => TowerBenchmark.Run(choice),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project benchmarks/LiT.Benchmarks -- loss [BATCH [WIDTH]] | duplicates [TRAIN [TEST [WIDTH]]] | towers [THREADS [SPEC…]]");
    return 2;
}

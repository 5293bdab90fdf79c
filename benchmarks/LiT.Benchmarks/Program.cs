using LiT.Benchmarks;

return args switch
{
    ["loss", .. var sizes] => LossBenchmark.Run(sizes),
    ["duplicates", .. var sizes] => DuplicatesBenchmark.Run(sizes),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: dotnet run -c Release --project benchmarks/LiT.Benchmarks -- loss [BATCH [WIDTH]] | duplicates [TRAIN [TEST [WIDTH]]]");
    return 2;
}

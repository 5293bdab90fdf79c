using LiT.Tests;

namespace LiT.Cli.Tests;

/// <summary>The line that each wrong use gets, as somebody found it right.</summary>
[Collection(nameof(InThisProcess))]
public sealed class ApprovedRefusalTests(Workbench bench)
{
    private static readonly string[] Commands =
    [
        "nonsense",
        "eval nonsense",
        "eval",
        "serach cat",
        "search cat --tpo 1 --model run --data store",
        "classify x.png --model run --labels a,b --minprecision 0.9",
        "models list --jsn",
        "tokenizer encode cat --tokeniser run",
        "eval compare report --josn",
        "tune --data store --out x --xyzzy",
        "tune --data store --out x --batch 0",
        "tune --data store --out x --batch 99999999999999",
        "tune --data store --out x --lr fast",
        "tune --data store --out x --loss 7",
        "tune --data store --out x --loss hinge",
        "study --data store --test store --out x --seeds 0,-1",
        "eval fewshot --train store --data store --shots 1,0",
        "eval absent --model run --data test.tar --report x",
        "data dedup --data test.tar --out x --level bytes,bits",
        "classify x.png --model run",
        "teach --model run",
        "teach --model run --list --word a",
        "teach --model run --list --again",
        "teach --model run --word a --data photos x.png",
        "classify x.png --model run --labels classes.txt",
        "classify x.png --model run --labels a,b --json --csv",
        "classify run --model run --labels a,b",
        "completion tcsh",
        "doctor --threads -3",
        "doctor --threads many",
        "doctor --dtype float8",
        "bench --device gpu",
        "embed --data test.tar --out x",
        "embed --image-tower nothing.npz --data test.tar --out x",
        "embed --image-tower cifar-resnet:8 --data nowhere --out x",
        "embed --image-tower cifar-resnet:8 --data test.tar --out x --part 0/3",
        "embed --image-tower cifar-resnet:14 --data pairs.tar --out store",
        "tune --data store --out x --lr nan",
        "tune --data store --out x --lock La",
        "tune --data store --out x --epochs 2 --steps 3",
        "tune --data store --out x --text-tower text:width=33,heads=2",
        "tune --data store --out x --text-tower bert:enormous",
        "tune --data store --out x --temperature-bounds 9,3",
        "tune --data store --out x --lr-mult image",
        "tune --data store --out x --recipe nothing",
        "tune --data mine --out x",
        "study --data store --test store --out x --vary batch",
        "study --data store --test store --out x --seeds one",
        "eval classification --data test.tar",
        "eval classification --model run --data test.tar --crop round",
        "eval classification --model nothing --data test.tar",
        "eval classification --model run --data mine",
        "eval retrieval --model run --data photos/00000",
        "eval knn --train store --data mine --label-column kind",
        "eval compare nothing nothing",
        "data stats --data nowhere",
        "data filter --data test.tar --out x --min-words -1",
        "data dedup --data test.tar --out x --cosine 1.5",
        "data draw --split all --count 3 --out x",
        "data sets nothing",
        "data download nowhere.tsv --out x",
        "classify missing.jpg --model run --labels a,b --top 0",
        "search cat --model LiT-B16B --data store",
        "search cat --model run --data store --min-precision 2",
        "models show nothing",
        "models pull LiT-B17B",
        "tokenizer encode cat --tokenizer nothing",
        "tokenizer train --data mine --out x",
        "verify photos",
        "verify nothing",
        "pretrain --data pretrain.tar --out x --tower vit:Ti/16 --width 8",
        "pretrain --data pretrain.tar --out x --method simclr",
        "pretrain --data pretrain.tar --out x --method dino --batch 1",
        "pretrain --data pretrain.tar --out x --method dino --head-outputs 0",
        "pretrain --data pretrain.tar --out x --method dino --global-scale 1",
        "pretrain --data pretrain.tar --out x --method dino --local-scale 0.4,0.05",
        "pretrain --data pretrain.tar --out x --method dino --local-size 64",
        "pretrain --data pretrain.tar --out x --method dino --image-size 512 --local-size 96",
        "pretrain --data pretrain.tar --out x --method dino --tower mixer:B/16",
        "pretrain --data pretrain.tar --out trained --method dino",
        "bench --device cuda:many",
    ];

    [Fact]
    public void What_is_refused_is_refused_in_the_approved_words()
    {
        List<string> refused = [],
            taken = [];
        foreach (var command in Commands)
        {
            var outcome = Here.Run(bench.Folder, command.Split(' '));
            if (outcome is not { ExitCode: 1 or 2, Output: "" })
                taken.Add($"{command}: exit code {outcome.ExitCode}\n{outcome.Output}{outcome.Talk}");
            refused.Add($"$ lit {command}\n{Scrubbed.WithoutProgress(outcome.Talk)}exit code {outcome.ExitCode}\n\n");
        }
        Assert.True(taken.Count == 0, string.Join("\n", taken));
        Approved.Check("answers/refusals.txt", Scrubbed.Usual(string.Concat(refused), bench.Folder));
    }
}

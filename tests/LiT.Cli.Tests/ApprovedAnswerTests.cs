using LiT.Tests;

namespace LiT.Cli.Tests;

/// <summary>Tests that run the program in this process have it for themselves.</summary>
[CollectionDefinition(nameof(InThisProcess), DisableParallelization = true)]
public sealed class InThisProcess : ICollectionFixture<Workbench>;

/// <summary>Every table and every JSON answer, with what is said beside it, as somebody found it right.</summary>
[Collection(nameof(InThisProcess))]
[Trait("computes", "yes")]
public sealed class ApprovedAnswerTests(Workbench bench)
{
    private enum Numbers
    {
        /// <summary>They stand as they are.</summary>
        Exact,

        /// <summary>A network computed them; fractions are scrubbed.</summary>
        Computed,

        /// <summary>They are this machine's, or its speed.</summary>
        Machine,
    }

    private static readonly (string Name, Numbers Numbers, string Command)[] Answers =
    [
        ("data-draw", Numbers.Exact, "data draw --split val --count 3 --out drawn"),
        ("data-stats", Numbers.Exact, "data stats --data test.tar --report stats.html"),
        ("data-filter", Numbers.Exact, "data filter --data test.tar --min-side 0 --min-words 4 --out {new}"),
        ("data-dedup", Numbers.Exact, "data dedup --data pairs.tar --against test.tar --write folder --out {new}"),
        ("data-convert", Numbers.Exact, "data convert --data test.tar --to parquet --out {new}"),
        ("data-sets", Numbers.Exact, "data sets"),
        ("data-sets-one", Numbers.Exact, "data sets imagenet-v2"),
        ("data-download", Numbers.Exact, "data download list.tsv --host-delay 0 --retries 0 --out {new}"),
        ("models-pull", Numbers.Exact, "models pull vit-ti16-augreg-in21k --mirror {mirror} --out {new}"),
        ("models-list", Numbers.Exact, "models list lit-"),
        ("models-show-spec", Numbers.Exact, "models show vit:Ti/16"),
        ("models-show-bundle", Numbers.Computed, "models show run"),
        ("models-convert", Numbers.Computed, "models convert run --out {new}"),
        ("models-convert-cut", Numbers.Computed, "models convert run --width 8 --rows store --out {new}"),
        ("models-convert-tower", Numbers.Exact, "models convert cifar-resnet:8 --out {new}.safetensors"),
        ("tokenizer-train", Numbers.Exact, "tokenizer train --data test.tar --vocabulary 120 --out {new}/vocab.txt"),
        ("tokenizer-encode", Numbers.Exact, "tokenizer encode cat --tokenizer run/model"),
        ("embed", Numbers.Computed, "embed --image-tower cifar-resnet:8 --data test.tar --out {new}"),
        ("embed-again", Numbers.Computed, "embed --image-tower cifar-resnet:8 --data pairs.tar --out store"),
        ("embed-texts", Numbers.Computed, "embed --texts --text-tower run --data pairs.tar --out {new}"),
        ("embed-texts-again", Numbers.Computed, "embed --texts --text-tower run --data pairs.tar --out texts"),
        ("doctor", Numbers.Machine, "doctor"),
        ("bench", Numbers.Machine, "bench --image-tower vit:mu/32 --turns 1 --threads 1"),
        ("quickstart", Numbers.Computed, "quickstart --pairs 16 --steps 20 --out small"),
        (
            "tune",
            Numbers.Computed,
            "tune --data store --text-tower text:width=16,depth=1,heads=2 --steps 4 --batch 16 --val "
                + "test.tar --out {new}"
        ),
        (
            "study",
            Numbers.Computed,
            "study --data store --test store --vary textTower=text:width=16,depth=1,heads=2 --vary "
                + "batch=16 --vary steps=2 "
                + "--seeds 0,1 --out {new}"
        ),
        (
            "tune-texts",
            Numbers.Computed,
            "tune --data store --texts texts --image-head glu:2 --text-head glu:2 --steps 4 --batch 16 --out {new}"
        ),
        ("study-towers", Numbers.Computed, "study towers --images store indexed --texts texts --neighbours 5"),
        (
            "pretrain",
            Numbers.Computed,
            "pretrain --data pretrain.tar --val pretrain.tar --epochs 1 --batch 8 --width 8 --out {new}"
        ),
        (
            "pretrain-dino",
            Numbers.Computed,
            "pretrain --method dino --data pretrain.tar --epochs 1 --batch 8 --width 8 --local-crops 2 "
                + "--head-outputs 32 --head-hidden 32 --head-bottleneck 8 --out {new}"
        ),
        ("calibrate", Numbers.Computed, "calibrate --model run --data store"),
        ("plan", Numbers.Exact, "plan --recipe coco --machine machine.json --machines 1,8 --pairs 1000000"),
        ("serve", Numbers.Exact, "serve --model run --data store --port 0 --check"),
        ("language-add", Numbers.Exact, "language add --model speaking --language de --text-tower run --replace"),
        ("language-list", Numbers.Exact, "language list --model listed"),
        ("language-remove", Numbers.Exact, "language remove --model run --language xx"),
        (
            "teach",
            Numbers.Exact,
            "teach --model speaking --word logo --data store --again pairs-000001 pairs-000002 pairs-000003 "
                + "pairs-000004 photos/00000/0000000000.png missing.png"
        ),
        ("teach-list", Numbers.Exact, "teach --model run --list"),
        ("teach-few", Numbers.Exact, "teach --model run --word logo photos/00000/0000000000.png"),
        ("teach-remove", Numbers.Exact, "teach --model run --remove logo"),
        (
            "classify",
            Numbers.Computed,
            "classify photos/00000/0000000000.png missing.jpg --model run --labels cat,dog,horse --top 2"
        ),
        ("completion", Numbers.Exact, "completion bash"),
        (
            "classify-folder-jsonl",
            Numbers.Computed,
            "classify photos --model run --labels-file classes.txt --top 1 --jsonl"
        ),
        (
            "classify-folder-csv",
            Numbers.Computed,
            "classify photos --model run --labels-file classes.txt --top 1 --csv"
        ),
        ("search", Numbers.Computed, "search cat --model run --data store --top 2"),
        (
            "search-filter",
            Numbers.Computed,
            "search cat 2:red --minus dog --where kind='cat' --order key --distinct --model run --data store --top 2"
        ),
        ("search-column", Numbers.Computed, "search cat --where lable='cat' --model run --data store"),
        ("search-nothing", Numbers.Computed, "search cat --model run --data store --min-precision 0.999"),
        ("index-build", Numbers.Exact, "index build unindexed"),
        ("index-status", Numbers.Exact, "index status indexed"),
        ("index-compact", Numbers.Exact, "index compact indexed"),
        ("index-push", Numbers.Exact, "index push indexed --to nowhere"),
        ("index-watch", Numbers.Computed, "index watch {new} --data test.tar --image-tower cifar-resnet:8 --once"),
        ("index-verify", Numbers.Exact, "index verify indexed --sample 10 --queries 5"),
        ("verify-model", Numbers.Computed, "verify run --store store"),
        ("verify-store", Numbers.Computed, "verify store"),
        ("verify-texts", Numbers.Computed, "verify texts"),
        (
            "eval-classification",
            Numbers.Exact,
            "eval classification --image-embeddings pictures.npy --text-embeddings classes.npy --labels "
                + "labels.txt --classes classes.txt"
        ),
        ("eval-classification-model", Numbers.Computed, "eval classification --model run --data test.tar"),
        (
            "eval-retrieval",
            Numbers.Exact,
            "eval retrieval --image-embeddings pictures.npy --text-embeddings captions.npy --pairs pairs.tsv"
        ),
        ("eval-retrieval-model", Numbers.Computed, "eval retrieval --model run --data test.tar"),
        ("eval-head", Numbers.Computed, "eval head --image-tower trained/tower.safetensors --data pretrain.tar"),
        ("eval-probe", Numbers.Computed, "eval probe --train store --data store --label-column colour"),
        ("eval-knn", Numbers.Computed, "eval knn --train store --data store --label-column kind --k 1 5"),
        (
            "eval-fewshot",
            Numbers.Computed,
            "eval fewshot --train store --data store --label-column colour --shots 1 2 --draws 2"
        ),
        (
            "eval-teach",
            Numbers.Computed,
            "eval teach --model run --data test.tar --train store --label-column colour --words red --words blue "
                + "--others store --shots 5 --draws 2"
        ),
        ("eval-absent", Numbers.Computed, "eval absent --model run --data test.tar"),
        ("eval-compare", Numbers.Computed, "eval compare report report"),
    ];

    public static TheoryData<string> Names => [.. Answers.Select(answer => answer.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void An_answer_is_as_approved(string name)
    {
        var (_, numbers, command) = Answers.Single(answer => answer.Name == name);
        string[] forms =
            command.Contains("--jsonl", StringComparison.Ordinal) || command.Contains("--csv", StringComparison.Ordinal)
                ? [""]
                : ["", " --json"];
        var both = forms.Select(form => Said(command + form, $"{name}{form.Trim()}", numbers));
        Approved.Check($"answers/{name}.txt", string.Concat(both));
    }

    [Fact]
    public void Every_verb_has_an_approved_answer()
    {
        var help = Approved
            .Names("help")
            .Where(name => name != "lit")
            .Select(name => name[4..].Replace('-', ' '))
            .ToList();
        var verbs = help.Where(verb => !help.Any(other => other.StartsWith(verb + ' ', StringComparison.Ordinal)));
        Assert.All(verbs, verb =>
            Assert.Contains(Answers, one => one.Command.StartsWith(verb, StringComparison.Ordinal))
        );
        Assert.Equal(
            Answers.Select(one => one.Name).Append("refusals").Order(StringComparer.Ordinal),
            Approved.Names("answers")
        );
    }

    private string Said(string command, string unused, Numbers numbers)
    {
        var words = command.Replace("{new}", unused, StringComparison.Ordinal);
        var outcome = Here.Run(
            bench.Folder,
            words.Replace("{mirror}", bench.Mirror, StringComparison.Ordinal).Split(' ')
        );
        var text = $"$ lit {words}\n{outcome.Output}";
        if (outcome.ExitCode != 0)
            text += $"exit code {outcome.ExitCode}\n";
        if (Scrubbed.WithoutProgress(outcome.Talk) is { Length: > 0 } talk)
            text += $"--- talk\n{talk}";
        text = Scrubbed.Usual(text + "\n", bench.Folder);
        return numbers switch
        {
            Numbers.Computed => Scrubbed.Computed(text),
            Numbers.Machine => Scrubbed.Computed(Scrubbed.Machine(text)),
            _ => text,
        };
    }
}

using LiT.Tests;

namespace LiT.Cli.Tests;

/// <summary>
/// Every option of every verb is given once, in runs that succeed, and is looked at: the program says of an option that
/// nobody read that it had no effect. Of the options that every verb takes, help names those that the verb reads.
/// </summary>
[Collection(nameof(InThisProcess))]
public sealed class EveryOptionIsReadTests(Workbench bench)
{
    private const string Table =
        "--data table.csv --image-column file --caption-column words --label-column kind --image-root photos/00000";

    private const string LargeTable =
        "--data large.csv --image-column file --caption-column words --label-column kind --image-root large/00000";

    private const string Small = "--text-tower text:width=16,depth=1,heads=2";

    private static readonly string[] Everywhere = ["--json", "--verbose", "--help", "--version"];

    /// <summary>What every verb takes and only some read; help of the others does not name them.</summary>
    private static readonly (string Option, string Value)[] Common =
    [
        ("--device", "cpu"),
        ("--threads", "1"),
        ("--seed", "1"),
        ("--dtype", "float32"),
    ];

    private static readonly string[] Runs =
    [
        "serve --model run --data store --pictures pairs.tar --host 127.0.0.1 --port 0 --api-key k --open --log-words "
            + "--allow-url-images --cors-origin https://example.org --max-body 1 --max-megapixels 9 --at-once 2 "
            + "--queue 3 --timeout 9 --check",
        "quickstart --pairs 16 --steps 20 --out walk --serve --port 0 --check",
        $"embed --image-tower cifar-resnet:8 {Table} --out r-embed --tower-dtype float32 --store-dtype float32 "
            + "--batch 4 "
            + "--rows-per-shard 8 --max-megapixels 9 --decode exact --max-bad 0.9 --part 1/1 --crop resize "
            + "--honour-exif "
            + "--views 2 --view-crop 0.5 --view-flip 0.1",
        "embed --image-tower cifar-resnet:8 --data test.tar --out r-embed-again",
        "embed --image-tower cifar-resnet:8 --data test.tar --out r-embed-again --update --retry-skipped --reuse store",
        $"embed --image-tower cifar-resnet:8 {Table} --out r-embed-table",
        "embed --image-tower cifar-resnet:8 --data pretrain.tar --out r-embed-other",
        "embed --texts --text-tower run --tokenizer run/model/vocab.txt --token-length 24 --data store "
            + "--captions words.csv --language de --out r-texts --store-dtype float32 --rows-per-shard 50",
        "embed --texts --text-tower run --data pairs.tar --out texts --update",
        $"tune {Table} --out r-tune --lock uu --image-tower cifar-resnet:8 {Small} --vocabulary 150 --token-length 12 "
            + "--image-head 16 --text-head 16 --augment flip --val test.tar --val-classes kinds.txt "
            + "--val-templates templates.txt "
            + "--pictures 16 --bundle-tower always --doctor warn --loss sigmoid --loss-over pairs "
            + "--batch 4 --micro-batch 2 --steps 3 --lr 0.001 "
            + "--optimizer AdamW --schedule rsqrt --warmup 1 --weight-decay 0.001 --clip 1 --positives Own "
            + "--caption-noise 0.1 --look-alikes 0 --sentences 0.5 --drop-first 0.5 --captions-at-once 1 "
            + "--nested 8 --local-parts 1 --image-micro-batch 2 --cooldown 1 --timescale 10 --temperature 10 "
            + "--temperature-bounds 1,100 "
            + "--temperature-rate 0.5 --bias -3 --lr-mult ^image=0.5 --wd-mult ^text=0.5 --unlock-after ^text=1 "
            + "--ema 0.9 "
            + "--checkpoint-every 1 --val-every 1 --keep-best top1 --resume",
        "tune --data store --out r-tune-on --lock LU --text-init run --tokenizer run/model/vocab.txt --epochs 0.1 "
            + "--batch 8 "
            + "--hold-out 0.2 --recipe options.json --captions words.csv --language de "
            + "--mpi --mpi-dtype float32 --mpi-late 30",
        $"tune --data test.tar --out r-pixels --from-pixels --image-tower trained/tower.safetensors {Small} "
            + "--steps 1 --batch 4",
        "plan --recipe vit-g14 --machine machine.json --machines 1,2 --pairs 1000 --image-tower vit:g/14 "
            + "--text-tower bert:base --weak",
        "tune --data store --texts texts --image-head glu:2 --text-head glu:2 --steps 2 --batch 8 --out r-both "
            + "--structure 10 --structure-levels 2 --teacher store --teacher-weight 0.3 --teacher-temperature 0.2",
        "study towers --images store indexed --texts texts --neighbours 3 --pictures 50",
        $"study {Table} --test test.tar "
            + "--classes kinds.txt --templates templates.txt --image-tower trained/tower.safetensors "
            + "--image-scratch vit:mu/32 "
            + "--text-init run --file plan.json --recipe options.json --vary batch=8 --seeds 0 --pictures 20 "
            + "--keep-checkpoints --captions words.csv --language de "
            + "--out r-study",
        $"eval classification --model run {Table} --classes names.json --templates templates.txt --all-aliases "
            + "--training-store store --dataset pets --language en --crop model --decode exact --text-cache texts "
            + "--batch 8 "
            + "--predictions r-answers.jsonl --report r-report --pictures photos/00000",
        "eval classification --model run --data r-embed-views --label-column kind --average-views --no-leak-audit",
        "eval classification --image-embeddings pictures.npy --text-embeddings classes.npy --labels labels.txt "
            + "--classes classes.txt --text-classes which.txt --image-keys keys.txt --texts texts.txt --temperature 10",
        $"eval retrieval --model run {Table} --language en --crop model --decode exact --text-cache texts --batch 8 "
            + "--predictions r-found.jsonl --report r-retrieval --pictures photos/00000 --dataset flickr30k",
        "eval retrieval --model run --data store --captions two.csv --language all --across",
        "eval retrieval --model run --data r-embed-views --average-views",
        "eval retrieval --image-embeddings pictures.npy --text-embeddings captions.npy --pairs pairs.tsv "
            + "--image-keys keys.txt "
            + "--texts texts6.txt --temperature 10",
        $"eval absent --model run {Table} --present 0.4 --classes kinds37.txt --templates templates.txt --all-aliases "
            + "--dataset pets --crop model --decode exact --text-cache texts --batch 8",
        "eval absent --model run --data r-embed-views --label-column kind --average-views",
        "eval head --image-tower trained/tower.safetensors --data pretrain.tar --head label --batch 8",
        $"eval head --image-tower trained/tower.safetensors {Table} --classes kinds16.txt",
        "eval probe --train store --data store --label-column colour --classes colours.txt",
        "eval knn --train store --data store --label-column colour --classes colours.txt --k 1 --vote-temperature 0.1",
        "eval fewshot --train store --data store --label-column colour --classes colours.txt --shots 1 --draws 1",
        "eval teach --model run --data store --train store --classes colours.txt --train-classes colours.txt "
            + "--label-column colour --words red --templates templates.txt --others store --shots 5 --draws 1",
        "eval compare report report --report r-compared",
        $"data stats {Table} --report r-stats.html --tokenizer run/model/vocab.txt --tokens 16",
        "data stats --data test.tar --model run",
        $"data filter {Table} --out r-filter --to folder --samples-per-shard 10 --min-words 1 --max-words 30 "
            + "--max-repeats 5 "
            + "--min-token-count 1 --min-side 1 --max-captions 9 --max-aspect 4 --boilerplate texts.txt "
            + "--no-boilerplate "
            + "--needs-caption",
        $"data dedup {Table} --out r-dedup --part 1/1 --store r-embed-table --against pretrain.tar "
            + "--against-store r-embed-other --level scene --hamming 0 --cosine 0.9999 --no-within "
            + "--pairs 3 --write folder",
        $"data convert {Table} --out r-convert --to parquet --samples-per-shard 10",
        "data download list.tsv --out r-download --url-column 1 --caption-column 2 --rows-per-shard 5 "
            + "--concurrency 4 --per-host 2 "
            + "--host-delay 0 --longest-wait 5 --retries 0 --timeout 5 --max-megabytes 1 --resize 4 --max-side 8 "
            + "--min-side 2 --retry-failed "
            + "--user-agent lit-test/1.0",
        "data download yfcc100m_dataset-0 --out r-yfcc --only-ids ids.tsv",
        "data draw --split val --count 3 --out r-drawn",
        "classify photos/00000 --model run --labels cat,dog --templates templates.txt --min-precision 0.5 "
            + "--present 0.4 --top 1 "
            + "--ignore-exif --decode exact --max-megapixels 9 --csv",
        "classify photos/00000 --model run --labels-file classes.txt --jsonl",
        "index build r-embed-table --model run --recall 0.9 --lists 3 --queries 5",
        "index status r-embed-table --model run",
        "index compact r-embed-table",
        $"index watch r-watch {Table} --image-tower cifar-resnet:8 --crop model --settle 1 --every 1 --once "
            + "--max-bad 0.9",
        "index verify r-embed-table --model run --sample 4 --queries 2",
        "search cat 2:dog --model run --data r-embed-table --each --like photos/00000/0000000000.png --minus horse "
            + "--without bird --where width>=1 --skip 1 --exact --order width --distinct 0.9",
        $"search cat --model run {Table} --top 2 --min-precision 0.1 --report r-found.html --pictures photos/00000 "
            + "--decode exact",
        "language add --model r-run --language de --captions words.csv --data store --epochs 0.5 --out r-german",
        $"calibrate --model r-run {LargeTable} --cohort 100 --captions words.csv --language de",
        "language add --model r-run --language fr --captions plain.tsv --aligned words.csv --epochs 0.5",
        "language add --model r-run --language fr --text-tower run --replace",
        "language list --model r-run",
        "classify photos/00000 --model r-run --labels cat,dog --language fr",
        "search cat --model r-run --data store --language de --captions words.csv",
        "teach --model r-run --word logo --data store --language fr --again pairs-000000 pairs-000001 pairs-000002 "
            + "pairs-000003 pairs-000004",
        "teach --model r-run --list --language fr",
        "teach --model r-run --remove logo --language fr",
        "language remove --model r-run --language fr",
        "models show run",
        "models pull vit-ti16-augreg-in21k --mirror {mirror} --out r-pulled",
        "models convert cifar-resnet:8 --text run --out r-converted",
        "models convert run --width 8 --rows store --out r-cut",
        "embed --image-tower r-cut --data store --out r-cut-store",
        "tokenizer train --data pairs.tar --out two.model --kind Unigram --vocabulary 44",
        "models convert two.npz --tokenizer two.model --out r-two",
        $"tokenizer train {Table} --out r-words.model --kind Unigram --vocabulary 60 --cased",
        "tokenizer encode cat --tokenizer run/model/vocab.txt",
        "verify run --store store",
        "verify store --image-tower cifar-resnet:8 --data pairs.tar",
        "verify texts --text-tower run",
        "pretrain --method supervised --data pretrain.tar --val pretrain.tar --labels label --out r-trained "
            + "--blocks 1 --width 4 "
            + "--stages 2 --stem-stride 2 --image-size 16 --epochs 1 --batch 8 --optimizer Sgd --lr 0.01 --warmup 0.1 "
            + "--momentum 0.5 --weight-decay 0.001 --label-smoothing 0.1 --augment none --float16 --checkpoint-every 1",
        "pretrain --method dino --data pretrain.tar --out r-dino --blocks 1 --width 4 --stages 2 --stem-stride 2 "
            + "--image-size 16 --epochs 1 --batch 8 --lr 0.01 --warmup 0.2 --weight-decay 0.01 --float16 "
            + "--checkpoint-every 1 --local-crops 2 --local-size 8 --global-scale 0.5,1 --local-scale 0.1,0.5 "
            + "--head-outputs 16 --head-hidden 8 --head-bottleneck 4 --freeze-last-layer 0 --min-lr 0 "
            + "--weight-decay-end 0.1 --clip 1 --teacher-momentum 0.9 --teacher-temperature 0.05 "
            + "--teacher-temperature-start 0.03 --teacher-temperature-warmup 1 --student-temperature 0.2 "
            + "--centre-momentum 0.8",
        "pretrain --data pretrain.tar --out r-vit --tower vit:mu/32 --epochs 1 --batch 8",
        "bench --image-tower vit:mu/32 --turns 1",
        "doctor run",
    ];

    [Fact]
    public void Every_option_of_every_verb_is_read()
    {
        MakeInputs();
        var given = new Dictionary<string, HashSet<string>>();
        List<string> troubles = [];
        var verbs = Verbs();
        foreach (var run in Runs)
        {
            var verb = verbs
                .Keys.Where(verb => run.StartsWith(verb + ' ', StringComparison.Ordinal))
                .MaxBy(verb => verb.Length)!;
            string[] words = run.Replace("{mirror}", bench.Mirror, StringComparison.Ordinal).Split(' ');
            if (given.TryAdd(verb, []))
                words = [.. words, .. Common.SelectMany(common => new[] { common.Option, common.Value })];
            given[verb].UnionWith(words.Where(word => word.StartsWith("--", StringComparison.Ordinal)));
            var outcome = Here.Run(bench.Folder, words);
            var without = outcome
                .Talk.Split('\n')
                .Where(line => line.Contains("had no effect", StringComparison.Ordinal))
                .Select(line => line.Split(' ').First(word => word.StartsWith("--", StringComparison.Ordinal)));
            var unnamed = words.Intersect(Common.Select(common => common.Option)).Except(verbs[verb]);
            if (outcome.ExitCode != 0 || !without.ToHashSet().SetEquals(unnamed))
                troubles.Add($"lit {string.Join(' ', words)}\n  exit code {outcome.ExitCode}\n{outcome.Talk}");
        }
        verbs.Remove("index push"); // it needs a database: tests/LiT.Postgres.Tests
        foreach (var (verb, options) in verbs)
        foreach (var option in options.Except(Everywhere).Except(given.GetValueOrDefault(verb) ?? []))
            troubles.Add($"lit {verb} {option}: no run gives it. Add it to one.");
        Assert.True(troubles.Count == 0, string.Join('\n', troubles));
    }

    /// <summary>Every verb that does something, with the options that its approved help names.</summary>
    private static Dictionary<string, IReadOnlyList<string>> Verbs()
    {
        var names = Approved
            .Names("help")
            .Where(name => name != "lit")
            .Select(name => name[4..].Replace('-', ' '))
            .ToList();
        return names
            .Where(verb =>
                verb == "study" || !names.Any(other => other.StartsWith(verb + ' ', StringComparison.Ordinal))
            )
            .ToDictionary(verb => verb, IReadOnlyList<string> (verb) => OptionsOf(verb));
    }

    private static List<string> OptionsOf(string verb) =>
        [
            .. Approved
                .Read($"help/lit-{verb.Replace(' ', '-')}.txt")
                .Split('\n')
                .SkipWhile(line => line != "Options:")
                .Where(line => line.StartsWith("  -", StringComparison.Ordinal))
                .SelectMany(line => line.Trim().Split(' ', ',').TakeWhile(word => word.Length == 0 || word[0] == '-'))
                .Where(word => word.StartsWith("--", StringComparison.Ordinal)),
        ];

    private void MakeInputs()
    {
        var kinds = File.ReadAllLines(Path.Combine(bench.Folder, "small", "data", "classes.txt"));
        bench.Lines("kinds.txt", kinds);
        bench.Lines("colours.txt", File.ReadAllLines(Path.Combine(bench.Folder, "small", "data", "colours.txt")));
        bench.Lines("templates.txt", "a {}", "the {}");
        bench.Lines("texts.txt", "a cat", "a dog", "a horse");
        bench.Lines("texts6.txt", "a", "b", "c", "d", "e", "f");
        bench.Lines("which.txt", "0", "1", "2");
        bench.Lines("keys.txt", "p0", "p1", "p2", "p3", "p4", "p5");
        bench.Lines("options.json", """{"options": {"steps": 1, "batch": 8}}""");
        bench.Lines(
            "plan.json",
            """{"base": {"textTower": "text:width=16,depth=1,heads=2"}, "vary": {"lock": ["Lu"]}}"""
        );
        bench.Lines("kinds37.txt", kinds[..37]);
        bench.Lines("kinds16.txt", kinds[..16]);
        bench.Lines("names.json", System.Text.Json.JsonSerializer.Serialize(new { en = kinds[..37] }));
        File.Copy(
            Path.Combine(Root.Folder, "tests/LiT.Tests/Fixtures/reference/lit_two_towers_npz/lit_l16s_style.npz"),
            Path.Combine(bench.Folder, "two.npz")
        );
        Here.Run(bench.Folder, "data convert --data pairs.tar --out large --to folder".Split(' ')).Expect(0);
        bench.Lines("plain.tsv", [.. Enumerable.Range(0, 120).Select(i => $"{i:D10}.png\tdessin {i}")]);
        bench.Lines(
            "words.csv",
            [
                "key,text,language",
                .. Enumerable
                    .Range(0, 120)
                    .SelectMany(i =>
                        new[] { $"{i:D10}.png,Bild of a cat {i},de", $"pairs-{i:D6},Zeichnung of a cat {i},de" }
                    ),
            ]
        );
        bench.Lines(
            "two.csv",
            [
                "key,text,language",
                .. Enumerable
                    .Range(0, 9)
                    .SelectMany(i => new[] { $"pairs-{i:D6},dessin {i},fr", $"pairs-{i:D6},Zeichnung {i},de" }),
            ]
        );
        foreach (var (table, folder) in new[] { ("table.csv", "photos"), ("large.csv", "large") })
            bench.Lines(
                table,
                [
                    "file,words,kind,caption.en",
                    .. Directory
                        .GetFiles(Path.Combine(bench.Folder, folder, "00000"), "*.png")
                        .Order(StringComparer.Ordinal)
                        .Select(
                            (file, i) =>
                                $"{Path.GetFileName(file)},caption {i},{kinds[i % 6]},\"[\"\"a {kinds[i % 6]}\"\"]\""
                        ),
                ]
            );
        // A row as YFCC100M has it: the photo's id, its title, its address, and that it is no video.
        var address = File.ReadLines(Path.Combine(bench.Folder, "list.tsv")).First().Split('\t')[0];
        bench.Lines(
            "yfcc100m_dataset-0",
            string.Join(
                '\t',
                ["11", "7@N00", "me", "2008", "1218", "Canon", "A+dog", "", "", "", "", "", "", "http://x/11/", address]
            ) + "\tlicence\thttp://x/by/\t1\t1\ta\tb\tjpg\t0"
        );
        bench.Lines("ids.tsv", "5\t11\tabc");
        // Calibrated anew by a run of here; what others ask stays as it is.
        foreach (var file in Directory.GetFiles(Path.Combine(bench.Folder, "run", "model")))
        {
            Directory.CreateDirectory(Path.Combine(bench.Folder, "r-run"));
            File.Copy(file, Path.Combine(bench.Folder, "r-run", Path.GetFileName(file)));
        }
        Here.Run(
                bench.Folder,
                "embed --image-tower cifar-resnet:8 --data test.tar --out r-embed-views --views 2".Split(' ')
            )
            .Expect(0);
    }
}

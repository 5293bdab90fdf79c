"""Recall@1 of every language of a folder of captions, by each way of adding it to a model.

usage: python3 languages.py LIT TRAIN TEST PAIRS NAMES OUT [--ways pictures,aligned,both,one] [--languages de,ja]
       [--seeds 0,1]

TRAIN and TEST are stores of one tower whose captions the model's own text tower reads, PAIRS the tar that TRAIN was
embedded from; NAMES holds CODE.tsv files, a key, a tab and a text on each line. Ways: tuned on pictures; tuned on aligned captions (the training pictures' own), no
picture; on both at once; one text tower for all, on both. Every number is the mean of picture to name and name to
picture, in per cent. Finished numbers stand in OUT/recalls.csv and are not computed again; OUT/table.md is the table.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import tarfile

parser = argparse.ArgumentParser()
for name in ("lit", "train", "test", "pairs", "names", "out"):
    parser.add_argument(name)
parser.add_argument("--ways", default="pictures,aligned,both,one")
parser.add_argument("--languages")
parser.add_argument("--seeds", default="0")
parser.add_argument("--own", default="en", help="the language of the training pictures' own captions")
parser.add_argument("--threads", default="0")
parser.add_argument("--epochs", help="of 'one', in place of what is chosen")
asked = parser.parse_args()
ways, seeds = asked.ways.split(","), asked.seeds.split(",")
there = sorted(name[:-4] for name in os.listdir(asked.names) if name.endswith(".tsv") and name[:-4] != asked.own)
languages = asked.languages.split(",") if asked.languages else there
os.makedirs(asked.out, exist_ok=True)
record = os.path.join(asked.out, "recalls.csv")


def lit(*words):
    done = subprocess.run([asked.lit, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(" ".join(words) + "\n" + done.stderr)
    return done.stdout


def names(code):
    return os.path.join(asked.names, f"{code}.tsv")


def recall(model, *captions):
    report = json.loads(lit("eval", "retrieval", "--model", model, "--data", asked.test, "--json", *captions))
    report = report[0] if isinstance(report, list) else report
    return 50 * (report["imageToText"]["r1"] + report["textToImage"]["r1"])


def known():
    if not os.path.exists(record):
        return {}
    with open(record, encoding="utf-8", newline="") as file:
        return {(way, code, seed): float(number) for way, code, seed, number in csv.reader(file)}


def keep(way, code, seed, number):
    with open(record, "a", encoding="utf-8", newline="") as file:
        csv.writer(file).writerow([way, code, seed, f"{number:.2f}"])
    print(way, code, seed, f"{number:.1f}", flush=True)


def own_captions():
    """Keys and captions of the training pictures."""
    path = os.path.join(asked.out, "aligned.tsv")
    with tarfile.open(asked.pairs) as pairs, open(path, "w", encoding="utf-8") as file:
        for member in pairs:
            if member.name.endswith(".txt"):
                file.write(f"{member.name[:-4]}\t{pairs.extractfile(member).read().decode().strip()}\n")
    return path


def base(seed):
    model = os.path.join(asked.out, f"{asked.own}-{seed}")
    if not os.path.exists(os.path.join(model, "model", "model.json")):
        shutil.rmtree(model, ignore_errors=True)
        lit("tune", "--data", asked.train, "--language", asked.own, "--out", model, *common(seed))
    return model


def common(seed):
    return ["--seed", seed, "--threads", asked.threads]


def together():
    path = os.path.join(asked.out, "all.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        for code in there:
            with open(names(code), encoding="utf-8") as rows:
                for row in rows:
                    key, _, text = row.rstrip("\n").partition("\t")
                    file.write(json.dumps({"key": key, "text": text, "language": code}, ensure_ascii=False) + "\n")
    return path


def add(model, way, code, captions, seed):
    sources = {
        "pictures": ["--data", asked.train],
        "aligned": ["--aligned", own_captions()],
        "both": ["--data", asked.train, "--aligned", own_captions()],
    }
    more = ["--epochs", asked.epochs] if code == "all" and asked.epochs else []
    start = ["language", "add", "--model", model, "--language", code, "--captions", captions, "--replace", *more]
    lit(*start, *sources[way], *common(seed))


for seed in seeds:
    if (asked.own, asked.own, seed) not in known():
        keep(asked.own, asked.own, seed, recall(base(seed)))
    for way in ways:
        missing = [code for code in languages if (way, code, seed) not in known()]
        if way == "one" and missing:
            add(base(seed), "both", "all", together(), seed)
        for code in missing:
            if way != "one":
                add(base(seed), way, code, names(code), seed)
            keep(way, code, seed, recall(base(seed), "--captions", names(code), "--language", code))
            if way != "one":
                lit("language", "remove", "--model", base(seed), "--language", code)
        if way == "one" and missing:
            lit("language", "remove", "--model", base(seed), "--language", "mul")


def cell(way, code):
    found = [number for (w, c, _), number in known().items() if (w, c) == (way, code)]
    return "" if not found else f"{statistics.mean(found):.1f}" + (f" ({len(found)})" if len(found) > 1 else "")


shown = [way for way in ("pictures", "aligned", "both", "one") if any(w == way for w, _, _ in known())]
with open(os.path.join(asked.out, "table.md"), "w", encoding="utf-8") as file:
    file.write(f"| recall@1, mean of both directions | {' | '.join(shown)} |\n" + "| --- " * (len(shown) + 1) + "|\n")
    for code in there:
        file.write(f"| {code} | {' | '.join(cell(way, code) for way in shown)} |\n")
    for title, of in (("mean", statistics.mean), ("least", min)):
        means = []
        for way in shown:
            each = [[n for (w, c, _), n in known().items() if (w, c) == (way, code)] for code in there]
            each = [statistics.mean(one) for one in each if one]
            means.append(f"{of(each):.1f}" if len(each) == len(there) else f"{of(each):.1f} of {len(each)}")
        file.write(f"| **{title}** | {' | '.join(means)} |\n")
print(open(os.path.join(asked.out, "table.md"), encoding="utf-8").read())

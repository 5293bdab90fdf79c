"""Recall@1 of every language of a folder of captions, by each way of adding it to a model.

usage: python3 languages.py LIT TRAIN TEST PAIRS NAMES OUT [--ways pictures,aligned,both,one] [--languages de,ja]
       [--seeds 0,1] [--threads 1] [--tune "--image-head 256"]

TRAIN and TEST are stores of one tower whose captions the model's own text tower reads, PAIRS the tar that TRAIN was
embedded from; NAMES holds CODE.tsv files, a key, a tab and a text on each line. Ways: tuned on pictures; tuned on
aligned captions (the training pictures' own), no picture; on both at once; one text tower for all, on aligned captions
(one) or on both (one-both). Every number is the mean of picture to name and name to picture, in per cent.

Each number is made in a copy of the model. It stands in OUT/recalls.csv as soon as it is there, with OUT/table.md,
and is not computed again; a number that was begun goes on where it stopped. Several of these commands may work on one
OUT at a time: each takes what no other has in hand.
"""

import argparse
import csv
import fcntl
import json
import os
import shutil
import statistics
import subprocess
import tarfile
import time

parser = argparse.ArgumentParser()
for name in ("lit", "train", "test", "pairs", "names", "out"):
    parser.add_argument(name)
parser.add_argument("--ways", default="pictures,aligned,both,one")
parser.add_argument("--languages")
parser.add_argument("--seeds", default="0")
parser.add_argument("--own", default="en", help="the language of the training pictures' own captions")
parser.add_argument("--threads", default="0")
parser.add_argument("--epochs", help="of 'one', in place of what is chosen")
parser.add_argument("--tune", default="", help="further options of 'lit tune' for the model that languages are added to")
asked = parser.parse_args()
ways, seeds = asked.ways.split(","), asked.seeds.split(",")
every = ("pictures", "aligned", "both", "one", "one-both")
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


def recalls(model, *captions):
    """Recall@1 by language; of the data's own captions under None."""
    whole = json.loads(lit("eval", "retrieval", "--model", model, "--data", asked.test, "--json", *captions))
    each = [(one["language"], one["report"]) for one in whole["languages"]] if "languages" in whole else [(None, whole)]
    return {code: 50 * (one["imageToText"]["r1"] + one["textToImage"]["r1"]) for code, one in each}


def known():
    if not os.path.exists(record):
        return {}
    with open(record, encoding="utf-8", newline="") as file:
        return {(row[0], row[1], row[2]): float(row[3]) for row in csv.reader(file) if len(row) == 5}


def keep(way, code, seed, number, seconds):
    with open(record, "a", encoding="utf-8", newline="") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        csv.writer(file).writerow([way, code, seed, f"{number:.2f}", f"{seconds:.0f}"])
    print(way, code, seed, f"{number:.1f}", f"{seconds:.0f} s", flush=True)
    tabulate()


class Taken:
    """What one command has in hand; free again when it ends, however it ends."""

    def __init__(self, name, wait=False):
        self.file = open(os.path.join(asked.out, f".{name}.lock"), "w")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            self.mine = True
        except BlockingIOError:
            self.mine = False

    def __enter__(self):
        return self.mine

    def __exit__(self, *_):
        self.file.close()


def written(path, lines):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.writelines(lines)
    os.replace(path + ".new", path)
    return path


def own_captions():
    """Keys and captions of the training pictures."""
    path = os.path.join(asked.out, "aligned.tsv")
    if os.path.exists(path):
        return path
    with tarfile.open(asked.pairs) as pairs:
        texts = (
            f"{one.name[:-4]}\t{pairs.extractfile(one).read().decode().strip()}\n"
            for one in pairs
            if one.name.endswith(".txt")
        )
        return written(path, list(texts))


def together():
    """The captions of all languages in one file."""
    path = os.path.join(asked.out, "all.jsonl")
    if os.path.exists(path):
        return path
    lines = []
    for code in there:
        with open(names(code), encoding="utf-8") as rows:
            for row in rows:
                key, _, text = row.rstrip("\n").partition("\t")
                lines.append(json.dumps({"key": key, "text": text, "language": code}, ensure_ascii=False) + "\n")
    return written(path, lines)


def common(seed):
    return ["--seed", seed, "--threads", asked.threads]


def base(seed):
    """The model that the languages are added to."""
    model = os.path.join(asked.out, f"{asked.own}-{seed}")
    with Taken(f"{asked.own}-{seed}", wait=True):
        if (asked.own, asked.own, seed) not in known():
            began = time.monotonic()
            lit("tune", "--data", asked.train, "--language", asked.own, "--out", model, *asked.tune.split(), *common(seed))
            seconds = time.monotonic() - began
            keep(asked.own, asked.own, seed, recalls(model)[None], seconds)
    return model


def measured(way, code, seed):
    """One number, or with 'one' those of all languages."""
    one = code == "all"
    model = os.path.join(asked.out, f"{way}-{code}-{seed}")
    if not os.path.exists(model):
        shutil.copytree(os.path.join(base(seed), "model"), model + ".new")
        os.replace(model + ".new", model)
    sources = ["--aligned", own_captions()] if way in ("aligned", "both", "one", "one-both") else []
    sources += ["--data", asked.train] if way in ("pictures", "both", "one-both") else []
    sources += ["--epochs", asked.epochs] if one and asked.epochs else []
    captions = together() if one else names(code)
    began = time.monotonic()
    lit("language", "add", "--model", model, "--language", code, "--captions", captions, "--replace", *sources,
        *common(seed))
    seconds = time.monotonic() - began
    for said, number in recalls(model, "--captions", captions, "--language", code).items():
        keep(way, said or code, seed, number, seconds)
    shutil.rmtree(model)


def tabulate():
    numbers = known()
    shown = [way for way in every if any(w == way for w, _, _ in numbers)]

    def found(way, code):
        return [number for (w, c, _), number in numbers.items() if (w, c) == (way, code)]

    def cell(way, code):
        all_seeds = found(way, code)
        return f"{statistics.mean(all_seeds):.1f}" + (f" ({len(all_seeds)})" if len(all_seeds) > 1 else "") if all_seeds else ""

    lines = [f"| recall@1, mean of both directions | {' | '.join(shown)} |\n", "| --- " * (len(shown) + 1) + "|\n"]
    lines += [f"| {code} | {' | '.join(cell(way, code) for way in shown)} |\n" for code in there]
    for title, of in (("mean", statistics.mean), ("least", min)):
        means = []
        for way in shown:
            each = [statistics.mean(found(way, code)) for code in there if found(way, code)]
            means.append((f"{of(each):.1f}" if each else "") + ("" if len(each) == len(there) else f" of {len(each)}"))
        lines.append(f"| **{title}** | {' | '.join(means)} |\n")
    written(os.path.join(asked.out, "table.md"), lines)


for seed in seeds:
    for way in ways:
        for code in ["all"] if way.startswith("one") else languages:
            with Taken(f"{way}-{code}-{seed}") as mine:
                if mine and any((way, one, seed) not in known() for one in (there if code == "all" else [code])):
                    measured(way, code, seed)
tabulate()
with open(os.path.join(asked.out, "table.md"), encoding="utf-8") as file:
    print(file.read())

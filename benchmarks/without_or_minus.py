"""What --without and --minus leave out, and what they take away besides.

usage: python3 without_or_minus.py LIT MODEL STORE QUICKSTART_DATA

Asks for "something COLOUR" in every colour of the quickstart, with each of its first twelve classes left out, in a store
that has the class and in the same store without it (a filter). Counts, in the first fifty: pictures of the class before
and after; others that stay; and, where the class is absent, pictures that stay.
"""

import json
import subprocess
import sys

TOP, CLASSES = 50, 12
lit, model, store, data = sys.argv[1:5]


def lines(name):
    with open(f"{data}/{name}", encoding="utf-8") as file:
        return [line.strip() for line in file if line.strip()]


def ask(*more):
    texts = [f"something {colour}" for colour in lines("colours.txt")]
    command = [lit, "search", *texts, "--each", "--model", model, "--data", store, "--top", str(TOP), "--json", *more]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return [{r["key"]: r["columns"].get("kind") for r in answer["results"]} for answer in json.loads(done.stdout)]


before = ask()
sums = {"minus": [0] * 6, "without": [0] * 6}
for kind in lines("classes.txt")[:CLASSES]:
    absent = ask("--where", f"kind != '{kind}'")
    for way, sum in sums.items():
        here = ask(f"--{way}", f"a {kind}")
        nowhere = ask(f"--{way}", f"a {kind}", "--where", f"kind != '{kind}'")
        for b, h, a, n in zip(before, here, absent, nowhere):
            others = {key for key in b if b[key] != kind}
            sum[0] += len(b) - len(others)
            sum[1] += list(h.values()).count(kind)
            sum[2] += len(others)
            sum[3] += len(others & h.keys())
            sum[4] += len(a)
            sum[5] += len(a.keys() & n.keys())
for way, (of_it, still, others, stay, all, kept) in sums.items():
    print(f"--{way}: of the class {of_it} before, {still} after; of others {stay / others:.1%} stay; "
          f"where it is absent {kept / all:.1%} stay")

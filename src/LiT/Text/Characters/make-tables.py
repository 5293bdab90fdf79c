"""Writes unicode-15.0.bin, the Unicode Character Database (version 15.0) in the form UnicodeTables.cs reads.

Run with Python 3.12, whose unicodedata is version 15.0, and any perl from 5.36 on, which knows the version in which a
character appeared:  python3.12 make-tables.py
The stream is zlib-compressed unsigned LEB128 numbers, five tables after one another:
  1. runs over all code points: length, general category | casing class << 5
  2. count; first code point (as a step from the one before), canonical combining class
  3. count; code point step, kind (0 canonical, 1 canonical without composition, 2 compatibility), length, code points
  4. count; code point step, length, code points: full lower case where it differs
  5. count; code point step, run length, length, code points: NFKC_Casefold where it differs (runs share a mapping)
  6. count; code point step, age of the run that begins there (index into AGES)
"""
import subprocess
import unicodedata as u
import zlib

assert u.unidata_version == "15.0.0", u.unidata_version
ALL = range(0x110000)
SURROGATES = range(0xD800, 0xE000)
# The order of System.Globalization.UnicodeCategory.
CATEGORIES = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Cn".split()
# DerivedCoreProperties.txt, Default_Ignorable_Code_Point.
IGNORABLE = [(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
             (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F),
             (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
             (0xE0000, 0xE0FFF)]
# The versions that tokenizers are pinned to; a character has the first of these in which it is assigned.
AGES = ["8.0", "9.0", "14.0", "15.0"]


def varint(out, n):
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)


def casing(c):
    """0 neither, 1 cased, 2 case-ignorable: seen from what Python makes of a final sigma beside the character."""
    ch = chr(c)
    if c in SURROGATES:
        return 0
    if (ch + "\u03a3").lower().endswith("\u03c2"):
        return 1
    return 2 if ("A" + ch + "\u03a3").lower().endswith("\u03c2") else 0


def ignorable(c):
    return any(a <= c <= b for a, b in IGNORABLE)


def nfkc_casefold(ch):
    """Unicode standard, R5 of section 3.13, for one character."""
    while True:
        kept = "".join(x for x in ch if not ignorable(ord(x)))
        folded = u.normalize("NFKC", u.normalize("NFD", kept).casefold())
        if folded == ch:
            return ch
        ch = folded


out = bytearray()

classes = [CATEGORIES.index(u.category(chr(c))) | casing(c) << 5 for c in ALL]
start = 0
for c in range(1, 0x110001):
    if c == 0x110000 or classes[c] != classes[start]:
        varint(out, c - start)
        varint(out, classes[start])
        start = c


def table(entries):
    varint(out, len(entries))
    last = 0
    for c, *numbers, text in entries:
        varint(out, c - last)
        last = c
        for n in numbers:
            varint(out, n)
        if text is not None:
            varint(out, len(text))
            for ch in text:
                varint(out, ord(ch))


table([(c, u.combining(chr(c)), None) for c in ALL if u.combining(chr(c))])

decompositions = []
for c in ALL:
    raw = u.decomposition(chr(c))
    if not raw:
        continue
    *tag, = [p for p in raw.split() if p.startswith("<")]
    text = "".join(chr(int(p, 16)) for p in raw.split() if not p.startswith("<"))
    kind = 2 if tag else 0 if u.normalize("NFC", chr(c)) == chr(c) else 1
    decompositions.append((c, kind, text))
table(decompositions)

table([(c, chr(c).lower()) for c in ALL if chr(c).lower() != chr(c)])

folded = []
for c in ALL:
    if c in SURROGATES or (text := nfkc_casefold(chr(c))) == chr(c):
        continue
    if folded and folded[-1][2] == text and folded[-1][0] + folded[-1][1] == c:
        folded[-1][1] += 1
    else:
        folded.append([c, 1, text])
table(folded)

script = "no warnings; for $c (0..0x10ffff) { $_ = chr $c; print " + " : ".join(
    rf"/\p{{Present_In: {age}}}/ ? {i}" for i, age in enumerate(AGES[:-1])) + " : 3 }"
ages = [int(age) for age in subprocess.run(["perl", "-e", script], capture_output=True, text=True, check=True).stdout]
table([(c, ages[c], None) for c in ALL if c == 0 or ages[c] != ages[c - 1]])

with open("unicode-15.0.bin", "wb") as file:
    file.write(zlib.compress(bytes(out), 9))
print(len(out), "bytes,", len(zlib.compress(bytes(out), 9)), "compressed")

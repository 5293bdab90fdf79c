"""Writes html-entities.bin: the named characters of HTML 5 as Python's html.entities.html5 has them, then the upper-case
names that ftfy accepts beside them.

zlib-compressed UTF-8 lines "name TAB text"; an empty line stands between the two lists.
"""
import html
import html.entities
import zlib

names = sorted(html.entities.html5.items())
upper = []
for name, text in names:
    if name.endswith(";") and name == name.lower() and html.unescape("&" + name.upper()) == "&" + name.upper():
        upper.append((name.upper(), text.upper()))

lines = [f"{name}\t{text}" for name, text in names] + [""] + [f"{name}\t{text}" for name, text in upper]
assert not any("\n" in text for name, text in names if name != "NewLine;")
data = "\n".join(line.replace("\n", "\\n") for line in lines).encode()
with open("html-entities.bin", "wb") as file:
    file.write(zlib.compress(data, 9))
print(len(names), len(upper), len(zlib.compress(data, 9)))

"""Writes texts to compare tokenizers on, a JSON string a line.

python reference_texts.py cldr FOLDER        the texts of the CLDR annotation files under FOLDER
                                             (annotations*/*.xml): for each file the phrases and
                                             emoji that no file before it had, a line each
python reference_texts.py random COUNT SEED  short random strings that mix scripts, combining
                                             marks, white space, special tokens and plain noise
"""

import json
import random
import sys
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def cldr(folder):
    seen = set()
    for file in sorted(folder.glob("annotations*/*.xml")):
        phrases = {}
        for annotation in ElementTree.parse(file).getroot().iter("annotation"):
            emoji = annotation.get("cp") or ""
            for phrase in [emoji, *(annotation.text or "").split(" | ")]:
                if phrase not in seen:
                    seen.add(phrase)
                    phrases[phrase] = None
        yield "\n".join(phrases)


def random_strings(count, seed):
    source = random.Random(seed)
    scalars = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    assigned = [c for c in scalars if unicodedata.category(chr(c)) not in ("Cn", "Co")]
    decomposable = [
        c
        for c in assigned
        if unicodedata.decomposition(chr(c))
        and not unicodedata.decomposition(chr(c)).startswith("<")
    ]
    pools = [
        range(0x20, 0x7F),
        range(0x20, 0x7F),
        b"'sStTrReEvVmMlLdD \xa0",
        b" \t\n\r\n  ",
        [
            0x09,
            0x0A,
            0x0B,
            0x0C,
            0x0D,
            0x1C,
            0x20,
            0x85,
            0xA0,
            0x1680,
            0x180E,
            0x2003,
            0x200B,
            0x2028,
            0x2029,
            0x202F,
            0x205F,
            0x3000,
            0xFEFF,
        ],
        range(0xA0, 0x250),
        range(0x370, 0x530),
        range(0x590, 0x780),
        range(0x900, 0xE00),
        range(0xE00, 0x1000),
        [*range(0x1100, 0x1200), *range(0xAC00, 0xAC40)],
        range(0x1E00, 0x2000),
        range(0x3040, 0x3100),
        range(0x4E00, 0x9FFF),
        range(0x1F300, 0x1FAFF),
        [0x200D, 0xFE0F, 0x1F468, 0x1F469, 0x1F3FD, 0x2764],
        [c for c in assigned if unicodedata.category(chr(c))[0] == "M"],
        [c for c in assigned if unicodedata.combining(chr(c))],
        [c for c in assigned if unicodedata.category(chr(c))[0] == "N"],
        decomposable,
        assigned,
        scalars,
    ]
    specials = ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|im_end|", "<think>", "\u017f"]
    for _ in range(count):
        chosen = source.sample(pools, source.randint(1, 4))
        parts = []
        for _ in range(source.randint(1, 40)):
            if source.random() < 0.02:
                parts.append(source.choice(specials))
            else:
                parts.append(chr(source.choice(source.choice(chosen))))
        yield "".join(parts)


if __name__ == "__main__":
    texts = (
        cldr(Path(sys.argv[2]))
        if sys.argv[1] == "cldr"
        else random_strings(int(sys.argv[2]), int(sys.argv[3]))
    )
    for text in texts:
        print(json.dumps(text))

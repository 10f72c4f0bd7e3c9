"""Writes Golden/*.json: what the reference tokenizer itself answers on chosen inputs.

    python make_golden.py ../../../Models/emoji/tokenizer ../Golden

Needs transformers 5.23.0 (and jinja2). `texts.json` and `chats.json` are answers of
`AutoTokenizer.from_pretrained` for the given folder; `folders.json` holds small tokenizer folders
written in every way the reference reads, with its answers for each.
"""

import json
import sys
import tempfile
from pathlib import Path

from transformers import AutoTokenizer, Qwen2Tokenizer

from golden_inputs import CHATS, CORNERS, PROBES
from reference_ids import PATTERN, load
from reference_texts import random_strings

LETTERS = "abcdefghijklmnopqrstuvwxyz\u0120\u010a.!\u00c3\u00a9\u00cc\u0123<|>_"
WORDS = [
    ("a", "b"),
    ("ab", "c"),
    ("\u0120", "a"),
    ("\u0120a", "b"),
    ("c", "d"),
    ("abc", "d"),
    ("b", "c"),
    ("\u00c3", "\u00a9"),
    ("e", "n"),
    ("en", "d"),
    ("\u0120", "\u0120"),
]


def vocabulary(extra=()):
    tokens = list(dict.fromkeys([*LETTERS, *(a + b for a, b in WORDS), *extra]))
    return {token: index for index, token in enumerate(tokens)}


def document(**changes):
    whole = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {
                    "type": "Split",
                    "pattern": {"Regex": PATTERN},
                    "behavior": "Isolated",
                    "invert": False,
                },
                {
                    "type": "ByteLevel",
                    "add_prefix_space": False,
                    "trim_offsets": True,
                    "use_regex": False,
                },
            ],
        },
        "post_processor": None,
        "decoder": {
            "type": "ByteLevel",
            "add_prefix_space": True,
            "trim_offsets": True,
            "use_regex": True,
        },
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary(),
            "merges": [list(pair) for pair in WORDS],
        },
    }
    whole.update(changes)
    return whole


def token(content, identifier=None, **flags):
    whole = {
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": False,
        **flags,
    }
    return whole if identifier is None else {"id": identifier, **whole}


def folders():
    size = len(vocabulary())
    merges = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in WORDS)
    files = {"vocab.json": vocabulary(), "merges.txt": merges}
    spaced = document()
    spaced["model"]["merges"] = [" ".join(pair) for pair in WORDS]
    fast = {"tokenizer_class": "PreTrainedTokenizerFast"}
    qwen = {"tokenizer_class": "Qwen2Tokenizer"}
    flagged = [
        token("<x>", size, lstrip=True),
        token("<y>", size + 1, rstrip=True),
        token("<img>", size + 2, single_word=True),
        token("<\u00e9>", size + 3, normalized=True),
        token("<yy>", size + 4, special=True),
        token("end", vocabulary()["end"], normalized=True, single_word=True),
    ]
    return {
        "bare document": {"tokenizer.json": document(), "tokenizer_config.json": qwen},
        "merges as strings": {"tokenizer.json": spaced, "tokenizer_config.json": qwen},
        "later of equal merges": {
            "tokenizer.json": document(
                model={
                    **document()["model"],
                    "merges": [["a", "b"], ["b", "c"], ["a", "b"], ["ab", "c"]],
                }
            ),
            "tokenizer_config.json": qwen,
        },
        "flags": {"tokenizer.json": document(added_tokens=flagged), "tokenizer_config.json": qwen},
        "flags, read as the document says": {
            "tokenizer.json": document(added_tokens=flagged),
            "tokenizer_config.json": fast,
        },
        "no normalizer, read as the document says": {
            "tokenizer.json": document(normalizer=None, added_tokens=flagged),
            "tokenizer_config.json": fast,
        },
        "no normalizer, read as Qwen2": {
            "tokenizer.json": document(normalizer=None),
            "tokenizer_config.json": qwen,
        },
        "sequence of normalizers": {
            "tokenizer.json": document(
                normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}]}
            ),
            "tokenizer_config.json": fast,
        },
        "decomposed added token": {
            "tokenizer.json": document(added_tokens=[token("<e\u0301>", size, normalized=True)]),
            "tokenizer_config.json": qwen,
        },
        "added token in the vocabulary": {
            "tokenizer.json": document(
                model={**document()["model"], "vocab": vocabulary(["<x>"])},
                added_tokens=[token("<x>", size, special=True)],
            ),
            "tokenizer_config.json": qwen,
        },
        "named token loses its flags": {
            "tokenizer.json": document(added_tokens=[token("<x>", size, lstrip=True, rstrip=True)]),
            "tokenizer_config.json": {
                **qwen,
                "eos_token": "<x>",
                "pad_token": None,
                "unk_token": None,
            },
        },
        "named token keeps its flags": {
            "tokenizer.json": document(added_tokens=[token("<x>", size, lstrip=True, rstrip=True)]),
            "tokenizer_config.json": {**fast, "eos_token": "<x>"},
        },
        "undeclared named tokens": {
            "tokenizer.json": document(),
            "tokenizer_config.json": {
                **qwen,
                "bos_token": "<x>",
                "eos_token": "<y>",
                "mask_token": "<img>",
                "extra_special_tokens": ["<yy>"],
                "image_token": "<|im_start|>",
            },
        },
        "additional special tokens": {
            "tokenizer.json": document(),
            "tokenizer_config.json": {
                **qwen,
                "pad_token": "<y>",
                "additional_special_tokens": ["<x>", "<yy>"],
            },
        },
        "the configuration's added tokens win": {
            "tokenizer.json": document(added_tokens=[token("<x>", size, special=True)]),
            "tokenizer_config.json": {
                **qwen,
                "pad_token": None,
                "unk_token": None,
                "eos_token": None,
                "added_tokens_decoder": {str(size): token("<y>", special=True)},
            },
        },
        "split special tokens": {
            "tokenizer.json": document(added_tokens=flagged),
            "tokenizer_config.json": {**qwen, "split_special_tokens": True},
        },
        "vocabulary and merges": {**files, "tokenizer_config.json": qwen},
        "vocabulary and merges, no configuration": files,
        "vocabulary, merges and declared tokens": {
            **files,
            "tokenizer_config.json": {
                **qwen,
                "add_bos_token": False,
                "unk_token": None,
                "pad_token": "<|endoftext|>",
                "added_tokens_decoder": {
                    str(size): token("<|endoftext|>", special=True),
                    str(size + 1): token("<x>"),
                    str(size + 2): token("<y>", rstrip=True),
                },
            },
        },
        "special tokens map and added tokens": {
            **files,
            "tokenizer_config.json": {**qwen, "eos_token": "<yy>"},
            "special_tokens_map.json": {
                "eos_token": {**token("<|im_end|>"), "normalized": True},
                "pad_token": "<|endoftext|>",
                "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
            },
            "added_tokens.json": {
                "<|im_end|>": size + 1,
                "<|endoftext|>": size,
                "<\u00e9>": size + 3,
                "<x>": size + 2,
            },
        },
        "document beside vocabulary": {
            **files,
            "merges.txt": "#version: 0.2\n",
            "tokenizer.json": document(),
            "tokenizer_config.json": qwen,
        },
        "truncation on the left": {
            "tokenizer.json": document(),
            "tokenizer_config.json": {**qwen, "truncation_side": "left"},
        },
    }


def answers(tokenizer, texts):
    rows = []
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        rows.append(
            {
                "text": text,
                "ids": ids,
                "decoded": tokenizer.decode(ids),
                "decodedSkipping": tokenizer.decode(ids, skip_special_tokens=True),
            }
        )
    return rows


def chat(tokenizer, prompt, limit=512):
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=True,
    )
    padding = "max_length" if tokenizer.pad_token else False
    whole = tokenizer([text], padding=padding, max_length=limit, truncation=True)
    mask = whole["attention_mask"][0]
    return [id for id, kept in zip(whole["input_ids"][0], mask) if kept]


def write(file, rows):
    body = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    file.write_text(f"[\n{body}\n]\n")


def main(folder, output):
    output.mkdir(exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = CORNERS + list(random_strings(60, 1))
    rows = answers(tokenizer, texts)
    plain = load(Path(folder))
    assert all(plain.encode(row["text"]).ids == row["ids"] for row in rows)
    same = Qwen2Tokenizer.from_pretrained(folder)
    assert all(same(row["text"])["input_ids"] == row["ids"] for row in rows)
    write(output / "texts.json", rows)
    write(output / "chats.json", [{"prompt": p, "ids": chat(tokenizer, p)} for p in CHATS])

    cases = []
    template = (Path(folder) / "chat_template.jinja").read_text()
    for name, files in folders().items():
        with tempfile.TemporaryDirectory() as place:
            for file, content in files.items():
                text = content if isinstance(content, str) else json.dumps(content)
                (Path(place) / file).write_text(text)
            kind = (
                AutoTokenizer
                if files.get("tokenizer_config.json", {}).get("tokenizer_class")
                == "PreTrainedTokenizerFast"
                else Qwen2Tokenizer
            )
            small = kind.from_pretrained(place)
            small.chat_template = template
            cases.append(
                {
                    "name": name,
                    "size": max(small.get_vocab().values()) + 1,
                    "answers": answers(small, PROBES),
                    "chat": chat(small, "abcd " * 9, 20),
                    "files": {
                        file: content if isinstance(content, str) else json.dumps(content)
                        for file, content in files.items()
                    },
                }
            )
    write(output / "folders.json", cases)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

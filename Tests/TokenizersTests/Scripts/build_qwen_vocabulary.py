"""Rebuilds the real Qwen vocabulary as a tokenizer folder, without downloading a model.

The PyPI package `dashscope` carries `resources/qwen.tiktoken`: every token with its rank. A rank is
the token's id, and the merge that makes a token joins the two pieces into which the lower ranks
alone break it. The special tokens and their flags are those of the published Qwen3 tokenizers.

    python build_qwen_vocabulary.py FOLDER          writes vocab.json, merges.txt and
                                                    tokenizer_config.json
    python build_qwen_vocabulary.py FOLDER --json   writes tokenizer.json instead of the first two
                                                    (needs `tokenizers`)
"""

import base64
import importlib.util
import json
import sys
from pathlib import Path

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL = (
    "<|endoftext|> <|im_start|> <|im_end|> <|object_ref_start|> <|object_ref_end|> <|box_start|> "
    "<|box_end|> <|quad_start|> <|quad_end|> <|vision_start|> <|vision_end|> <|vision_pad|> "
    "<|image_pad|> <|video_pad|>"
).split()
ORDINARY = (
    "<tool_call> </tool_call> <|fim_prefix|> <|fim_middle|> <|fim_suffix|> <|fim_pad|> "
    "<|repo_name|> <|file_sep|> <tool_response> </tool_response> <think> </think>"
).split()


def byte_alphabet():
    """The printable character that stands for each byte in a byte-level vocabulary."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    names, extra = {}, 0
    for byte in range(256):
        if byte in printable:
            names[byte] = chr(byte)
        else:
            names[byte] = chr(0x100 + extra)
            extra += 1
    return names


def halves(token, ranks):
    """The two pieces whose merge makes `token`."""
    pieces = [token[i : i + 1] for i in range(len(token))]
    limit = ranks[token]
    while True:
        best, place = limit, None
        for i in range(len(pieces) - 1):
            rank = ranks.get(pieces[i] + pieces[i + 1], limit)
            if rank < best:
                best, place = rank, i
        if place is None:
            break
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
    if len(pieces) != 2:
        raise SystemExit(f"{token!r} is not made by one merge")
    return pieces


def added_token(content, special):
    return {
        "content": content,
        "lstrip": False,
        "normalized": False,
        "rstrip": False,
        "single_word": False,
        "special": special,
    }


def main(folder, as_json):
    spec = importlib.util.find_spec("dashscope")
    if spec is None:
        raise SystemExit("install the package dashscope first")
    file = Path(spec.origin).parent / "resources" / "qwen.tiktoken"
    ranks = {}
    for line in file.read_text().splitlines():
        token, rank = line.split()
        ranks[base64.b64decode(token)] = int(rank)
    names = byte_alphabet()
    spell = lambda token: "".join(names[byte] for byte in token)
    vocabulary = {spell(token): rank for token, rank in ranks.items()}
    merges = [
        tuple(map(spell, halves(token, ranks)))
        for token, _ in sorted(ranks.items(), key=lambda item: item[1])
        if len(token) > 1
    ]
    added = {
        str(len(ranks) + index): added_token(content, content in SPECIAL)
        for index, content in enumerate(SPECIAL + ORDINARY)
    }

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": added,
        "additional_special_tokens": SPECIAL[1:],
        "bos_token": None,
        "clean_up_tokenization_spaces": False,
        "eos_token": "<|im_end|>",
        "errors": "replace",
        "model_max_length": 131072,
        "pad_token": "<|endoftext|>",
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2))
    if as_json:
        from tokenizers import (
            AddedToken,
            Regex,
            Tokenizer,
            decoders,
            models,
            normalizers,
            pre_tokenizers,
            processors,
        )

        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        tokenizer.normalizer = normalizers.NFC()
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
        tokenizer.add_tokens([AddedToken(**token) for token in added.values()])
        tokenizer.save(str(folder / "tokenizer.json"))
    else:
        (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
        lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--json" in sys.argv[2:])

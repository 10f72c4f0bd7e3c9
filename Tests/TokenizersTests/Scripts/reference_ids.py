"""Encodes texts with the Hugging Face tokenizer, for comparison with the Swift one.

    python reference_ids.py FOLDER < texts.jsonl > ids.jsonl
    python reference_ids.py FOLDER --pieces < texts.jsonl > pieces.jsonl
    python reference_ids.py FOLDER --decode < ids.jsonl > texts.jsonl

Reads a JSON string a line and writes its ids as a JSON array a line; or the pieces that the text,
normalized, is split into before merging; or the text of ids, special tokens kept. FOLDER holds
tokenizer.json, or vocab.json, merges.txt and a tokenizer_config.json with "added_tokens_decoder".
Needs only `tokenizers` (0.23.3 was used): the tokenizer is put together as `Qwen2Tokenizer` of
transformers 5.23.0 does it.
"""

import json
import sys
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
BATCH = 64


def load(folder):
    whole = folder / "tokenizer.json"
    if whole.is_file():
        return Tokenizer.from_file(str(whole))
    model = models.BPE.from_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    config = json.loads((folder / "tokenizer_config.json").read_text())
    added = sorted(config["added_tokens_decoder"].items(), key=lambda item: int(item[0]))
    tokenizer.add_tokens([AddedToken(**token) for _, token in added])
    return tokenizer


def main(folder, mode):
    tokenizer = load(folder)
    lines = [json.loads(line) for line in sys.stdin.buffer]
    if mode == "--decode":
        for ids in lines:
            print(json.dumps(tokenizer.decode(ids, skip_special_tokens=False)))
        return
    if mode == "--pieces":
        split = pre_tokenizers.Split(Regex(PATTERN), behavior="isolated")
        for text in lines:
            normal = tokenizer.normalizer.normalize_str(text)
            print(json.dumps([piece for piece, _ in split.pre_tokenize_str(normal)]))
        return
    for start in range(0, len(lines), BATCH):
        for encoding in tokenizer.encode_batch_fast(lines[start : start + BATCH]):
            print(json.dumps(encoding.ids, separators=(",", ":")))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None)

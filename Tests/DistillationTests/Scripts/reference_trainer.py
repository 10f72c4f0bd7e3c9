"""Trains the reference's byte-level BPE on texts and prints its merges and the texts' ids.

    reference_trainer.py TEXTS.jsonl SIZE TOKENIZER.json

TEXTS.jsonl: a JSON string a line. SIZE: tokens without the special ones. TOKENIZER.json is a file
of ours: its own normalizer and pre-tokenizer are used, and its ids for each text are printed too.
"""

import json
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers


def main(texts_path, size, own_path):
    with open(texts_path, encoding="utf-8") as lines:
        texts = [json.loads(line) for line in lines]
    own = Tokenizer.from_file(own_path)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = own.normalizer
    tokenizer.pre_tokenizer = own.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=int(size), min_frequency=2, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    answer = {
        "merges": model["merges"],
        "vocab": model["vocab"],
        "ids": [own.encode(text, add_special_tokens=False).ids for text in texts],
    }
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])

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

from reference_ids import load
from reference_texts import random_strings

CORNERS = [
    "", " ", "  ", "   ", "a", " a", "  a", "   a", "a ", "a  ", "a   b", "\t", "\ta", " \ta", "\t a",
    "\n", "\n\n", "\r", "\r\n", "\r\n\r\n", " \n", "\n ", " \n ", "  \n\n  ", "a\nb", "a \n b",
    "a\r\nb", "a \r\n  b", "\n\n\na", "  \n  a", "\n \n\t\n  x", "x\u2028y", "x \u2028 \u2029y", "\x0b\x0c",
    "\x1c\x1d\x1e\x1f", "\x85", "a\x85b", "\xa0", "a\xa0b", "\xa0\xa0b", " \xa0b", "\u1680x", "\u180ex",
    "\u2000\u2001\u2009\u200ax", "\u200bx", "\u202fx", "\u205fx", "\u3000x", "\u3000\u3000", "\ufeffx",
    "it's", "IT'S", "it'S", "it'\u017f", "it'\u017f it", "'\u017f", "'\u212a", "we're", "WE'RE", "we'rE",
    "I've", "I'm", "they'll", "they'Ll", "he'd", "don't", "don'T", "'tis", "'sup", "'", "''", "'''s",
    "'r", "'l", "'v", "'re're", "x'sy", "''s", " 's", "\u2019s", "it\u2019s", "'\u00df", "a's'b", "'L", "'lL!",
    "!", "!!", " !", " !!", "!a", "!!a", " !a", "a!", "a!b", "!\n", "!\r\n\r\n", " !\n\n ", "! \n", "...\n\n...",
    "(a)", " (a)", "- a", "a-b", "--a", "#1", "# 1", "1", "12", "123", " 1", " 12", "1a", "a1", "1 a 2",
    "3.14", "1,000", "$5", "5%", "\u0661\u0662\u0663", "\u0967\u0968\u0969", "\u216b", "\xb2\xb3\xbd", "\u4e00\u4e8c\u4e09",
    "\u3007", "\U0001d7d8\U0001d7d9", "\u0bf0", "\u2460", "\u1369", "\U00010107", "x\u0660y",
    "caf\u00e9", "cafe\u0301", "\u0301", "\u0301a", "a\u0301\u0323", "a\u0323\u0301", "\u1e9b\u0323",
    "\u212b", "\u2126", "\u0958", "\u0344", "\u0340", "\u1fef", "\u037e", "\u2adc", "\U0001d15e", "\uf900",
    "\u0041\u030a", "q\u0307\u0323", "\u1100\u1161\u11a8", "\u1100\u1161", "\uac00\u11a8", "\uac01\u11a8",
    "\u1112\u1161\u11ab\u1100\u1173\u11af", "\u11a8", "\u1161", "\u0915\u093c", "\u09c7\u09be", "\u0f71\u0f72", "\u0f73",
    "\u0e01\u0e33", "\u05e9\u05c1\u05bc", "\u05e9\u05bc\u05c1", "\u0627\u0653", "\u1df6\u0301\u0323",
    "a\u1abf\u0323", "a\u0323\u1abf", "\U00011938", "\U00011935\U00011930", "\u30ab\u3099", "\u30ac",
    "\u3046\u3099", "e\u0302\u0301", "\u1ebf", "Vie\u0323\u0302t Nam", "Vi\u1ec7t", "Vi\u00ea\u0323t",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd", "\u2764\ufe0f",
    "\U0001f1fa\U0001f1f3", "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "1\ufe0f\u20e3", "\U0001f600\U0001f600\U0001f600", "a\U0001f600b", " \U0001f600", "\U0001f600\n\n",
    "\x00", "a\x00b", "\x00\x00\n", "\x7f", "\x01\x02", "\ue000", "\uf8ff", "\U000f0000", "\U0010fffd", "\ufffd",
    "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff", "\u0378", "\u088f", "\u1c89", "\ua7cb", "\U00010d40",
    "\U00011de0", "\U000323b0", "\u0897", "a\u0897b", "\u3400\u4dbf", "\U00020000", "\u9fff",
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|im_start|><|im_end|>", " <|im_end|> ",
    "a<|im_end|>b", "a <|im_end|> b", "\n<|im_end|>\n", "<|im_end|", "<|im_end>|", "<<|im_end|>>",
    "<|im_<|im_end|>end|>", "<|IM_END|>", "<|im_end|>'s", "e<|im_end|>\u0301", "<|im_start|>user\nhi<|im_end|>\n",
    "<|endoftext|><|endoftext|>x", "<think>", "</think>", "<tool_call>", "<|im\u005fend|>", "\uff1c|im_end|>",
    "The quick brown fox jumps over the lazy dog.", "Hello, world! It's 2024\u2026",
    "\u4eca\u5929\u5929\u6c14\u5f88\u597d\u3002", "\u4f60\u597d\uff0c\u4e16\u754c\uff01 hello",
    "\u3053\u3093\u306b\u3061\u306f\u4e16\u754c", "\uc548\ub155\ud558\uc138\uc694", "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01",
    "\u10d2\u10d0\u10db\u10d0\u10e0\u10ef\u10dd\u10d1\u10d0", "\u1780\u17d2\u1798\u17c2\u179a", "\u0420\u043e\u0441\u0441\u0438\u044f 1991\u0433.",
    "def f(x):\n    return x ** 2  # square\n", "\tif (a && b) {\r\n\t\tc();\r\n\t}\r\n", "https://example.org/a?b=c&d=%20",
    "a" * 300, "ab" * 150, " " * 300, " " * 300 + "x", "\n" * 200, " \n" * 100, "!" * 300, "1" * 100, "\u0301" * 100,
    "\u4e2d" * 100, "\U0001f600" * 50, "'" * 50, "'s" * 50, "a\u0323\u0301" * 60, "\t" * 64 + "x", "x" + "\u3000" * 40,
]

CHATS = [
    "", " ", "\n", "a red fox", "a red fox ", " a red fox", "a cat\n\nand a dog", "\u732b", "it's a dog's life",
    "prompt with <|im_end|> inside", "<|im_end|>", "<|im_start|>system\nx<|im_end|>\n", "<|endoftext|>",
    "{{ message }} {% if x %}", "a\x00b", "cafe\u0301 \U0001f468\u200d\U0001f469", "\n\na", "a\n", "a\r\n",
    " ".join(["token"] * 600), "x" * 600, "\u4e2d" * 600, "<|im_end|>" * 600, "word " * 505,
]

LETTERS = "abcdefghijklmnopqrstuvwxyz\u0120\u010a.!\u00c3\u00a9\u00cc\u0123<|>_"
WORDS = [("a", "b"), ("ab", "c"), ("\u0120", "a"), ("\u0120a", "b"), ("c", "d"), ("abc", "d"), ("b", "c"),
         ("\u00c3", "\u00a9"), ("e", "n"), ("en", "d"), ("\u0120", "\u0120")]
PROBES = [
    "abcd abcd", "ab  cd", "<|endoftext|>", "a<|endoftext|>b", "<x>", "a <x> b", "a<x>b", "  <x>  b", "a<x>", "<X>",
    "<|im_end|>\n", "<|im_start|>", "e\u0301<e\u0301>", "\u00e9<\u00e9>", "<e\u0301>", "<\u00e9>", "<img>a", "end <x><x> <x>",
    "\u00e9\u0120", "_<x>_", "<x>'", "a\u0301<x>", "a\u3000<x>\u3000b", "abd<y> <y>c", "<y>", "<yy>", "ab\nc", "zq\u00a0z",
]


def vocabulary(extra=()):
    tokens = list(dict.fromkeys([*LETTERS, *(a + b for a, b in WORDS), *extra]))
    return {token: index for index, token in enumerate(tokens)}


def document(**changes):
    whole = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": __import__("reference_ids").PATTERN},
             "behavior": "Isolated", "invert": False},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "", "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                  "vocab": vocabulary(), "merges": [list(pair) for pair in WORDS]},
    }
    whole.update(changes)
    return whole


def token(content, identifier=None, **flags):
    whole = {"content": content, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": False, **flags}
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
        token("<x>", size, lstrip=True), token("<y>", size + 1, rstrip=True),
        token("<img>", size + 2, single_word=True), token("<\u00e9>", size + 3, normalized=True),
        token("<yy>", size + 4, special=True), token("end", vocabulary()["end"], normalized=True, single_word=True),
    ]
    return {
        "bare document": {"tokenizer.json": document(), "tokenizer_config.json": qwen},
        "merges as strings": {"tokenizer.json": spaced, "tokenizer_config.json": qwen},
        "later of equal merges": {"tokenizer.json": document(model={
            **document()["model"], "merges": [["a", "b"], ["b", "c"], ["a", "b"], ["ab", "c"]]}),
            "tokenizer_config.json": qwen},
        "flags": {"tokenizer.json": document(added_tokens=flagged), "tokenizer_config.json": qwen},
        "flags, read as the document says": {
            "tokenizer.json": document(added_tokens=flagged), "tokenizer_config.json": fast},
        "no normalizer, read as the document says": {
            "tokenizer.json": document(normalizer=None, added_tokens=flagged), "tokenizer_config.json": fast},
        "no normalizer, read as Qwen2": {
            "tokenizer.json": document(normalizer=None), "tokenizer_config.json": qwen},
        "sequence of normalizers": {
            "tokenizer.json": document(normalizer={"type": "Sequence", "normalizers": [{"type": "NFC"}]}),
            "tokenizer_config.json": fast},
        "decomposed added token": {
            "tokenizer.json": document(added_tokens=[token("<e\u0301>", size, normalized=True)]),
            "tokenizer_config.json": qwen},
        "added token in the vocabulary": {
            "tokenizer.json": document(
                model={**document()["model"], "vocab": vocabulary(["<x>"])},
                added_tokens=[token("<x>", size, special=True)]),
            "tokenizer_config.json": qwen},
        "named token loses its flags": {
            "tokenizer.json": document(added_tokens=[token("<x>", size, lstrip=True, rstrip=True)]),
            "tokenizer_config.json": {**qwen, "eos_token": "<x>", "pad_token": None, "unk_token": None}},
        "named token keeps its flags": {
            "tokenizer.json": document(added_tokens=[token("<x>", size, lstrip=True, rstrip=True)]),
            "tokenizer_config.json": {**fast, "eos_token": "<x>"}},
        "undeclared named tokens": {
            "tokenizer.json": document(),
            "tokenizer_config.json": {**qwen, "bos_token": "<x>", "eos_token": "<y>", "mask_token": "<img>",
                                      "extra_special_tokens": ["<yy>"], "image_token": "<|im_start|>"}},
        "additional special tokens": {
            "tokenizer.json": document(),
            "tokenizer_config.json": {**qwen, "pad_token": "<y>", "additional_special_tokens": ["<x>", "<yy>"]}},
        "the configuration's added tokens win": {
            "tokenizer.json": document(added_tokens=[token("<x>", size, special=True)]),
            "tokenizer_config.json": {**qwen, "pad_token": None, "unk_token": None, "eos_token": None,
                                      "added_tokens_decoder": {str(size): token("<y>", special=True)}}},
        "split special tokens": {
            "tokenizer.json": document(added_tokens=flagged),
            "tokenizer_config.json": {**qwen, "split_special_tokens": True}},
        "vocabulary and merges": {**files, "tokenizer_config.json": qwen},
        "vocabulary and merges, no configuration": files,
        "vocabulary, merges and declared tokens": {
            **files, "tokenizer_config.json": {
                **qwen, "add_bos_token": False, "unk_token": None, "pad_token": "<|endoftext|>",
                "added_tokens_decoder": {
                    str(size): token("<|endoftext|>", special=True), str(size + 1): token("<x>"),
                    str(size + 2): token("<y>", rstrip=True)}}},
        "special tokens map and added tokens": {
            **files, "tokenizer_config.json": {**qwen, "eos_token": "<yy>"},
            "special_tokens_map.json": {
                "eos_token": {**token("<|im_end|>"), "normalized": True}, "pad_token": "<|endoftext|>",
                "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]},
            "added_tokens.json": {"<|im_end|>": size + 1, "<|endoftext|>": size, "<\u00e9>": size + 3, "<x>": size + 2}},
        "document beside vocabulary": {
            **files, "merges.txt": "#version: 0.2\n", "tokenizer.json": document(), "tokenizer_config.json": qwen},
        "truncation on the left": {
            "tokenizer.json": document(), "tokenizer_config.json": {**qwen, "truncation_side": "left"}},
    }


def answers(tokenizer, texts):
    rows = []
    for text in texts:
        ids = tokenizer(text)["input_ids"]
        rows.append({
            "text": text, "ids": ids, "decoded": tokenizer.decode(ids),
            "decodedSkipping": tokenizer.decode(ids, skip_special_tokens=True)})
    return rows


def chat(tokenizer, prompt, limit=512):
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True,
        enable_thinking=True)
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
            kind = AutoTokenizer if files.get("tokenizer_config.json", {}).get(
                "tokenizer_class") == "PreTrainedTokenizerFast" else Qwen2Tokenizer
            small = kind.from_pretrained(place)
            small.chat_template = template
            cases.append({
                "name": name, "size": max(small.get_vocab().values()) + 1, "answers": answers(small, PROBES),
                "chat": chat(small, "abcd " * 9, 20),
                "files": {file: content if isinstance(content, str) else json.dumps(content)
                          for file, content in files.items()}})
    write(output / "folders.json", cases)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

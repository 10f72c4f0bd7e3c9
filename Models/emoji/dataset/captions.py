"""The captions of an image, each with a language and a weight: how often training draws it.

The names come first, since they are what pictures are asked for by; a quarter of the draws are
other wordings, so that a prompt need not be CLDR's to the letter. The weights of an image sum to 1.
"""

import collections
import re

# Shares of the draws. What an image has no wording for goes to the names.
NAME = {"en": 0.46, "zh": 0.26}
KEYWORDS_SHOWN = 4
VOWELS = "aeiou"


def all_captions(annotations_of_images):
    """For each image its captions [{"text", "language", "weight"}], the English name first.

    `annotations_of_images`: for each image language → names.Annotation. Wordings that two images
    share describe neither and are left out; names stay.
    """
    tables = [_weights(annotations) for annotations in annotations_of_images]
    counts = collections.Counter(key for table in tables for key in table)
    for annotations, table in zip(annotations_of_images, tables):
        names = {(annotations[language].name, language) for language in annotations}
        kept = {key: weight for key, weight in table.items() if counts[key] == 1 or key in names}
        total = sum(kept.values())
        yield [
            {"text": text, "language": language, "weight": round(weight / total, 6)}
            for (text, language), weight in kept.items()]


def _weights(annotations):
    """(Text, language) → weight, before it is known what other images have."""
    weights = {}
    for language, variants in (("en", _english), ("zh", _chinese)):
        annotation = annotations[language]
        weights[annotation.name, language] = NAME[language]
        for text, weight in variants(annotation):
            weights.setdefault((text, language), weight)
    return weights


def keyword_caption(annotation, language):
    """The keywords alone, without the name; empty if there are none."""
    separator = {"en": ", ", "zh": "，"}[language]
    own = [each for each in annotation.keywords if each.lower() != annotation.name.lower()]
    return separator.join(own[:KEYWORDS_SHOWN])


def _english(annotation):
    name = annotation.name
    keywords = keyword_caption(annotation, "en")
    if keywords:
        yield f"{name}, {keywords}", 0.05
    if "," in keywords:
        yield keywords, 0.03
    yield f"emoji of {_with_article(name)}", 0.02
    yield f"{name} emoji", 0.02
    if _is_one_thing(name):
        yield _with_article(name), 0.03
    yield f"the {name}", 0.02
    yield name[0].upper() + name[1:], 0.02
    yield name.lower(), 0.02


def _chinese(annotation):
    name = annotation.name
    keywords = keyword_caption(annotation, "zh")
    if keywords:
        yield f"{name}，{keywords}", 0.02
    if "，" in keywords:
        yield keywords, 0.01
    yield f"一个{name}", 0.01
    yield f"{name}表情", 0.01
    yield f"{name}的表情符号", 0.01


def _is_one_thing(name):
    """Whether "a …" reads well: the head of the name is a singular noun in lower case."""
    if ":" in name:
        return False
    head = re.split(r"[,(“]| with | of | in | on ", name)[0].strip()
    is_plural = head.endswith("s") and not head.endswith(("ss", "us", "is"))
    return bool(re.fullmatch(r"[a-z][a-z -]*[a-z]", head)) and not is_plural


def _with_article(name):
    if not _is_one_thing(name):
        return name
    return f"{'an' if name[0] in VOWELS else 'a'} {name}"

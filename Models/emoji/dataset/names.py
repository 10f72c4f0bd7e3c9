"""What emoji are called and where they belong: CLDR's names and keywords, Unicode's groups."""

import dataclasses
import re
import xml.etree.ElementTree

SKIN_TONES = {chr(code) for code in range(0x1F3FB, 0x1F400)}
REGIONAL_INDICATORS = {chr(code) for code in range(0x1F1E6, 0x1F200)}
CANCEL_TAG = "\U000e007f"
EMOJI_PRESENTATION = "\ufe0f"
LANGUAGES = ("en", "zh")
# Named by CLDR, no emoji by themselves: emoji-test.txt does not list them.
UNLISTED_GROUP = ("Symbols", "punctuation")


@dataclasses.dataclass
class Annotation:
    """Name and keywords of a sequence in one language."""

    name: str = ""
    keywords: tuple = ()


def read_annotations(folder):
    """Sequence → language → Annotation, for the sequences that every language names."""
    table = {}
    for kind in ("annotations", "annotationsDerived"):
        for language in LANGUAGES:
            root = xml.etree.ElementTree.parse(f"{folder}/{kind}/{language}.xml").getroot()
            for element in root.iter("annotation"):
                entry = table.setdefault(element.get("cp"), {})
                annotation = entry.setdefault(language, Annotation())
                if element.get("type") == "tts":
                    annotation.name = element.text.strip()
                else:
                    annotation.keywords = tuple(part.strip() for part in element.text.split("|"))
    named = {
        key: entry for key, entry in table.items()
        if all(language in entry and entry[language].name for language in LANGUAGES)}
    return dict(sorted(named.items()))


def read_groups(path):
    """Sequence without U+FE0F → (group, subgroup)."""
    groups = {}
    group = subgroup = None
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("# group:"):
                group = line.split(":", 1)[1].strip()
            elif line.startswith("# subgroup:"):
                subgroup = line.split(":", 1)[1].strip()
            elif line.strip() and not line.startswith("#"):
                text = "".join(chr(int(code, 16)) for code in line.split(";")[0].split())
                groups.setdefault(text.replace(EMOJI_PRESENTATION, ""), (group, subgroup))
    return groups


def slug(name):
    """A group's name as it stands in options: `Smileys & Emotion` → `smileys-emotion`."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def identifier(key):
    """A sequence as file name and id: its code points without U+FE0F, `1f468-200d-1f680`."""
    return "-".join(f"{ord(each):04x}" for each in key if each != EMOJI_PRESENTATION)


def has_skin_tone(key):
    """Whether it is a variant with a skin tone (the five swatches themselves are none)."""
    return len(key) > 1 and any(character in SKIN_TONES for character in key)


def is_flag(key):
    """Whether it is the flag of a region (a chequered flag is none)."""
    return key.endswith(CANCEL_TAG) or any(each in REGIONAL_INDICATORS for each in key)


def name_without_skin_tone(name, names):
    """The name of what a skin-tone variant varies; `names` are those that exist.

    `man: light skin tone, red hair` → `man: red hair`; pairs may lose their parts altogether:
    `kiss: person, person, light skin tone, dark skin tone` → `kiss`.
    """
    head, _, tail = name.partition(": ")
    kept = [part for part in tail.split(", ") if not part.endswith("skin tone")]
    full = f"{head}: {', '.join(kept)}" if kept else head
    found = full if full in names else head
    if found not in names:
        raise ValueError(f"nothing is called {head!r}, of which {name!r} would be a variant")
    return found

"""Builds the emoji data set: images, subject masks and captions from Debian packages.

    build.py OUTPUT [--without skin-tones,flags] [--groups smileys-emotion,food-drink]

See README.md for what is in it. The same packages give the same bytes.
"""

import argparse
import collections
import dataclasses
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys

from PIL import Image

import captions
import font
import names
import splits

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
ANNOTATIONS = "/usr/share/unicode/cldr/common"
GROUPS = "/usr/share/unicode/emoji/emoji-test.txt"
PACKAGES = ["fonts-noto-color-emoji", "unicode-cldr-core", "unicode-data"]
EXCLUSIONS = ["skin-tones", "flags"]
# What a folder may hold to be replaced: nothing but an earlier build.
PRODUCTS = {"images", "masks", "metadata.jsonl", "combinations.jsonl", "SOURCES.txt"}


@dataclasses.dataclass
class EmojiImage:
    """One line of the data set."""

    key: str
    glyph: str
    annotations: dict
    group: str
    subgroup: str
    base_name: str = ""
    concept: str = ""
    split: str = splits.TRAIN

    @property
    def id(self):
        return names.identifier(self.key)

    @property
    def name(self):
        return self.annotations["en"].name

    @property
    def file_name(self):
        return f"images/{self.id}.png"

    @property
    def is_variant(self):
        return names.has_skin_tone(self.key)

    @property
    def is_flag(self):
        return names.is_flag(self.key)


def find_images(emoji, paths):
    """Every sequence that CLDR names in both languages and the font draws."""
    groups = names.read_groups(paths.groups_file)
    images = []
    for key, annotations in names.read_annotations(paths.annotations).items():
        glyph = emoji.glyph(key)
        if glyph is None:
            continue
        bare = key.replace(names.EMOJI_PRESENTATION, "")
        group, subgroup = groups.get(bare, names.UNLISTED_GROUP)
        images.append(EmojiImage(key, glyph, annotations, group, subgroup))
    existing = {image.name for image in images}
    for image in images:
        image.base_name = (
            names.name_without_skin_tone(image.name, existing)
            if image.is_variant else image.name)
    return images


def choose(images, without, groups):
    """The images that the options leave."""
    known = {names.slug(each) for image in images for each in (image.group, image.subgroup)}
    for group in groups:
        if group not in known:
            sys.exit(f"build.py: no group is called {group!r}; --list-groups shows them")
    return [
        image for image in images
        if not ("skin-tones" in without and image.is_variant)
        and not ("flags" in without and image.is_flag)
        and (not groups or names.slug(image.group) in groups
             or names.slug(image.subgroup) in groups)]


def write_images(images, emoji, output):
    """Writes pixels over white and the alpha, and gives equal images one concept."""
    concepts = {}
    for folder in ("images", "masks"):
        (output / folder).mkdir()
    for image in images:
        bitmap = emoji.image(image.glyph)
        mask = bitmap.getchannel("A")
        picture = Image.new("RGB", bitmap.size, "white")
        picture.paste(bitmap, mask=mask)
        digest = hashlib.sha256(picture.tobytes()).digest()
        image.concept = concepts.setdefault(digest, image.id)
        picture.save(output / image.file_name, compress_level=6)
        mask.save(output / "masks" / f"{image.id}.png", compress_level=6)


def metadata(images):
    """The lines of metadata.jsonl."""
    texts = captions.all_captions([image.annotations for image in images])
    for image, own in zip(images, texts):
        line = {
            "file_name": image.file_name,
            "text": image.name,
            "mask": f"masks/{image.id}.png",
            "concept": image.concept,
            "split": image.split,
            "group": image.group,
            "subgroup": image.subgroup,
        }
        if image.is_variant:
            line["variant_of"] = image.base_name
        yield line | {"texts": own}


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def sources():
    """What the set was made from, for its copies."""
    lines = ["Images: Noto Color Emoji, copyright Google Inc., SIL Open Font License 1.1.",
             "Names and keywords: Unicode CLDR; groups: Unicode Character Database; copyright",
             "Unicode, Inc., Unicode License (Unicode-DFS-2016).", "", "Debian packages:"]
    for package in PACKAGES:
        answer = subprocess.run(
            ["dpkg-query", "--show", "--showformat", "${Version}", package],
            capture_output=True, text=True, check=False)
        lines.append(f"{package} {answer.stdout.strip() or '(unknown version)'}")
    return "\n".join(lines) + "\n"


def prepare(output):
    """An empty folder in place of an earlier build; anything else is left alone."""
    if output.exists():
        if not output.is_dir():
            sys.exit(f"build.py: {output} is no folder; name another one")
        strangers = sorted(entry.name for entry in output.iterdir() if entry.name not in PRODUCTS)
        if strangers:
            sys.exit(f"build.py: {output} holds {strangers[0]!r}, which is no part of a data set;"
                     " name an empty or a new folder")
        shutil.rmtree(output)
    output.mkdir(parents=True)


def report(images, chosen):
    """The counts, as README.md explains them."""
    plain = [image for image in images if not image.is_variant]
    print(f"{len(images)} images with captions in the packages")
    print(f"{len(plain)} without skin-tone variants")
    print(f"{sum(not image.is_flag for image in plain)} without those and without flags")
    concepts = len({image.concept for image in chosen})
    print(f"{len(chosen)} chosen, of which {concepts} differ in pixels")
    for split, count in sorted(collections.Counter(image.split for image in chosen).items()):
        print(f"  {split}: {count}")


def list_groups(images):
    counts = collections.Counter((image.group, image.subgroup) for image in images)
    for group in dict.fromkeys(image.group for image in images):
        members = {sub: count for (name, sub), count in counts.items() if name == group}
        print(f"{names.slug(group)} {sum(members.values())}")
        for subgroup, count in sorted(members.items()):
            print(f"  {names.slug(subgroup)} {count}")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", type=pathlib.Path, help="the folder to write")
    parser.add_argument("--without", default="", metavar="LIST", help="skin-tones, flags")
    parser.add_argument("--groups", default="", metavar="LIST", help="groups or subgroups to keep")
    parser.add_argument(
        "--list-groups", action="store_true", help="print the groups and their sizes, and stop")
    parser.add_argument(
        "--held-out", type=int, default=48, metavar="N",
        help="images kept from the autoencoder's training (48)")
    parser.add_argument("--font", default=FONT)
    parser.add_argument("--annotations", default=ANNOTATIONS)
    parser.add_argument("--emoji-test", dest="groups_file", default=GROUPS)
    arguments = parser.parse_args()
    arguments.without = [each for each in arguments.without.split(",") if each]
    for each in arguments.without:
        if each not in EXCLUSIONS:
            parser.error(f"--without {each}: choose from {', '.join(EXCLUSIONS)}")
    arguments.groups = [each for each in arguments.groups.split(",") if each]
    if arguments.output is None and not arguments.list_groups:
        parser.error("name the folder to write")
    for path in (arguments.font, arguments.annotations, arguments.groups_file):
        if not pathlib.Path(path).exists():
            parser.error(f"{path} is missing; install {', '.join(PACKAGES)}")
    return arguments


def main():
    arguments = parse_arguments()
    emoji = font.EmojiFont(arguments.font)
    images = find_images(emoji, arguments)
    chosen = choose(images, arguments.without, arguments.groups)
    if arguments.list_groups:
        list_groups(chosen)
        return
    if not chosen:
        sys.exit("build.py: no image is left; choose fewer restrictions")
    splits.assign(chosen, arguments.held_out)
    prepare(arguments.output)
    write_images(chosen, emoji, arguments.output)
    (arguments.output / "SOURCES.txt").write_text(sources(), encoding="utf-8")
    write_lines(arguments.output / "combinations.jsonl", splits.combinations(chosen))
    # Last, as it is what readers look for: a set without it was not finished.
    write_lines(arguments.output / "metadata.jsonl", metadata(chosen))
    report(images, chosen)


if __name__ == "__main__":
    main()

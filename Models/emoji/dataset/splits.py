"""Which images training does not see, and why.

`combination`: known things in an unseen colour, size or pose, kept from every stage of training.
`heldout`: kept from the autoencoder's training only, where its PSNR is measured; the teacher needs
them, or it could not know what they show. All others are `train`.
"""

import dataclasses
import hashlib

TRAIN, HELD_OUT, COMBINATION = "train", "heldout", "combination"


@dataclasses.dataclass(frozen=True)
class Combination:
    """A caption that training never sees, and the names of what it is put together from."""

    text: str
    chinese: str
    kind: str
    known: tuple


# These exist: their images are kept from training, and can be compared with.
WITH_IMAGE = [
    Combination("orange heart", "橙心", "colour", ("red heart", "orange circle")),
    Combination("brown circle", "棕色圆", "colour", ("red circle", "brown square")),
    Combination("purple square", "紫色方块", "colour", ("red square", "purple circle")),
    Combination("blue book", "蓝色书本", "colour", ("green book", "blue square")),
    Combination("yellow square", "黄色方块", "colour", ("red square", "yellow circle")),
    Combination(
        "small orange diamond", "橙色小菱形", "size",
        ("large orange diamond", "small blue diamond")),
    Combination("up-left arrow", "左上箭头", "pose", ("up-right arrow", "down-left arrow")),
    Combination(
        "oncoming taxi", "迎面驶来的出租车", "pose", ("taxi", "oncoming automobile")),
    Combination("four o’clock", "四点", "pose", ("three o’clock", "four-thirty")),
    Combination(
        "kissing cat", "亲亲猫", "expression", ("kissing face with closed eyes", "grinning cat")),
    Combination("woman surfing", "女生冲浪", "person", ("man surfing", "woman swimming")),
    Combination(
        "man juggling", "男生抛接杂耍", "person", ("woman juggling", "man cartwheeling")),
]

# These exist nowhere: one looks at what comes out.
WITHOUT_IMAGE = [
    Combination("blue apple", "蓝苹果", "colour", ("red apple", "blue circle")),
    Combination("purple apple", "紫苹果", "colour", ("red apple", "purple circle")),
    Combination("purple book", "紫色书本", "colour", ("green book", "purple circle")),
    Combination("green automobile", "绿色汽车", "colour", ("automobile", "green circle")),
    Combination("blue rose", "蓝色玫瑰", "colour", ("rose", "blue circle")),
    Combination("purple cat", "紫色猫", "colour", ("cat", "purple circle")),
    Combination("blue dog face", "蓝色狗脸", "colour", ("dog face", "blue circle")),
    Combination("green pig face", "绿色猪头", "colour", ("pig face", "green circle")),
    Combination(
        "large green diamond", "绿色大菱形", "colour", ("large blue diamond", "green square")),
    Combination(
        "blue triangle pointed up", "蓝色正三角", "colour",
        ("red triangle pointed up", "blue square")),
    Combination(
        "cat with sunglasses", "墨镜猫", "expression",
        ("smiling face with sunglasses", "grinning cat")),
    Combination(
        "dog with tears of joy", "笑出眼泪的狗", "expression",
        ("cat with tears of joy", "dog face")),
]


def assign(images, held_out_count):
    """Sets each image's split. Skin-tone variants follow the image they vary.

    The held-out images are those whose ids have the smallest hashes: a stable choice that nobody
    made. Variants and flags are not drawn, as the smaller sets leave them out.
    """
    combined = {each.text for each in WITH_IMAGE}
    candidates = [
        image for image in images
        if not image.is_variant and not image.is_flag and image.name not in combined]
    candidates.sort(key=lambda image: hashlib.sha256(image.id.encode()).digest())
    held_out = {image.name for image in candidates[:held_out_count]}
    for image in images:
        if image.base_name in combined:
            image.split = COMBINATION
        elif image.base_name in held_out:
            image.split = HELD_OUT


def combinations(images):
    """The lines of combinations.jsonl: those whose known parts the data set trains on."""
    by_name = {image.name: image for image in images}

    def is_trained(name):
        return name in by_name and by_name[name].split != COMBINATION

    lines = []
    for each in WITH_IMAGE + WITHOUT_IMAGE:
        image = by_name.get(each.text)
        if not all(map(is_trained, each.known)) or (each in WITH_IMAGE and image is None):
            continue
        line = {"text": each.text, "text_zh": each.chinese, "kind": each.kind,
                "known": list(each.known)}
        if image is not None:
            if image.annotations["zh"].name != each.chinese:
                raise ValueError(f"CLDR calls {each.text!r} {image.annotations['zh'].name!r}")
            line |= {"file_name": image.file_name, "concept": image.concept}
        lines.append(line)
    return lines

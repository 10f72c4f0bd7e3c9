"""The bitmaps of Noto Color Emoji: from a sequence of characters to an image with alpha.

A sequence is shaped as the font's feature `ccmp` says: each character's glyph from the cmap, then
the ligatures of GSUB lookups 0 and 3, the longest first. (Lookup 2 only splits invalid flags.)
"""

import collections
import io
import itertools

from fontTools.ttLib import TTFont
from PIL import Image

ZERO_WIDTH_JOINER = "\u200d"
EMOJI_PRESENTATION = "\ufe0f"
KEYCAP = "\u20e3"
LIGATURE_LOOKUPS = (0, 3)
# The strike's bitmaps are 136 × 128; the outer 4 columns on both sides are empty in every image.
STRIKE_SIZE = (136, 128)
SIDE = 128
MARGIN = (STRIKE_SIZE[0] - SIDE) // 2


class EmojiFont:
    """The font file, with what is needed to shape and draw one emoji."""

    def __init__(self, path):
        font = TTFont(path)
        self.glyphs = font.getBestCmap()
        lookups = font["GSUB"].table.LookupList.Lookup
        self.ligatures = [self._ligatures(lookups[index]) for index in LIGATURE_LOOKUPS]
        [self.strike] = font["CBDT"].strikeData

    @staticmethod
    def _ligatures(lookup):
        """First glyph → (the glyphs that follow, the ligature), longest first."""
        table = collections.defaultdict(list)
        for subtable in lookup.SubTable:
            for first, ligatures in subtable.ligatures.items():
                table[first] += [(each.Component, each.LigGlyph) for each in ligatures]
        for entries in table.values():
            entries.sort(key=lambda entry: (-len(entry[0]), entry))
        return table

    def _shape(self, text):
        """The glyphs of a sequence; None if the font lacks a character."""
        run = [self.glyphs.get(ord(character)) for character in text]
        if None in run:
            return None
        for table in self.ligatures:
            run = self._substitute(run, table)
        return run

    @staticmethod
    def _substitute(run, table):
        output = []
        place = 0
        while place < len(run):
            for following, ligature in table.get(run[place], ()):
                end = place + 1 + len(following)
                if run[place + 1 : end] == following:
                    output.append(ligature)
                    place = end
                    break
            else:
                output.append(run[place])
                place += 1
        return output

    def glyph(self, key):
        """The one glyph with a bitmap that a sequence makes; None if there is none.

        CLDR's keys come without U+FE0F, which some of the font's ligatures want.
        """
        for text in spellings(key):
            run = self._shape(text)
            if run and len(run) == 1 and run[0] in self.strike:
                return run[0]
        return None

    def image(self, glyph):
        """A glyph's bitmap: 128 × 128, RGBA."""
        bitmap = Image.open(io.BytesIO(self.strike[glyph].imageData)).convert("RGBA")
        if bitmap.size != STRIKE_SIZE:
            raise ValueError(f"the bitmap of {glyph} is {bitmap.size}, not {STRIKE_SIZE}")
        cropped = bitmap.crop((MARGIN, 0, MARGIN + SIDE, SIDE))
        if bitmap.getchannel("A").getbbox() is None:
            raise ValueError(f"the bitmap of {glyph} is empty")
        edges = [bitmap.crop((0, 0, MARGIN, SIDE)), bitmap.crop((MARGIN + SIDE, 0, *STRIKE_SIZE))]
        if any(edge.getchannel("A").getbbox() for edge in edges):
            raise ValueError(f"the bitmap of {glyph} is wider than {SIDE} pixels")
        return cropped


def spellings(key):
    """A sequence as it stands, then with U+FE0F after its parts in every combination."""
    parts = key.split(ZERO_WIDTH_JOINER)
    for marks in itertools.product((False, True), repeat=len(parts)):
        yield ZERO_WIDTH_JOINER.join(
            _with_presentation(part) if mark else part for part, mark in zip(parts, marks))


def _with_presentation(part):
    if part.endswith(KEYCAP):
        return part[: -len(KEYCAP)] + EMOJI_PRESENTATION + KEYCAP
    return part + EMOJI_PRESENTATION

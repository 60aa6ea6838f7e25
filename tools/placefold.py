"""Folding of place names to search keys; core/places/fold.c does the same to queries, and a test compares the two
over every name of the gazetteer."""
import sys
import unicodedata

# Letters that Unicode does not decompose but that people type otherwise. The same table stands in fold.c.
SPECIAL = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h",
    "ŋ": "n", "ə": "e", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y", "ɛ": "e", "ɔ": "o",
    # Arabic script: one form for ye, kaf, he and alef, whatever keyboard wrote it.
    "ى": "ي", "ی": "ي", "ے": "ي", "ک": "ك", "ہ": "ه", "ھ": "ه", "ە": "ه", "ة": "ه", "ۃ": "ه", "ٱ": "ا",
}
# Signs inside words that many leave out; others that are no letter, digit or mark become a space.
DROPPED = set("'`´’‘ʼʻʾʿʹʺ′\u0640ـ")


def simple_fold(c):
    for folded in (c.casefold(), c.lower()):
        if len(folded) == 1:
            return folded
    return c


def fold_character(c):
    out = []
    for d in unicodedata.normalize("NFKD", c):
        d = simple_fold(d)
        category = unicodedata.category(d)
        if unicodedata.combining(d) not in (0, 8, 9) or category == "Cf" or d in DROPPED or 0xFE00 <= ord(d) <= 0xFE0F:
            continue
        if d in SPECIAL:
            out.append(SPECIAL[d])
        elif category == "Nd":
            out.append(str(unicodedata.decimal(d)))
        elif category[0] in "LNM":
            out.append(d)
        else:
            out.append(" ")
    return "".join(out)


class _Table(dict):
    def __missing__(self, code):
        folded = fold_character(chr(code))
        self[code] = folded
        return folded


_table = _Table()


def fold(text):
    """The search key of a name: no case, no accents, words parted by one space."""
    return " ".join(word for word in text.translate(_table).split(" ") if word)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(fold(argument))

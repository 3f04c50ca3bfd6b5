"""Build the list of synonyms from a WordNet 3.0 database folder: `python -m data.thesaurus FOLDER`.

The folder is the `dict` of WordNet 3.0 (Debian's `wordnet-base` has it in /usr/share/wordnet). What comes
out is read by `models/perturb/synonyms.py`; WordNet's licence lies beside it.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

OUT = Path(__file__).parents[1] / "models" / "perturb" / "synonyms.parquet"
SCHEMA = pa.schema([("word", pa.string()), ("synonyms", pa.list_(pa.string()))])
LEAST_USES, LEAST_SHARE, LEAST_LETTERS = 2, 0.5, 4
"""A word is listed if it was met so often, in one sense so mostly, and is so long."""

_PARTS = {"noun": "1", "verb": "2", "adj": "35", "adv": "4"}
"""The digits in sense keys that stand for a part of speech."""

Sense = tuple[str, int]
"""A part of speech and a synset's place in its file."""


def thesaurus(folder: Path) -> pa.Table:
    """List the words that mean mostly one thing, with the other words whose first meaning that is."""
    uses = read_uses((folder / "cntlist.rev").read_text("utf-8").splitlines())
    words: dict[Sense, list[str]] = {}
    senses: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for part in _PARTS:
        words |= {(part, place): names for place, names in read_synsets(_lines(folder / f"data.{part}"))}
        for word, places in read_senses(_lines(folder / f"index.{part}")):
            senses[word][part] = places
    found = {}
    for word in sorted(filter(_plain, senses)):
        sense = main_sense(word, senses[word], uses)
        if sense is None:
            continue
        part, place = sense
        # A synonym that was never met is archaic, and one that first means something else misleads.
        kept = {
            one
            for one in words[sense]
            if _plain(one) and senses[one][part][0] == place and (one, part, 1) in uses
        }
        if kept - {word}:
            found[word] = sorted(kept - {word})
    return pa.table([list(found), list(found.values())], schema=SCHEMA)


def read_uses(lines: list[str]) -> dict[tuple[str, str, int], int]:
    """Read how often each sense of a word was met: (word, part of speech, number of the sense) to uses."""
    uses = {}
    for line in lines:
        key, number, count = line.split()
        word, _, rest = key.partition("%")
        part = next(name for name, digits in _PARTS.items() if rest[0] in digits)
        uses[word, part, int(number)] = int(count)
    return uses


def read_synsets(lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    """Read the words of each synset: its place in the file, and they."""
    for line in lines:
        place, _, _, count, *rest = line.split(" ")
        # An adjective may carry where it stands: (a), (p), (ip).
        yield int(place), [word.partition("(")[0] for word in rest[: 2 * int(count, 16) : 2]]


def read_senses(lines: Iterator[str]) -> Iterator[tuple[str, list[int]]]:
    """Read the synsets of each word, the most frequent sense first."""
    for line in lines:
        word, _, synsets, *rest = line.split()
        yield word, [int(place) for place in rest[len(rest) - int(synsets) :]]


def main_sense(
    word: str, senses: Mapping[str, list[int]], uses: Mapping[tuple[str, str, int], int]
) -> Sense | None:
    """Give the sense that a word mostly has; None if there is none, or it was hardly met."""
    counts = {
        (part, place): uses.get((word, part, number), 0)
        for part, places in senses.items()
        for number, place in enumerate(places, start=1)
    }
    best = max(counts, key=lambda sense: counts[sense])
    total = sum(counts.values())
    return best if total >= LEAST_USES and counts[best] >= LEAST_SHARE * total else None


def _plain(word: str) -> bool:
    return word.isascii() and word.isalpha() and word.islower() and len(word) >= LEAST_LETTERS


def _lines(path: Path) -> Iterator[str]:
    """Give the lines after the licence, whose lines begin with a blank."""
    return (line for line in path.read_text("utf-8").splitlines() if not line.startswith(" "))


if __name__ == "__main__":
    pq.write_table(thesaurus(Path(sys.argv[1])), OUT, compression="zstd")

"""Say where the benchmarks' data comes from, and check a folder that holds it.

    python -m benchmarks.fetch
    python -m benchmarks.fetch --check FOLDER

Nothing is downloaded: the sets are public, each under its own licence. Lay them out as named here, set
QUICKSTUDY_DATA to the folder, and let --check compare every file with its sha256.
"""

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SUMS = Path(__file__).parent / "data.sha256"
_SHOWN = 10


@dataclass(frozen=True)
class DataSet:
    """One set's public origin.

    Args:
        folder: Its folder under QUICKSTUDY_DATA.
        origin: Repositories on GitHub and the paths in them.
        licence: What it may be used under.
        note: What was reshaped.
        whole: The sha256 over all files together, where they are too many to be named one by one.
    """

    folder: str
    origin: str
    licence: str
    note: str = ""
    whole: str | None = None


SETS = (
    DataSet(
        "banking77",
        "PolyAI-LDN/task-specific-datasets: banking_data/; tdopierre/ProtAugment: data/BANKING77/; "
        "jianguoz/Few-Shot-Intent-Detection: Datasets/BANKING77/",
        "CC BY 4.0",
        "all.jsonl and episode_splits.json (5 splits of classes) from ProtAugment; train_5, train_10 and "
        "test.tsv join seq.in and label of Few-Shot-Intent-Detection as `label, text`",
    ),
    DataSet(
        "clinc150",
        "clinc/oos-eval: data/data_full.json; tdopierre/ProtAugment: data/; "
        "jianguoz/Few-Shot-Intent-Detection: Datasets/CLINC150/",
        "CC BY 3.0",
        "reshaped like banking77",
    ),
    DataSet(
        "wnut17",
        "leondz/emerging_entities_17: wnut17train.conll, emerging.dev.conll, emerging.test.annotated",
        "CC BY 4.0",
    ),
    DataSet("crossner", "zliucr/CrossNER: ner_data/, without conll2003", "MIT"),
    DataSet(
        "fewrel", "thunlp/FewRel: data/", "MIT", "val_wiki, val_nyt, val_pubmed and pid2name; no train_wiki"
    ),
    DataSet("restaurant8k", "PolyAI-LDN/task-specific-datasets: span_extraction/restaurant8k/", "CC BY 4.0"),
    DataSet("scitldr", "allenai/scitldr: SciTLDR-Data/SciTLDR-A/", "Apache-2.0"),
    DataSet("xquad", "google-deepmind/xquad: xquad.en.json, xquad.de.json, xquad.es.json", "CC BY-SA 4.0"),
    DataSet(
        "sgd",
        "google-research-datasets/dstc8-schema-guided-dialogue: dev/ and test/",
        "CC BY-SA 4.0",
        "a sample: two files of dev, one of test, both schemas",
    ),
    DataSet(
        "fsdd",
        "Jakobovski/free-spoken-digit-dataset: recordings/",
        "CC BY-SA 4.0",
        "1,200 recordings: 20 of each digit and speaker",
        whole="fe49fadbc3defd3b752289fb4909e763f82ee5a3550865682c8b2b0b178ce017",
    ),
)


def describe() -> str:
    """Tell every set's folder, origin, licence and files."""
    lines = ["Public origins (GitHub: owner/repository: path):"]
    sums = read_sums()
    for data in SETS:
        named = [name for name in sums if name.startswith(f"{data.folder}/")]
        files = (
            f"{len(named)} files in {SUMS.name}" if named else f"sha256 of all files together {data.whole}"
        )
        lines += ["", f"{data.folder}  ({data.licence}; {files})", f"  {data.origin}"]
        lines += [f"  {data.note}"] if data.note else []
    return "\n".join(lines)


def read_sums() -> dict[str, str]:
    """Read the sha256 of each file, by its path under the data folder."""
    pairs = (line.split(maxsplit=1) for line in SUMS.read_text("utf-8").splitlines())
    return {name: digest for digest, name in pairs}


def check(folder: Path) -> list[str]:
    """Compare a folder with the sums; give what is missing or different."""
    return [*_check_files(folder), *_check_wholes(folder)]


def _check_files(folder: Path) -> Iterator[str]:
    for name, expected in read_sums().items():
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif (found := _sha256(path)) != expected:
            yield f"{name} has sha256 {found[:12]}, expected {expected[:12]}"


def _check_wholes(folder: Path) -> Iterator[str]:
    for data in SETS:
        if data.whole is None:
            continue
        files = sorted(p for p in (folder / data.folder).glob("**/*") if p.is_file())
        lines = [f"{_sha256(p)}  {p.relative_to(folder / data.folder).as_posix()}\n" for p in files]
        if not files:
            yield f"{data.folder} is missing"
        elif hashlib.sha256("".join(lines).encode()).hexdigest() != data.whole:
            yield f"{data.folder} ({len(files)} files) is not the set that the figures were made with"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main() -> None:
    """Describe the sets, or check a folder."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", type=Path, metavar="FOLDER", default=None)
    folder = parser.parse_args().check
    if folder is None:
        print(describe())
        print(f"\nQUICKSTUDY_DATA is {os.environ.get('QUICKSTUDY_DATA', 'not set')}.")
        return
    wrong = check(folder)
    if wrong:
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        sys.exit("\n  ".join([f"{folder} is not complete ({len(wrong)}):", *wrong[:_SHOWN]]) + more)
    print(f"{folder} holds all {len(SETS)} sets, every file as expected.")


if __name__ == "__main__":
    main()

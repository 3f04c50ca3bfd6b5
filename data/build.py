"""Build the bundled sample data from two source packages on PyPI: `python -m data.build`.

Only this file knows where the samples come from. It downloads `vaderSentiment` and `usaddress` with
pip, checks their sha256, and writes Parquet files whose bytes depend on nothing but the sources and
the version of pyarrow. What the samples hold is told in `data/README.md`.
"""

import hashlib
import html
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import ArtifactError, DataError

HERE = Path(__file__).parent
NEGATIVE_UP_TO = -0.5
POSITIVE_FROM = 0.5

DOMAINS = {
    "tweets": "tweets_GroundTruth.txt",
    "movies": "movieReviewSnippets_GroundTruth.txt",
    "products": "amazonReviewSnippets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
}

SENTIMENT_SCHEMA = pa.schema(
    [("text", pa.string()), ("label", pa.string()), ("rating", pa.float32()), ("domain", pa.string())]
)
ADDRESS_SCHEMA = pa.schema([("tokens", pa.list_(pa.string())), ("tags", pa.list_(pa.string()))])


@dataclass(frozen=True)
class Package:
    """A source package on PyPI and the sha256 of its archive."""

    requirement: str
    sha256: str


VADER = Package("vaderSentiment==0.5", "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a")
USADDRESS = Package("usaddress==0.5.16", "f7e614e2489c159cf85be1b6f86edbfaf329dbeedef4d002a025757afd1ec6c6")


def download(package: Package, folder: Path) -> Path:
    """Download a source package with pip and check its sha256.

    Raises:
        ArtifactError: The archive is not the one that the samples were built from.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), package.requirement], check=True)
    (archive,) = folder.iterdir()
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise ArtifactError(
            f"{archive.name} has sha256 {found}; expected {package.sha256}. PyPI served another archive: "
            "look at what changed before building from it."
        )
    return archive


def rating_label(rating: float) -> str:
    """Name the class of a mean rating from -4 to 4: both limits belong to the outer classes."""
    if rating <= NEGATIVE_UP_TO:
        return "negative"
    return "positive" if rating >= POSITIVE_FROM else "neutral"


def clean_text(text: str) -> str:
    """Unescape HTML entities until none is left (some are escaped twice) and strip the ends."""
    while (once := html.unescape(text)) != text:
        text = once
    return text.strip()


def parse_ratings(content: bytes, domain: str) -> pa.Table:
    """Parse lines of `id, mean rating, sentence`, separated by tabs, into SENTIMENT_SCHEMA.

    Raises:
        DataError: A line has not three fields, or its rating is not a number.
    """
    texts, ratings = [], []
    for number, line in enumerate(content.decode("utf-8").splitlines(), start=1):
        fields = line.split("\t")
        try:
            _, rating, text = fields
            ratings.append(float(rating))
        except ValueError as error:
            raise DataError(
                f"{domain}, line {number}: {line[:80]!r} is not `id, rating, sentence`"
            ) from error
        texts.append(clean_text(text))
    columns = [texts, [rating_label(r) for r in ratings], ratings, [domain] * len(texts)]
    return pa.Table.from_arrays(
        [pa.array(c, f.type) for c, f in zip(columns, SENTIMENT_SCHEMA, strict=True)], schema=SENTIMENT_SCHEMA
    )


def parse_addresses(content: bytes) -> pa.Table:
    """Parse `<AddressString>` elements into tokens and BIO tags (ADDRESS_SCHEMA).

    Neighbouring tokens with the same label are one entity: B- then I-. The source has no mark
    between two entities of the same type that touch, so such a pair can't be told from one entity.
    Text outside of labelled elements would be tagged O; the source has none.
    """
    root = ElementTree.fromstring(content)  # noqa: S314 - the archive's sha256 is checked
    rows = [_labelled_tokens(address) for address in root.iter("AddressString")]
    tokens = [[token for token, _ in row] for row in rows]
    tags = [_bio([label for _, label in row]) for row in rows]
    return pa.table([tokens, tags], schema=ADDRESS_SCHEMA)


def _labelled_tokens(address: ElementTree.Element) -> list[tuple[str, str]]:
    def pairs() -> Iterator[tuple[str | None, str]]:
        yield address.text, ""
        for part in address:
            if len(part):
                raise DataError(f"<{part.tag}> holds further elements; one level of labels is expected")
            yield part.text, part.tag
            yield part.tail, ""

    return [(token, label) for text, label in pairs() for token in (text or "").split()]


def _bio(labels: list[str]) -> list[str]:
    before = ["", *labels[:-1]]
    return [
        "O" if not now else f"I-{now}" if now == last else f"B-{now}"
        for now, last in zip(labels, before, strict=True)
    ]


def write(table: pa.Table, path: Path) -> None:
    """Write one row group of zstd Parquet; the same table gives the same bytes."""
    pq.write_table(table, path, compression="zstd", compression_level=19, row_group_size=len(table))


def _vader_reader(archive: Path) -> Callable[[str], bytes]:
    folder = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz"
    with zipfile.ZipFile(archive) as outer:
        inner = outer.read(folder)

    def read(name: str) -> bytes:
        with tarfile.open(fileobj=io.BytesIO(inner)) as tar:
            member = tar.extractfile(f"hutto_ICWSM_2014/{name}")
            if member is None:
                raise ArtifactError(f"{archive.name} holds no file {name}")
            return member.read()

    return read


def _usaddress_file(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"usaddress-0.5.16/{name}")
        if member is None:
            raise ArtifactError(f"{archive.name} holds no file {name}")
        return member.read()


def build(target: Path) -> None:
    """Write every sample and its licence into `target`."""
    (target / "sentiment").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
        vader, usaddress = download(VADER, Path(one)), download(USADDRESS, Path(two))
        read = _vader_reader(vader)
        for domain, name in DOMAINS.items():
            write(parse_ratings(read(name), domain), target / "sentiment" / f"{domain}.parquet")
        write(
            parse_addresses(_usaddress_file(usaddress, "training/labeled.xml")), target / "addresses.parquet"
        )
        with zipfile.ZipFile(vader) as outer:
            licence = outer.read("vaderSentiment-0.5/LICENSE.txt")
        (target / "LICENSE-vaderSentiment").write_bytes(licence.replace(b"\r\n", b"\n"))
        (target / "LICENSE-usaddress").write_bytes(_usaddress_file(usaddress, "LICENSE"))


if __name__ == "__main__":
    build(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)

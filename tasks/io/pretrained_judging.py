"""Compare a new pretrained start with the present one on the same masks of the same texts."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import ArtifactError
from models.gate import Measured, judge
from models.gating.tables import OutcomeTables, evidence_from
from models.pretrain.packing import TOKENIZER
from models.schemas import GateReport
from models.schemas.base import Description, Record
from models.schemas.pretrain import PackedCorpus, PretrainConfig, PretrainScores
from models.schemas.start import START_GATE_FIELDS
from models.text_hash import SPLITS, split_codes
from tasks.io.books import Books
from tasks.io.digests import checked, digest_of
from tasks.io.evaluation import OUTCOMES, read_baselines
from tasks.io.ledger import Decision, uses
from tasks.io.start_version import StartVersion
from tasks.io.verdicts import recorded

_JUDGING = (*START_GATE_FIELDS, "judged_texts", "masking_share", "span_length", "block_length", "seed")


class PretrainOccasion(Record):
    """What a verdict on a pretrained start is about.

    Args:
        version: The challenger's version.
        champion: The present start; None if there is none.
        packed: The corpus whose held-out texts both are judged on.
    """

    version: int
    champion: StartVersion | None
    packed: PackedCorpus

    @property
    def present(self) -> int | None:
        """Number of the present start."""
        return self.champion.version if self.champion else None

    @property
    def tokenizer(self) -> str:
        """Folder of the tokenizer."""
        return tokenizer_of(self.packed)

    @property
    def content(self) -> str:
        """Digest of the texts in sub-words."""
        return self.packed.artifact.digest

    def key(self, config: Description) -> str:
        """Identify the verdict: versions, texts, masks and the gate's rules."""
        rules = {name: getattr(config, name) for name in ("agent", *_JUDGING)}
        return digest_of([rules.pop("agent"), self.version, self.present, self.content, rules])


def tokenizer_of(packed: PackedCorpus) -> str:
    """Give the folder of a packed corpus's tokenizer."""
    return f"{packed.artifact.address}/{TOKENIZER}"


def judge_pretrained(
    books: Books,
    config: PretrainConfig,
    occasion: PretrainOccasion,
    challenger: PretrainScores,
    incumbent: PretrainScores | None,
) -> GateReport:
    """Ask the gate, and record its verdict.

    What is compared is the log-likelihood of each text's masked words: a paired test over the texts that are
    held out for both.

    Args:
        books: The record.
        config: The start; its gate fields are the rules.
        occasion: Who is compared, and on which texts.
        challenger: The new start's scores.
        incumbent: The present start's scores on the same texts.

    Raises:
        ArtifactError: The outcomes are not of the same texts.
    """
    own = pq.read_table(checked(challenger.outcomes) / OUTCOMES)
    others = {} if incumbent else read_baselines(challenger.outcomes)
    present = pq.read_table(checked(incumbent.outcomes) / OUTCOMES) if incumbent else None
    for table in (*others.values(), *([present] if present is not None else [])):
        _check_same(own, table, config.agent, challenger.outcomes.address)
    counted = pa.array(_held_out(own, config, occasion.champion))
    own = own.filter(counted)
    hashes = own["text_hash"].to_numpy()
    evidence = evidence_from(
        OutcomeTables(challenger=own, champion=present, baselines=others),
        current=None,
        uses=uses(books.ledger, config.agent, hashes),
        measured=Measured(size_mb=challenger.size_mb),
        metric="f1",
    )
    decision = Decision(
        key=occasion.key(config),
        agent=config.agent,
        challenger=occasion.version,
        champion=occasion.present,
        snapshot=occasion.content,
        report=judge(evidence, config),
    )
    return recorded(books, decision, hashes[evidence.fresh(config.max_reuse)])


def _held_out(texts: pa.Table, config: PretrainConfig, champion: StartVersion | None) -> np.ndarray:
    """Tell which texts the present start held out as well; it may have held out a smaller share."""
    hashes, before = texts["text_hash"].to_numpy(), champion.config if champion else None
    if not isinstance(before, PretrainConfig) or before.test_share >= config.test_share:
        return np.ones(len(hashes), bool)
    codes = split_codes(hashes, before.validation_share, before.test_share)
    held_out: np.ndarray = codes == SPLITS.index("test")
    return held_out


def _check_same(own: pa.Table, other: pa.Table, agent: str, address: str) -> None:
    if not all(own[name].equals(other[name]) for name in ("text_hash", "targets")):
        raise ArtifactError(
            f"{agent}'s outcomes are of other masks than what they are compared with. Remove {address} and "
            "run again; they are then made anew."
        )

"""Compare a new start with the present one on the same episodes, and keep the verdict."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import ArtifactError
from models.gate import Measured, judge
from models.gating.tables import OutcomeTables, evidence_from
from models.meta.judging import by_row, unseen
from models.meta.store import read_seen
from models.schemas import GateReport
from models.schemas.base import Description, Record
from models.schemas.start import START_GATE_FIELDS, EpisodeRows, StartConfig, StartScores
from tasks.io.books import Books
from tasks.io.digests import checked, digest_of
from tasks.io.evaluation import OUTCOMES, read_baselines
from tasks.io.ledger import Decision, uses
from tasks.io.start_version import StartVersion
from tasks.io.verdicts import recorded

_JUDGING = (*START_GATE_FIELDS, "test_episodes", "judged_way", "judged_shot", "n_query", "names", "seed")


class StartOccasion(Record):
    """What a verdict on a start is about.

    Args:
        version: The challenger's version.
        champion: The present start; None if there is none.
        rows: The rows that both are judged on.
    """

    version: int
    champion: StartVersion | None
    rows: EpisodeRows

    @property
    def present(self) -> int | None:
        """Number of the present start."""
        return self.champion.version if self.champion else None

    @property
    def tokenizer(self) -> None:
        """The rows are tokenized as the encoder does."""

    @property
    def content(self) -> str:
        """Digest of the rows."""
        return digest_of([source.encoded.digest for source in self.rows.sources])

    def key(self, config: Description) -> str:
        """Identify the verdict: versions, rows, episodes and the gate's rules."""
        rules = {name: getattr(config, name) for name in ("agent", *_JUDGING)}
        return digest_of([rules.pop("agent"), self.version, self.present, self.content, rules])


def judge_start(
    books: Books,
    config: StartConfig,
    occasion: StartOccasion,
    challenger: StartScores,
    incumbent: StartScores | None,
) -> GateReport:
    """Ask the gate, on the episodes that neither start has learned from, and record its verdict.

    What is compared, and what counts as used, is each held-out row with all answers about it: episodes that
    share rows are no independent evidence. The held-out classes are taken as they are, so the verdict is
    about these classes.

    Args:
        books: The record.
        config: The start; its gate fields are the rules.
        occasion: Who is compared, and on which rows.
        challenger: The new start's scores.
        incumbent: The present start's scores on the same episodes.

    Raises:
        ArtifactError: The outcomes are not of the same episodes.
    """
    own = pq.read_table(checked(challenger.outcomes) / OUTCOMES)
    others = {} if incumbent else read_baselines(challenger.outcomes)
    present = pq.read_table(checked(incumbent.outcomes) / OUTCOMES) if incumbent else None
    counted = pa.array(np.ones(len(own), bool))
    if occasion.champion is not None:
        counted = unseen(own, read_seen(checked(occasion.champion.start)), config.disjoint)

    def rows(table: pa.Table) -> pa.Table:
        if not all(table[name].equals(own[name]) for name in ("episode", "text_hash")):
            raise ArtifactError(
                f"{config.agent}'s outcomes are of other episodes than what they are compared with. Remove "
                f"{challenger.outcomes.address} and run again; they are then made anew."
            )
        return by_row(table.filter(counted))

    table = rows(own)
    hashes = table["text_hash"].to_numpy()
    evidence = evidence_from(
        OutcomeTables(
            challenger=table,
            champion=None if present is None else rows(present),
            baselines={name: rows(other) for name, other in others.items()},
        ),
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

"""StartStory: what a run of `meta_train` did, as one record."""

from models.schemas import GateReport, PromotionDecision
from models.schemas.base import Record
from models.schemas.start import StartConfig, StartReport, StartScores
from tasks.io.standing import Standing


class StartStory(Record):
    """One pass from sources to a judged start.

    Args:
        config: The start.
        version: Its version in the registry.
        training: Meta-training's report.
        scores: The new version's scores on meta-test, beside the baselines'.
        incumbent: The present start's scores on the same episodes.
        gate: The gate's verdict.
        decision: What happened to the champion alias.
        stale: Agents whose champions stand on another version of this start than its champion.
    """

    config: StartConfig
    version: int
    training: StartReport
    scores: StartScores
    incumbent: StartScores | None = None
    gate: GateReport
    decision: PromotionDecision
    stale: tuple[Standing, ...] = ()

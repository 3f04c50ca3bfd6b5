"""Flow `pretrain`: from sources of plain texts to a registered start that the gate has judged."""

from prefect import flow

from flows.placement import place
from flows.pretrain_fit import pretrain_fit
from models.schemas.pretrain import PretrainConfig
from tasks.gather import gather
from tasks.io.corpus import Shares
from tasks.io.pretrained_judging import PretrainOccasion, tokenizer_of
from tasks.io.pretrained_story import PretrainStory
from tasks.judge_start import judge_pretrained, present_start, promote_start, verdict_on_start
from tasks.pack import pack
from tasks.reconcile import reconcile
from tasks.register_pretrained import register_pretrained
from tasks.report_start import report_pretrained
from tasks.score_pretrained import score_pretrained


@flow(name="pretrain", flow_run_name="pretrain-{config.name}", validate_parameters=True)
def pretrain(config: PretrainConfig) -> PretrainStory:
    """Make or renew a start: gather texts, pack, pretrain, score held-out texts, register, gate, promote.

    Args:
        config: The start's description.
    """
    reconcile(config.agent)
    corpus = gather(config.agent, config.sources, _shares(config))
    packed = pack(config, corpus)
    champion = present_start(config, tokenizer_of(packed))
    training = place(pretrain_fit, config.work_pool, config=config, packed=packed)
    scores = score_pretrained(config, packed, training.start)
    version = register_pretrained(config, packed, training, scores)
    occasion = PretrainOccasion(version=version, champion=champion, packed=packed)
    gate = verdict_on_start(config, occasion)
    incumbent = None
    if gate is None:
        incumbent = score_pretrained(config, packed, champion.start, full=False) if champion else None
        gate = judge_pretrained(config, occasion, scores, incumbent)
    decision = promote_start(config, occasion, gate)
    told = PretrainStory(
        config=config,
        version=version,
        corpus=corpus,
        packed=packed,
        training=training,
        scores=scores,
        incumbent=incumbent,
        gate=gate,
        decision=decision,
    )
    return report_pretrained(told)


def _shares(config: PretrainConfig) -> Shares:
    return Shares(
        validation=config.validation_share, test=config.test_share, quarantine=config.max_quarantine_share
    )

"""Flow `meta_train`: from sources of small tasks to a registered start that the gate has judged."""

from prefect import flow

from flows.meta_fit import meta_fit
from flows.placement import place
from models.schemas.start import EncodedSource, EpisodeRows, StartConfig
from tasks.find_labels import find_labels
from tasks.ingest import ingest
from tasks.io.start_judging import StartOccasion
from tasks.io.start_story import StartStory
from tasks.judge_start import judge_start, present_start, promote_start, verdict_on_start
from tasks.preprocess import preprocess
from tasks.reconcile import reconcile
from tasks.register_start import register_start
from tasks.report_start import report_start
from tasks.score_start import score_start


@flow(name="meta-train", flow_run_name="meta-train-{config.name}", validate_parameters=True)
def meta_train(config: StartConfig) -> StartStory:
    """Make or renew a start: ingest, preprocess, meta-train, score on meta-test, register, gate, promote.

    Args:
        config: The start's description.
    """
    reconcile(config.agent)
    champion = present_start(config)
    rows = EpisodeRows(sources=tuple(_encoded(config, number) for number in range(len(config.sources))))
    training = place(meta_fit, config.work_pool, config=config, rows=rows)
    scores = score_start(config, rows, training.start)
    version = register_start(config, rows, training, scores)
    occasion = StartOccasion(version=version, champion=champion, rows=rows)
    gate = verdict_on_start(config, occasion)
    incumbent = None
    if gate is None:
        incumbent = score_start(config, rows, champion.start, full=False) if champion else None
        gate = judge_start(config, occasion, scores, incumbent)
    decision = promote_start(config, occasion, gate)
    told = StartStory(
        config=config,
        version=version,
        training=training,
        scores=scores,
        incumbent=incumbent,
        gate=gate,
        decision=decision,
    )
    return report_start(told)


def _encoded(config: StartConfig, number: int) -> EncodedSource:
    """Read and tokenize one source."""
    wanted = config.sources[number]
    labels = wanted.labels
    if not labels:
        labels = find_labels(config.source_name(number), wanted.source, wanted.adapter).names
    agent = config.source_agent(number, labels)
    snapshot = ingest(agent)
    encoded = preprocess(agent, snapshot)
    return EncodedSource(agent=agent, encoded=encoded.artifact, snapshot=snapshot.artifact)

"""Numbers and outcomes as plain English; no HTML, no pictures."""

from models.schemas.records import EvaluationReport, Metric, PromotionDecision, TestResult
from tasks.io.report.story import AgentStory, Round, Story

VERDICTS = {
    "promoted": "promoted",
    "kept": "champion kept",
    "not_enough_data": "not enough data",
    "not_enough_fresh_data": "not enough fresh data",
    "already_decided": "already decided",
    "promote": "promote",
    "keep": "keep the champion",
}
_SPELLED = {
    "f1": "F1",
    "crf": "CRF",
    "tfidf": "TF-IDF",
    "ms": "ms",
    "mb": "MB",
    "ner": "NER",
    "auroc": "AUROC",
}


FEW = 3
"""Up to this many agents are named in the headline."""


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters with an ellipsis, and drop control characters."""
    clean = "".join(c for c in text if c.isprintable())
    return clean if len(clean) <= limit else clean[: limit - 1].rstrip() + "…"


def metric_name(key: str) -> str:
    """Name a metric or a baseline for people: macro_f1 is macro F1."""
    return " ".join(_SPELLED.get(word.lower(), word) for word in key.replace("_", " ").split())


def named_test(name: str) -> str:
    """Name a test for people; a slice's own label is left as it is."""
    return name if "=" in name else metric_name(name)


def sentence(text: str) -> str:
    """Start with a capital letter and end with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".") if text else ""


def count(number: int, noun: str) -> str:
    """Write 1 row, 1,234 rows."""
    many = noun if number == 1 else (noun[:-1] + "ies" if noun.endswith("y") else noun + "s")
    return f"{number:,} {many}"


def p_value(p: float) -> str:
    """Write a p-value: p = 0.003, p < 0.001."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"


def seconds(value: float) -> str:
    """Write a duration: 0.4 s, 12 s, 3 min 20 s, 1 h 05 min."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def interval(metric: Metric) -> str:
    """Write a score with its 95 % interval: 0.762 (0.726 to 0.797)."""
    return f"{metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})"


def points(difference: float) -> str:
    """Write a difference of fractions in points with its sign: +4.7."""
    value = round(difference * 100, 1)
    return f"{'+' if value > 0 else '−' if value < 0 else '±'}{abs(value):.1f}"  # noqa: RUF001


def comparison(test: TestResult, metric: str) -> str:
    """Write a paired test: accuracy 0.71 -> 0.76 on 555 rows (p = 0.003)."""
    return (
        f"{metric} {test.champion:.3f} → {test.challenger:.3f} "
        f"on {count(test.rows, 'new row')} ({p_value(test.p_value)})"
    )


def primary(report: EvaluationReport | None) -> Metric | None:
    """Give the primary metric of an evaluation, if there is one."""
    return report.metrics.get(report.primary) if report else None


def champion_evaluation(agent: AgentStory) -> EvaluationReport | None:
    """Give the champion's newest scores; where there is no champion, the newest scores of any version."""
    reports = [r.evaluation for r in agent.rounds if r.evaluation]
    for turn in reversed(agent.rounds):
        if agent.champion is not None and turn.version == agent.champion and turn.evaluation:
            return turn.evaluation
        if turn.decision and turn.decision.champion == agent.champion and turn.champion_evaluation:
            return turn.champion_evaluation
    return reports[-1] if reports else None


def outcome(decision: PromotionDecision) -> str:
    """Say what happened to the champion alias, without the agent's name."""
    new, old = decision.challenger, decision.previous
    if decision.verdict == "promoted":
        return f"version {new} promoted over version {old}" if old else f"version {new} is the first champion"
    if decision.verdict == "already_decided":
        return f"version {decision.champion} stays champion, nothing new to decide"
    stays = f"version {decision.champion} stays champion" if decision.champion else "no champion yet"
    against = f", version {new} did not replace it" if new and decision.champion else ""
    return (
        f"{stays}{against} ({VERDICTS[decision.verdict]})" if decision.verdict != "kept" else stays + against
    )


def round_sentence(turn: Round) -> str:
    """Say in one sentence how a round ended."""
    said = outcome(turn.decision) if turn.decision else _unfinished(turn)
    primary_name = metric_name(turn.evaluation.primary) if turn.evaluation else "score"
    score = primary(turn.evaluation)
    if turn.gate and turn.gate.superiority:
        return f"{said}: {comparison(turn.gate.superiority, primary_name)}"
    if score:
        row = "cross-validated example" if turn.flow == "learn" else "held-out row"
        return f"{said}: {primary_name} {interval(score)} on {count(score.rows, row)}"
    return said


def _unfinished(turn: Round) -> str:
    if turn.version:
        return f"version {turn.version} registered, not judged"
    if turn.drift:
        return "drift found" if turn.drift.drifted else "no drift found"
    return f"{turn.flow} has no result yet"


def agent_sentence(agent: AgentStory) -> str:
    """Say what happened to an agent: its last round, with its name in front."""
    last = round_sentence(agent.rounds[-1]) if agent.rounds else "nothing ran yet"
    return f"{agent.config.name}: {last}"


def headline(story: Story) -> str:
    """Sum the whole story up in a few words for the top of the page."""
    if not story.agents:
        return "nothing ran yet"
    if len(story.agents) <= FEW:
        return "; ".join(_moved(agent) for agent in story.agents)
    decisions = [a.rounds[-1].decision for a in story.agents if a.rounds]
    made = sum(d is not None and d.verdict == "promoted" for d in decisions)
    return f"{count(len(story.agents), 'agent')}, {made} with a new champion"


def _moved(agent: AgentStory) -> str:
    name = agent.config.name
    last = agent.rounds[-1].decision if agent.rounds else None
    if last is None:
        return f"{name} is not decided yet"
    if last.verdict == "promoted":
        return (
            f"{name} moved to version {last.champion}" if last.previous else f"{name} has its first champion"
        )
    return f"{name} keeps version {last.champion}" if last.champion else f"{name} has no champion yet"

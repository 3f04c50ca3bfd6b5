"""What the terminal shows: tables that are good at 80 columns; text from users is never read as markup."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Protocol

import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.schemas import GateReport, Metric, Move
from models.schemas.trials import SearchReport
from tasks.io.pretrained_story import PretrainStory
from tasks.io.report import words
from tasks.io.report.search_story import by_score, search_sentence, value_text
from tasks.io.report.story import AgentStory, Round, Story
from tasks.io.standing import stale_sentence
from tasks.io.start_story import StartStory

_STYLES = {
    "promoted": "green",
    "promote": "green",
    "kept": "blue",
    "keep": "blue",
    "already_decided": "blue",
    "not_enough_data": "yellow",
    "not_enough_fresh_data": "yellow",
}


_TRIALS_SHOWN = 10


class Judged(Protocol):
    """A verdict as the ledger keeps it."""

    @property
    def challenger(self) -> int:
        """Version that was judged."""

    @property
    def report(self) -> GateReport:
        """The gate's verdict."""


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="dim", show_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name.startswith(">") else "left", overflow="fold")
        table.columns[-1].header = name.removeprefix(">")
    return table


def _verdict(verdict: str) -> Text:
    return Text(words.VERDICTS.get(verdict, verdict), style=_STYLES.get(verdict, ""))


def _version(number: int | None) -> Text:
    return Text(f"v{number}" if number else "none", style="bold" if number else "dim")


def _time(moment: datetime) -> Text:
    utc = moment.astimezone(UTC) if moment.tzinfo else moment
    return Text(f"{utc:%Y-%m-%d %H:%M}", no_wrap=True)


def summary_table(story: Story) -> RenderableType:
    """Show at a run's end, per round, version, score and verdict; below, what happened and where it lies."""
    table = _table("agent", "flow", "version", "score (95 %)", ">rows", "verdict")
    for agent in story.agents:
        for i, turn in enumerate(agent.rounds):
            table.add_row(Text(agent.config.name if i == 0 else "", style="bold"), *_round(turn))
    said: list[RenderableType] = [Text(words.sentence(_said(agent))) for agent in story.agents]
    paths = _table("", "")
    paths.show_header = False
    for link in story.links:
        paths.add_row(Text(link.name, style="dim"), Text(link.target, overflow="fold"))
    below: list[RenderableType] = [Text(), paths] if story.links else []
    return Group(Text(), table, Text(), *said, *below)


def _said(agent: AgentStory) -> str:
    last = agent.rounds[-1] if agent.rounds else None
    why = last.decision.reason if last and last.decision else ""
    return words.agent_sentence(agent) + (f". Why: {why}" if why else "")


def _round(turn: Round) -> tuple[Text, ...]:
    score = words.primary(turn.evaluation)
    metric = words.metric_name(turn.evaluation.primary) if turn.evaluation else ""
    said = Text(f"{metric} {score.value:.3f} ") if score else Text("not scored", style="dim")
    if score:
        said.append(f"{score.low:.3f} to {score.high:.3f}", style="dim")
    return (
        Text(turn.flow),
        _version(turn.version),
        said,
        Text(f"{score.rows:,}" if score else ""),
        _verdict(turn.decision.verdict) if turn.decision else Text("no decision", style="dim"),
    )


def start_table(told: StartStory) -> RenderableType:
    """Show how well a new start adapts, beside what has learned nothing and the present start."""
    present = told.incumbent.score if told.incumbent else None
    return _beside(told, "score (95 %)", told.scores.score, present, digits=3)


def pretrained_table(told: PretrainStory) -> RenderableType:
    """Show how well a new start predicts held-out texts, beside the model before and the present start."""
    present = told.incumbent.perplexity if told.incumbent else None
    return _beside(told, "perplexity (95 %)", told.scores.perplexity, present, digits=2)


def _beside(
    told: StartStory | PretrainStory, column: str, own: Metric, present: Metric | None, *, digits: int
) -> RenderableType:
    """Show a new start's figure above those of its baselines and of the present start."""
    table = _table("start", "version", column, ">rows", "verdict")
    new = (Text(told.config.name, style="bold"), _version(told.version))
    table.add_row(*new, _interval(own, digits), _counted(own), _verdict(told.decision.verdict))
    others = dict(told.scores.baselines)
    if present:
        others["the present one"] = present
    for name, metric in others.items():
        table.add_row(Text(name, style="dim"), Text(), _interval(metric, digits), _counted(metric), Text())
    said = [Text(f"Why: {told.decision.reason}"), *(Text(stale_sentence(one)) for one in told.stale)]
    return Group(Text(), table, Text(), *said)


def _interval(metric: Metric, digits: int) -> Text:
    value, low, high = (f"{x:.{digits}f}" for x in (metric.value, metric.low, metric.high))
    return Text(f"{value} ").append(f"{low} to {high}", style="dim")


def _counted(metric: Metric) -> Text:
    return Text(f"{metric.rows:,}")


def search_table(told: SearchReport) -> RenderableType:
    """Show the best trials of a search with their values, and which one is proposed."""
    fields = list(told.present)
    table = _table(">trial", "state", f"validation {words.metric_name(told.metric)}", *fields)
    for one in by_score(told.trials)[:_TRIALS_SHOWN]:
        score = f"{one.report.score:.4f}" if one.report.score is not None else ""
        style = "bold" if one.trial.number == told.best else ""
        values = (Text(value_text(one.trial.values[name])) for name in fields)
        table.add_row(str(one.trial.number), Text(one.report.state), Text(score), *values, style=style)
    more = len(told.trials) - _TRIALS_SHOWN
    said = [f"and {words.count(more, 'trial')} more in MLflow"] if more > 0 else []
    said += [f"{search_sentence(told)} {words.seconds(told.seconds)} of training in all."]
    if told.proposed:
        said += ["The best of many is flattered; the gate decides on rows that no trial saw."]
    return Group(Text(), table, Text(), *map(Text, said))


def history_table(moves: Sequence[Move]) -> RenderableType:
    """Show the champion's history, newest first, with who moved it and why."""
    table = _table("when (UTC)", "from", "to", "how", "by", "why")
    for move in reversed(moves):
        how = move.kind if move.state == "done" else f"{move.kind} ({move.state})"
        style = "" if move.state == "done" else "dim"
        versions = (_version(move.from_version), _version(move.to_version))
        table.add_row(_time(move.at), *versions, Text(how), Text(move.actor), Text(move.reason), style=style)
    return table


def status_table(agents: Mapping[str, tuple[Sequence[Move], Sequence[Judged]]]) -> RenderableType:
    """Show every agent with its champion and its last verdict.

    Args:
        agents: By name, the ledger's moves and the gate's decisions, both oldest first.
    """
    table = _table("agent", "champion", "since (UTC)", ">moves", "last verdict")
    for name, (moves, decisions) in agents.items():
        done = [move for move in moves if move.state == "done"]
        last = done[-1] if done else None
        table.add_row(
            Text(name, style="bold"),
            _version(last.to_version if last else None),
            _time(last.done_at or last.at) if last else Text(),
            Text(str(len(done))),
            _judged(decisions[-1]) if decisions else Text("never judged", style="dim"),
        )
    return table


def _judged(decision: Judged) -> Text:
    said = Text(f"v{decision.challenger}: ").append(_verdict(decision.report.verdict))
    return said.append(f", {decision.report.reason}", style="dim")


def prediction_table(texts: Sequence[str], predictions: pa.Table) -> RenderableType:
    """Show one line a row: its label or labels, the entities found in it, or what was written.

    Args:
        texts: What was asked.
        predictions: One row a text: the answer first (`tags` with `tokens`, where known), and `confidence`.
    """
    answer = predictions.column_names[0] if "tags" not in predictions.column_names else "tags"
    table = _table("text", "found" if answer == "tags" else answer, "sure")
    for text, row in zip(texts, predictions.to_pylist(), strict=True):
        table.add_row(Text(text), _answer(text, row, answer), _sure(float(row["confidence"])))
    return table


def _answer(text: str, row: Mapping[str, Any], name: str) -> Text:
    if name == "tags":
        return _entities(text, row)
    if isinstance(row[name], list):
        return Text(", ".join(row[name]), style="bold") if row[name] else Text("nothing", style="dim")
    return Text(str(row[name]), style="bold")


def _sure(confidence: float) -> Text:
    full = round(confidence * 10)
    return Text("━" * full, style="green").append("─" * (10 - full), style="dim").append(f" {confidence:.2f}")


def _entities(text: str, row: Mapping[str, list[str]]) -> Text:
    tags, tokens = row["tags"], row.get("tokens") or text.split()
    if len(tags) != len(tokens):
        return Text(" ".join(tags))
    found = Text()
    for number, pairs in groupby(zip(tokens, tags, _numbers(tags), strict=True), key=lambda pair: pair[2]):
        words_in = list(pairs)
        if number:
            found.append("\n" if found else "").append(f"{words_in[0][1][2:]} ", style="bold")
            found.append(" ".join(token for token, _, _ in words_in))
    return found or Text("nothing", style="dim")


def _numbers(tags: Sequence[str]) -> list[int]:
    """Number the entities: 0 outside, then 1, 2, 3 ..."""
    numbers, last = [], 0
    for tag in tags:
        last += tag.startswith("B-")
        numbers.append(last if tag != "O" else 0)
    return numbers

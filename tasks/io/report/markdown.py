"""The story in short, as Markdown for a Prefect artifact."""

from tasks.io.report import words
from tasks.io.report.story import AgentStory, Story

_SPECIAL = str.maketrans(
    {c: f"\\{c}" for c in "\\`*_[]|#"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;", "\n": " "}
)


def as_markdown(story: Story) -> str:
    """Tell the story in a few lines: a table of agents, the reasons, and where the records are."""
    lines = [f"# {safe(words.sentence(words.headline(story)))}", ""]
    if story.agents:
        lines += ["| agent | champion | metric | score (95 %) | verdict |", "|---|---|---|---|---|"]
        lines += [_line(agent) for agent in story.agents]
        lines.append("")
    lines += [f"- {safe(words.sentence(words.agent_sentence(agent)))}" for agent in story.agents]
    lines += _reasons(story)
    if story.links:
        lines += ["", *(f"{safe(link.name)}: {safe(link.target)}  " for link in story.links)]
    return "\n".join(lines).rstrip() + "\n"


def safe(text: str) -> str:
    """Take away what Markdown or HTML would read as markup."""
    return text.translate(_SPECIAL)


def _line(agent: AgentStory) -> str:
    last = agent.rounds[-1] if agent.rounds else None
    report = words.champion_evaluation(agent)
    score, metric = words.primary(report), words.metric_name(report.primary) if report else ""
    verdict = words.VERDICTS[last.decision.verdict] if last and last.decision else "no decision"
    cells = (
        agent.config.name,
        f"version {agent.champion}" if agent.champion else "none",
        metric,
        words.interval(score) if score else "",
        verdict,
    )
    return "| " + " | ".join(safe(c) for c in cells) + " |"


def _reasons(story: Story) -> list[str]:
    said = [
        f"- {safe(a.config.name)}, {safe(r.flow)}: {safe(words.sentence(r.decision.reason))}"
        for a in story.agents
        for r in a.rounds
        if r.decision and r.decision.reason
    ]
    return ["", "**Why**", "", *said] if said else []

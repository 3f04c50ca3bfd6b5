"""Print, as a JSON list, what is wrong with a home: `python -m benchmarks.check_home HOME VERSIONS AGENT`."""

import itertools
import json
import sys
from pathlib import Path

from models.predictor import Predictor
from models.schemas.agent import START_PREFIX
from models.start_frames import StartEncoder
from tasks.io.books import Books
from tasks.io.home import home_at
from tasks.io.ledger import agents, champion, decisions, history
from tasks.io.registry import champion_version, model_folder, verify_artifact, versions


def wrong_with(home: Path, expected: int, agent: str) -> list[str]:
    """Check versions, champion, ledger and left-overs of a home where a command has ended well.

    Args:
        home: The home.
        expected: How many versions there should be.
        agent: Whose: the only agent, or start, that the ledger knows.
    """
    place = home_at(home)
    books = place.books()
    found = [info.version for info in versions(books, agent)]
    problems = [] if len(found) == expected else [f"{len(found)} versions, expected {expected}"]
    trainings = [info.training for info in versions(books, agent)]
    if len(set(trainings)) != len(trainings):
        problems.append("one training has two versions")
    return problems + _ledger_problems(books, agent) + _champion_problems(books, agent) + _left_over(home)


def _ledger_problems(books: Books, agent: str) -> list[str]:
    moves = history(books.ledger, agent)
    problems = [f"move {m.id} is still an intent" for m in moves if m.state == "intent"]
    done = [m for m in moves if m.state == "done"]
    problems += [
        f"move {after.id} starts from {after.from_version}, not from {before.to_version}"
        for before, after in itertools.pairwise(done)
        if after.from_version != before.to_version
    ]
    targets = [m.to_version for m in done]
    if len(set(targets)) != len(targets):
        problems.append("a version was promoted twice")
    keys = [(d.challenger, d.champion, d.snapshot) for d in decisions(books.ledger, agent)]
    return problems + (["one decision stands twice"] if len(set(keys)) != len(keys) else [])


def _champion_problems(books: Books, agent: str) -> list[str]:
    if agents(books.ledger) != (agent,):
        return [f"the ledger knows {agents(books.ledger)}"]
    alias, known = champion_version(books, agent), champion(books.ledger, agent)
    if alias is None or alias != known:
        return [f"the alias is on {alias}, the ledger says {known}"]
    verify_artifact(books, agent, alias)
    folder = model_folder(books, agent, alias)
    if agent.startswith(START_PREFIX):
        answers = len(StartEncoder.load(folder).embed_frame(["what a day"]))
    else:
        answers = Predictor.load(folder).predict(["what a day"]).num_rows
    return [] if answers == 1 else ["the champion does not answer"]


def _left_over(home: Path) -> list[str]:
    return [
        f"left over: {path.relative_to(home)}"
        for pattern in (".tmp-*", "*.tmp", "tmp-*")
        for path in home.rglob(pattern)
        if "prefect" not in path.parts
    ]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(wrong_with(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])) + "\n")

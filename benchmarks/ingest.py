"""Measure ingest against pyarrow alone: speed, and memory at its peak.

    python -m benchmarks.ingest --rows 10_000_000 40_000_000

pyarrow alone reads the clean file with `open_csv` and writes it with `ParquetWriter`; ingest reads the
same rows with one bad row in a thousand between them. Each run is a process of its own, and the kinds of
runs take turns. Times are those of the work, without the start of the process.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.ingest_data import BAD_SHARE, KINDS, LABELS, Files, make_files
from benchmarks.results import record

RUNS = ("pyarrow", "ingest", "ingest with duplicates")
_TARGETS = {"ingest": 0.5, "ingest with duplicates": 0.25}


@dataclass(frozen=True)
class Run:
    """One run of one kind.

    Args:
        kind: One of RUNS.
        seconds: Time of the work.
        peak_mb: Most memory resident at any time (megabytes).
        rows: Rows written.
        aside: Rows in quarantine.
    """

    kind: str
    seconds: float
    peak_mb: float
    rows: int
    aside: int = 0


def _with_pyarrow(path: Path, out: Path) -> tuple[int, int]:
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    rows = 0
    with pacsv.open_csv(path) as reader, pq.ParquetWriter(out / "rows.parquet", reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += len(batch)
    return rows, 0


def _with_ingest(path: Path, out: Path, *, find_duplicates: bool) -> tuple[int, int]:
    from models.schemas import AgentConfig, SourceConfig
    from tasks.io.snapshots import ingest

    source = SourceConfig(address=str(path))
    config = AgentConfig(name="bench", adapter="text_classification", labels=LABELS, sources=(source,))
    snapshot = ingest(config, out, find_duplicates=find_duplicates)
    return snapshot.rows, snapshot.quarantined


def _run_here(kind: str, path: Path) -> Run:
    """Do one run in this process."""
    # What is imported late is imported before the clock starts.

    if kind != "pyarrow":
        pass
    out = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        start = time.perf_counter()
        if kind == "pyarrow":
            rows, aside = _with_pyarrow(path, out)
        else:
            rows, aside = _with_ingest(path, out, find_duplicates=kind == RUNS[2])
        seconds = time.perf_counter() - start
    finally:
        shutil.rmtree(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)
    return Run(kind, seconds, peak, rows, aside)


def measure(files: Files, kind: str) -> Run:
    """Do one run in a fresh process."""
    path = files.clean if kind == "pyarrow" else files.dirty
    command = [sys.executable, "-m", "benchmarks.ingest", "--run", kind, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    run = Run(**json.loads(done.stdout.splitlines()[-1]))
    print(f"  {kind:24} {run.seconds:7.2f} s  {run.peak_mb:6.0f} MB  {run.rows:,} rows", flush=True)
    return run


def check_counts(runs: Sequence[Run], rows: int, bad: int) -> None:
    """Compare what came out with what went in.

    Raises:
        SystemExit: A row was lost or made.
    """
    for run in runs:
        total = rows if run.kind == "pyarrow" else rows + bad
        if run.rows + run.aside != total or (run.kind == RUNS[2] and run.aside != bad):
            sys.exit(f"{run.kind}: {run.rows} rows and {run.aside} aside; {rows} and {bad} were written.")


def table(rows: int, runs: Sequence[Run]) -> str:
    """Write the lines of one file's size."""
    speeds = {k: [r.rows / r.seconds for r in runs if r.kind == k] for k in RUNS}
    alone = statistics.median(speeds["pyarrow"])
    lines = []
    for kind in RUNS:
        of_kind = [r for r in runs if r.kind == kind]
        ratio = statistics.median(speeds[kind]) / alone
        target = f"{_TARGETS[kind]:.2f}" if kind in _TARGETS else ""
        peak = max(r.peak_mb for r in of_kind)
        spread = f"{min(speeds[kind]) / 1e6:.2f} - {max(speeds[kind]) / 1e6:.2f}"
        median = statistics.median(speeds[kind]) / 1e6
        lines.append(
            f"| {rows:,} | {kind} | {median:.2f} | {spread} | {ratio:.2f} | {target} | {peak:,.0f} "
            f"| {of_kind[0].aside:,} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure all sizes and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000_000, 40_000_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "quickstudy-ingest")
    parser.add_argument("--no-record", action="store_true", help="only print")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        print(json.dumps(asdict(_run_here(arguments.run[0], Path(arguments.run[1])))))
        return
    lines = [
        "| rows | run | million rows/s (median) | range | of pyarrow's speed | target | peak MB | aside |",
        "|---:|---|---:|---:|---:|---:|---:|---:|",
    ]
    for rows in arguments.rows:
        print(f"{rows:,} rows", flush=True)
        files = make_files(arguments.folder, rows)
        runs = [measure(files, kind) for _ in range(arguments.repeats) for kind in RUNS]
        check_counts(runs, rows, files.bad)
        lines.append(table(rows, runs))
    note = (
        f"One bad row in {round(1 / BAD_SHARE):,}, of {KINDS} kinds, two of them duplicates; pyarrow alone "
        f"reads the same rows without them. {arguments.repeats} runs each, in turns; limit 1,000 MB."
    )
    print("\n".join([*lines, "", note]))
    if not arguments.no_record:
        given = " ".join(f"{rows:_}" for rows in arguments.rows)
        record("Ingest", f"python -m benchmarks.ingest --rows {given}", "\n".join([*lines, "", note]))


if __name__ == "__main__":
    main()

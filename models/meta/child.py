"""The child process that meta-trains: `python -m models.meta.child JOB.json`.

Where a start asks for several processes, this one only starts them and waits; each is this module again.
"""

import json
import os
import signal
import sys
from pathlib import Path

from models.errors import TrainingError
from models.interpreter import uncollected
from models.training.child import PARENT, serve
from models.training.job import ERROR

_WORLD_SIZE = "WORLD_SIZE"
"""Set by the launcher for each process that it starts."""


def main() -> int:
    """Meta-train the job named on the command line; return the process's exit code."""

    def run(request: bytes) -> None:
        processes = json.loads(request)["config"]["processes"]
        if processes > 1 and _WORLD_SIZE not in os.environ:
            _launch(processes, sys.argv[1])
            return
        # Imported here, so that a parent that dies during the slow import takes this process along.
        with uncollected():
            from models.meta.fit import meta_fit
            from models.meta.job import MetaJob
            from models.meta.ranks import joined
        with joined():
            meta_fit(MetaJob.model_validate_json(request))

    return serve(run)


def _launch(processes: int, request: str) -> None:
    """Start processes that find each other on this machine, and wait; if one fails, all are ended.

    Raises:
        TrainingError: One failed; what it raised, it has told itself.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import main as launch

    os.environ[PARENT] = str(os.getpid())
    here = ["--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes)]
    try:
        launch([*here, "--module", "models.meta.child", request])
    except ChildFailedError as error:
        number, failure = error.get_first_failure()
        if failure.exitcode == -signal.SIGKILL:
            # As if it had been this process: who waits for it knows what the kernel kills for.
            Path(request).with_name(ERROR).unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)
        raise TrainingError(
            f"Process {number} of {processes} ended with code {failure.exitcode}; the log tells why. Run "
            "again: meta-training goes on at its last checkpoint."
        ) from error


if __name__ == "__main__":
    sys.exit(main())

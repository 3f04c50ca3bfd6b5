"""The child process that meta-trains: `python -m models.meta.child JOB.json`.

Where a start asks for several processes, this one only starts them and waits; each is this module again.
"""

import json
import os
import sys

from models.interpreter import uncollected
from models.training.child import PARENT, serve

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
    """Start processes that find each other on this machine, and wait; if one fails, all are ended."""
    from torch.distributed.run import main as launch

    os.environ[PARENT] = str(os.getpid())
    here = ["--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node", str(processes)]
    launch([*here, "--module", "models.meta.child", request])


if __name__ == "__main__":
    sys.exit(main())

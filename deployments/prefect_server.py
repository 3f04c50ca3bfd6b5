"""The Prefect server of an embedded run: `python -m deployments.prefect_server PORT PARENT`.

It ends when its parent does, however that happens (Linux tells it so; elsewhere it looks once a
second), so a killed run leaves no server behind.
"""

import ctypes
import os
import signal
import sys
import threading
import time

from models.interpreter import uncollected

_PR_SET_PDEATHSIG = 1


def end_with(parent: int) -> None:
    """Arrange that this process ends when the process `parent` does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(port: int, parent: int) -> None:
    """Serve Prefect's API on a loopback port until the parent ends or a signal comes."""
    end_with(parent)
    with uncollected():
        import uvicorn
        from prefect.server.api.server import create_app

    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="error", lifespan="on")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

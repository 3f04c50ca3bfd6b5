"""The Prefect server of an embedded run: `python -m deployments.prefect_server PORT PARENT`.

It ends when its parent does, so a killed run leaves no server behind.
"""

import sys

from models.interpreter import end_with, uncollected


def main(port: int, parent: int) -> None:
    """Serve Prefect's API on a loopback port until the parent ends or a signal comes."""
    end_with(parent)
    with uncollected():
        import uvicorn
        from prefect.server.api.server import create_app

    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="error", lifespan="on")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

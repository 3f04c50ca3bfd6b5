"""Run everything on one machine: own state, own Prefect server, nobody else's settings.

What the shell and the home folder say about Prefect and MLflow is left out, and said so, because a
forgotten PREFECT_API_URL would send these runs to somebody's production server. Call `isolate`
before anything imports Prefect or MLflow: both read their settings at import.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from models.errors import QuickstudyError
from models.interpreter import uncollected
from tasks.io.home import Home

_START_SECONDS = 120
_PREFIXES = ("PREFECT_", "MLFLOW_")


def settings_for(home: Home) -> dict[str, str]:
    """Give the environment that points Prefect and MLflow at one home."""
    return {
        "QUICKSTUDY_HOME": str(home.root),
        "QUICKSTUDY_DB": home.ledger_url,
        "QUICKSTUDY_MLFLOW_URI": home.mlflow_uri,
        "PREFECT_HOME": str(home.prefect),
        "PREFECT_PROFILES_PATH": str(home.prefect / "profiles.toml"),
        "PREFECT_LOCAL_STORAGE_PATH": str(home.results),
        "PREFECT_RESULTS_DEFAULT_SERIALIZER": "json",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "flows,tasks,models",
        "PREFECT_LOGGING_ROOT_LEVEL": "INFO",
        "PREFECT_LOGGING_LEVEL": "INFO",
        # Prefect prints tracebacks of failed runs; here an error is one paragraph (they are in the UI's log).
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "ERROR" if _debugging() else "CRITICAL",
        "PREFECT_LOGGING_SERVER_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "MLFLOW_TRACKING_URI": home.mlflow_uri,
        "MLFLOW_REGISTRY_URI": home.mlflow_uri,
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_LOGGING_LEVEL": "WARNING",
        "DO_NOT_TRACK": "1",
    }


def adopt(home: Home) -> list[str]:
    """Replace the ambient Prefect and MLflow settings of this process; give the names left out.

    Nothing heavy is imported; the settings must be there before Prefect or MLflow are.
    """
    ignored = sorted(name for name in os.environ if name.startswith(_PREFIXES))
    ignored += [f"./{name}" for name in ("prefect.toml", ".env") if Path(name).is_file()]
    if (Path.home() / ".prefect" / "profiles.toml").is_file():
        ignored.append("~/.prefect/profiles.toml")
    for name in ignored:
        os.environ.pop(name, None)
    os.environ.update(settings_for(home.make()))
    return ignored


def isolate(home: Home) -> list[str]:
    """Do the same, and import Prefect where none of its other settings files lie.

    Prefect also reads prefect.toml, pyproject.toml and .env in the folder where it is imported.
    """
    ignored = adopt(home)
    _import_prefect(home)
    return ignored


def _import_prefect(home: Home) -> None:
    with contextlib.chdir(home.prefect):
        import prefect  # noqa: F401 - imported here for its settings


def _debugging() -> bool:
    return os.environ.get("QUICKSTUDY_DEBUG") == "1"


def free_port() -> int:
    """Give a loopback port that nobody listens on now."""
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until a server answers.

    Raises:
        QuickstudyError: It ended, or did not answer within two minutes.
    """
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace").strip().splitlines()[-3:]
            raise QuickstudyError(f"The server for {url} did not start; the end of {log}: {' | '.join(tail)}")
        time.sleep(0.05)


def start_server(home: Home, port: int, *, pages: bool = False) -> tuple[subprocess.Popen[bytes], Path]:
    """Start a Prefect server on this home's records; it ends when this process does.

    Args:
        home: The state.
        port: Loopback port.
        pages: Serve the UI and the background services as well.
    """
    log = home.prefect / "server.log"
    command = [sys.executable, "-m", "deployments.prefect_server", str(port), str(os.getpid())]
    environment = os.environ | {"PREFECT_API_URL": f"http://127.0.0.1:{port}/api"}
    if not pages:
        environment |= {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1"}
    environment["PREFECT__SERVER_FINAL"] = "1"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, env=environment, stdout=stream, stderr=stream, start_new_session=True, cwd=home.prefect
        )
    return process, log


def _flush_logs() -> None:
    """Send the last log lines while the server still listens."""
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=5)


@contextlib.contextmanager
def embedded(home: Home) -> Iterator[list[str]]:
    """Run the body against this home alone, with a Prefect server of its own.

    Yields:
        The names of the ambient settings that are left out.
    """
    port = free_port()
    left_out = adopt(home)
    process, log = start_server(home, port)
    try:
        # Heavy imports overlap with the server's start.
        with uncollected():
            _import_prefect(home)
            import mlflow  # noqa: F401

            import flows.loop  # noqa: F401 - with it all the flows, tasks and models

        wait_for(process, f"http://127.0.0.1:{port}/api/health", log)
        os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
        from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        # Nobody here looks for missing heartbeats, and ending their thread takes each flow a second.
        settings = {PREFECT_API_URL: os.environ["PREFECT_API_URL"], PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
        with temporary_settings(settings):
            try:
                yield left_out
            finally:
                _flush_logs()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

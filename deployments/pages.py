"""`quickstudy ui`: the Prefect and MLflow pages on this home's records, until Ctrl-C."""

import contextlib
import os
import signal
import subprocess
import sys
import webbrowser
from pathlib import Path

from rich.console import Console

from deployments.embedded import isolate, start_server, wait_for
from models.errors import ConfigError
from tasks.io.home import Home, current_home


def _check_free(port: int, option: str) -> None:
    import socket

    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ConfigError(f"Port {port} is taken on this machine; name another one with {option} PORT.")


def serve_pages(prefect_port: int, mlflow_port: int) -> None:
    """Serve both pages on loopback; end both at Ctrl-C or SIGTERM.

    Raises:
        ConfigError: A port is taken.
    """
    home = current_home()
    _check_free(prefect_port, "--prefect-port")
    _check_free(mlflow_port, "--mlflow-port")
    isolate(home)
    # Before there is anything to end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as ending:
        prefect, prefect_log = start_server(home, prefect_port, pages=True)
        ending.callback(_end, prefect)
        mlflow, mlflow_log = _start_mlflow(home, mlflow_port)
        ending.callback(_end, mlflow)
        wait_for(prefect, f"http://127.0.0.1:{prefect_port}/api/health", prefect_log)
        wait_for(mlflow, f"http://127.0.0.1:{mlflow_port}/health", mlflow_log)
        _open((f"http://127.0.0.1:{prefect_port}", f"http://127.0.0.1:{mlflow_port}"))
        prefect.wait()


def _start_mlflow(home: Home, port: int) -> tuple[subprocess.Popen[bytes], Path]:
    """Start MLflow's server on this home's records; it ends, workers and all, when this process does."""
    log = home.root / "mlflow-server.log"
    command = [sys.executable, "-m", "deployments.mlflow_server", str(os.getpid()), "--host", "127.0.0.1"]
    command += ["--port", str(port), "--backend-store-uri", home.mlflow_uri]
    command += ["--artifacts-destination", home.artifacts.as_uri()]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, start_new_session=True)
    return process, log


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and the workers it started."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
    except ProcessLookupError:
        pass
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _open(addresses: tuple[str, str]) -> None:
    console = Console()
    console.print(f"Prefect  {addresses[0]}\nMLflow   {addresses[1]}\nCtrl-C ends both.")
    if os.environ.get("DISPLAY") or sys.platform == "darwin":
        for address in addresses:
            webbrowser.open(address)

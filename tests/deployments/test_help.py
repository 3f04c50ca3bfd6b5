import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["torch", "mlflow", "prefect", "transformers", "pandas"])
def test_help_loads_nothing_heavy(module: str):
    """`quickstudy --help` answers without importing the heavy libraries."""
    code = (
        "import sys\nfrom deployments.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit({module!r} in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert "retrain" in answer.stdout

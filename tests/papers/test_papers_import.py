"""A paper's folder can be entered by any door."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hqnn import papers


@pytest.mark.parametrize("module", ["papers.hqnn.parallel", "papers.lcqhnn.experiments", "papers", "experiments"])
def test_whichever_module_is_imported_first_the_registry_is_complete(module: str) -> None:
    code = f"import hqnn.{module}; from hqnn import experiments; assert 'lcqhnn-mnist' in experiments.EXPERIMENTS"
    path = str(Path(papers.__file__).parents[2])
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": path})

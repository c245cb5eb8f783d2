"""What a plain install gives: a circuit and its layer, with torch, NumPy, SciPy, SymPy and Qiskit alone."""

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]

PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in set({absent!r}):
            raise ModuleNotFoundError(f"{{name}} is not there", name=name)

sys.meta_path.insert(0, Absent())
import torch
from qiskit.circuit import ParameterVector, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from hqnn import Circuit, QuantumLayer

x, w = ParameterVector("x", 2), ParameterVector("w", 3)
gates = QuantumCircuit(2)
for qubit in range(2):
    gates.ry(x[qubit], qubit)
    gates.rx(w[qubit], qubit)
gates.cx(0, 1)
gates.rz(w[2], 1)
observables = [SparsePauliOp("IZ"), SparsePauliOp("XX")]
circuit = Circuit(circuit=gates, inputs=list(x), weights=list(w), observables=observables)
for method in ("state", "dense", "matrix", "fourier"):
    layer = QuantumLayer(circuit, method=method)
    layer(torch.rand(3, 2)).sum().backward()
    assert all(p.grad is not None for p in layer.parameters())
print("trained")
"""


def test_circuit_and_layer_need_no_extra() -> None:
    """None of the packages that only extras bring is imported on the way to a trained layer."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    plain = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    extras = {
        canonicalize_name(Requirement(line).name)
        for lines in project["optional-dependencies"].values()
        for line in lines
        if not line.startswith("hqnn")
    } - plain
    brought = packages_distributions()
    absent = sorted(module for module, by in brought.items() if {canonicalize_name(name) for name in by} & extras)
    assert {"pandas", "matplotlib", "qiskit_aer", "torchvision"} <= set(absent)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(absent=absent)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "trained\n", "")

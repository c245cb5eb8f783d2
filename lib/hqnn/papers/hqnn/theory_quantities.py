"""What hqnn's appendix claims about its quantum layer, ZX-calculus and Fourier series, as quantities of ours."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from qiskit.quantum_info import Operator

from hqnn.circuit import Circuit
from hqnn.claims.quantity import EXACT, Quantity
from hqnn.papers.hqnn.circuits import reuploading, strongly_entangling
from hqnn.views import fourier, gradients, zx

N_INPUTS = 64
"""Random inputs at which Jacobians are taken."""
PAPER_SAMPLES = 100
_OTHERS: dict[Literal["zero", "mean"], str] = {"zero": "at zero", "mean": "averaged over"}


def _jacobian() -> tuple[Circuit, NDArray[np.float64]]:
    """The layer, and its Jacobian [inputs, outputs, parameters] at random angles."""
    pc, rng = strongly_entangling(), np.random.default_rng(0)
    inputs = rng.uniform(0, 2 * np.pi, (N_INPUTS, pc.n_inputs))
    return pc, gradients.jacobian(pc, inputs, rng.uniform(0, 2 * np.pi, pc.n_weights))


def diagram() -> Quantity:
    """Whether the layer's ZX-diagram is the same matrix as Qiskit's, up to a scalar."""
    pc = strongly_entangling()
    diagram = zx.diagram(pc)
    parameters = [*pc.inputs, *pc.weights]
    values = dict(zip(parameters, np.random.default_rng(0).uniform(0, 2 * np.pi, len(parameters)), strict=True))
    matrix = zx.with_values(diagram, {p.name: v for p, v in values.items()}).to_matrix(preserve_scalar=False)
    expected = Operator(pc.circuit.assign_parameters(values).reverse_bits()).data
    overlap = abs(np.vdot(matrix, expected)) / np.linalg.norm(matrix) / np.linalg.norm(expected)
    size = zx.size(diagram)
    return Quantity(
        value=overlap > 1 - EXACT,
        text=f"{size.spiders} spiders, {size.edges} edges, overlap {overlap:.6f} with the circuit's matrix",
    )


def no_redundancy() -> Quantity:
    """Whether every parameter is alone on one spider after reduction; the Jacobian's rank decides independently."""
    pc, jacobian = _jacobian()
    full = zx.diagram(pc)
    reduced = zx.reduce(full)
    alone = sum(held == [(name,)] for name, held in zx.places(reduced).items())
    n_parameters = pc.n_inputs + pc.n_weights
    ranks = [gradients.rank(jacobian[:, k, pc.n_inputs :]) for k in range(pc.n_observables)]
    joint = gradients.rank(jacobian[:, :, pc.n_inputs :])
    holds = alone == n_parameters and joint == pc.n_weights and zx.is_equal(full, reduced)
    return Quantity(
        value=holds,
        text=f"{alone} of {n_parameters} parameters alone on a spider; rank {joint} of {pc.n_weights} weights",
        note=(
            "the rank is that of the five outputs' derivatives and settles what the diagram can only suggest; "
            f"for one output alone it is {min(ranks)} to {max(ranks)}"
        ),
    )


def every_parameter_acts() -> Quantity:
    """Whether every weight and input changes some output; a note counts those that a single one does not depend on."""
    pc, jacobian = _jacobian()
    acts = np.abs(jacobian).max(axis=0) > EXACT  # [outputs, parameters]
    agree = True
    for k in range(pc.n_observables):
        places = zx.places(zx.reduce(zx.expectation(pc, k)))
        agree &= [bool(held) for held in places.values()] == acts[k].tolist()
    idle = ", ".join(str(int(n)) for n in (~acts).sum(axis=1))
    return Quantity(
        value=bool(acts.any(axis=0).all()) and agree,
        text=f"{int(acts.any(axis=0).sum())} of {acts.shape[1]} parameters change at least one output",
        note=f"but not every output: {idle} weights have no effect on outputs 1 to 5, by diagram and derivative alike",
    )


def coefficient_spread() -> Quantity:
    """Whether the real and imaginary parts of all nine coefficients vary with the weights."""
    pc = strongly_entangling()
    found = fourier.coefficients(pc, fourier.random_weights(pc, PAPER_SAMPLES))[-1]
    texts, every = [], True
    for others, words in _OTHERS.items():
        spread = fourier.all_parts(fourier.of_first_inputs(found, others=others)).std(axis=0)
        moving = spread[spread > EXACT]
        every &= len(moving) == len(spread)
        texts.append(
            f"{len(moving)} of {len(spread)} parts vary, with standard deviations from {min(moving, default=0):.3f} to "
            f"{max(moving, default=0):.3f}, if the other inputs are {words}"
        )
    power = float((np.abs(fourier.of_first_inputs(found)) ** 2).sum(axis=(1, 2)).mean())
    return Quantity(
        value=every,
        text="; ".join(texts),
        note=(
            "the imaginary part of the constant term of a real function is zero for every circuit; what becomes of the "
            f"other three inputs is not said; the mean square of the output is {power:.3f}, and "
            f"{1 / (2**pc.n_qubits + 1):.3f} for a random unitary on five qubits"
        ),
    )


def determinant() -> Quantity:
    """The determinant of the correlation matrix of the coefficients' parts, the farthest from zero of all outputs."""
    pc = strongly_entangling()
    weights = fourier.random_weights(pc, PAPER_SAMPLES)
    pairs = [fourier.of_first_inputs(found) for found in fourier.coefficients(pc, weights)]
    found = [abs(fourier.correlation_determinant(fourier.all_parts(pair))) for pair in pairs]
    zero = max(found) < EXACT
    numbers = abs(fourier.correlation_determinant(pairs[-1].reshape(len(weights), -1)))
    return Quantity(
        value=0.0 if zero else max(found),
        note=(
            "read as the real and imaginary parts of the nine coefficients of two inputs: since c(-ω) is the conjugate "
            f"of c(ω), the matrix has equal rows for every circuit; as nine complex numbers they give {numbers:.2f} "
            "for the last output"
        ),
    )


def zero_determinant() -> Quantity:
    """Whether a zero determinant tells independent coefficients from dependent ones."""
    rng = np.random.default_rng(0)
    rigid = strongly_entangling(n_qubits=2, n_layers=1, entangle=False)  # every output depends on one input
    determinants = {}
    for name, pc in {"free": strongly_entangling(), "rigid": rigid}.items():
        weights = rng.uniform(0, 2 * np.pi, (3 * PAPER_SAMPLES, pc.n_weights))
        pair = fourier.of_first_inputs(fourier.coefficients(pc, weights)[-1])
        for kind, values in (("all", fourier.all_parts(pair)), ("once", fourier.independent_parts(pair))):
            determinants[name, kind] = abs(fourier.correlation_determinant(values))
            determinants[name, f"{kind}-rank"] = fourier.dimension(fourier.covariance_spectrum(values))
    informative = determinants["rigid", "all"] > EXACT
    return Quantity(
        value=informative,
        text=f"zero for every circuit; each part counted once, it is {determinants['free', 'once']:.2f} here",
        note=(
            "a zero determinant means linear dependence, and here only that each number is listed twice; uncorrelated "
            "numbers have determinant 1. What tells circuits apart is the rank without duplicates: "
            f"{determinants['free', 'once-rank']} here, {determinants['rigid', 'once-rank']} for qubits without CNOTs"
        ),
    )


def terms_by_embedding() -> Quantity:
    """Whether an input embedded d times has frequencies -d to d and no others, if rotations stand between."""
    counts = {d: _terms(reuploading(d)) for d in range(1, 6)}
    bare = {d: _terms(reuploading(d, trained=False)) for d in counts}
    return Quantity(
        value=all(n == 2 * d + 1 for d, n in counts.items()),
        text=", ".join(f"{n} terms for d = {d}" for d, n in counts.items()),
        note=(
            "this is the most there can be, not what there always is: without rotations between the embeddings there "
            f"are at most {max(bare.values())} terms whatever d"
        ),
    )


def _terms(pc: Circuit) -> int:
    """Number of frequencies of a circuit of one input that some weights make use of."""
    degree = int(pc.circuit.count_ops()["rx"]) + 2  # more than there can be
    weights = fourier.random_weights(pc, 8)
    (found,) = fourier.coefficients(pc, weights, degree=degree, method="state")
    return int((np.abs(found).max(axis=0) > EXACT).sum())

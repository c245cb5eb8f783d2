r"""A Qiskit circuit as a batched, differentiable PyTorch layer.

The trainable gates do not depend on the sample, so they are not simulated once per sample. A circuit whose inputs act before its weights is
a small network with one weight-dependent matrix M(w), built once per step:

$$z = \cos(xG + b), \qquad f(x, w) = \underbrace{z\,M(w)}_{\text{Fourier series}}
\quad\text{or}\quad f(x, w) = \underbrace{(z\,M(w))^2\,S}_{\text{amplitudes, then Pauli signs}} .$$

Three methods evaluate the same function, chosen by the shape of the circuit and checked against each other:

- `"fourier"`: the circuit's truncated Fourier series itself, exact and pruned (few rotations; inputs anywhere).
- `"matrix"`: amplitudes; M(w) is a product of constant matrices and weight-dependent diagonals (few qubits; inputs first).
- `"state"`: state vectors rotated one Pauli rotation at a time (anything else).

The first two have a hand-written backward pass: at this size half of an ordinary one is dispatch. Higher derivatives and
`torch.func` transforms go through ordinary differentiable operations instead.
"""

from __future__ import annotations

import math
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.quantum_info import Operator, Pauli, SparsePauliOp
from torch import Tensor, nn

from hqnn.circuits import ParametricCircuit
from hqnn.errors import NonFiniteError
from hqnn.fourier import series_of_rotations
from hqnn.lowering import PauliRotations, lower, pauli_action

Method = Literal["auto", "fourier", "matrix", "state"]

MAX_SERIES_SIZE = 2**14  # entries of the Fourier tensor above which "auto" prefers amplitudes
MAX_SERIES_TERMS = 20_000  # terms met on the way there
MAX_MATRIX_QUBITS = 6  # dense 2**n x 2**n matrices up to here
_ZERO = 1e-12


class QuantumLayer(nn.Module):
    """A parametric circuit as an `nn.Module`, optionally several copies of it side by side with weights of their own.

    Args:
        pc: Any circuit of standard gates, up to 12 qubits; inputs and weights may enter anywhere, also repeatedly.
        copies: Number of parallel circuits; circuit c takes the c-th block of n_inputs columns.
        dtype: `torch.float32` or `torch.float64`: precision of inputs, weights and outputs.
        method: How the circuit is evaluated (see the module's docstring); `"auto"` picks the fastest that fits.

    Attributes:
        weights: Trainable angles [copies, n_weights], radians, drawn uniformly from [0, 2π).
        method: The method in use.

    Raises:
        ValueError: `copies` below one, an unsupported dtype, an unsupported circuit, or a method that does not fit it.
    """

    weights: nn.Parameter

    def __init__(
        self, pc: ParametricCircuit, *, copies: int = 1, dtype: torch.dtype = torch.float32, method: Method = "auto"
    ) -> None:
        super().__init__()
        if copies < 1:
            raise ValueError(f"copies is {copies}; a layer has at least one circuit")
        if dtype not in (torch.float32, torch.float64):
            raise ValueError(f"dtype is {dtype}; use torch.float32 or torch.float64")
        self.pc, self.copies = pc, copies
        self.weights = nn.Parameter(2 * math.pi * torch.rand(copies, pc.n_weights, dtype=dtype))
        rotations = lower(pc)
        self.method, self.evaluator = _compile(rotations, pc.observables, dtype, method)
        # A basis state's probability is read from the amplitudes, whatever the observables are.
        _, self.distribution = _compile(rotations, None, dtype, "auto")

    def forward(self, inputs: Tensor) -> Tensor:
        """Expectation values of the observables.

        Args:
            inputs: Features [B, copies * n_inputs] of the layer's dtype and device.

        Returns:
            Expectation values [B, copies * n_observables], circuit by circuit.

        Raises:
            TypeError: Inputs are not a tensor of the layer's dtype.
            ValueError: Wrong shape, other device, or a NaN or infinite input.
        """
        return self._evaluate(self.evaluator, inputs)

    def probabilities(self, inputs: Tensor) -> Tensor:
        """Probabilities of the computational basis states, differentiable like `forward`.

        Args:
            inputs: Features [B, copies * n_inputs].

        Returns:
            Probabilities [B, copies, 2**n_qubits]; bit q of the last index is the outcome of qubit q.

        Raises:
            TypeError: As `forward`.
            ValueError: As `forward`.
        """
        return self._evaluate(self.distribution, inputs).view(len(inputs), self.copies, -1)

    @torch.no_grad()
    def sample(self, inputs: Tensor, shots: int, generator: np.random.Generator | int | None = None) -> NDArray[np.int64]:
        """Counts of a measurement of all qubits, as a device without noise would return them.

        Args:
            inputs: Features [B, copies * n_inputs].
            shots: Measurements per sample.
            generator: NumPy random generator or seed.

        Returns:
            Counts [B, copies, 2**n_qubits], summing to `shots` over the last axis.

        Raises:
            TypeError: As `forward`.
            ValueError: As `forward`, or fewer than one shot.
        """
        if shots < 1:
            raise ValueError(f"shots is {shots}; measure at least once")
        p = self.probabilities(inputs).double().clamp_min(0)
        return np.random.default_rng(generator).multinomial(shots, (p / p.sum(-1, keepdim=True)).cpu().numpy())

    def extra_repr(self) -> str:
        """One line for `print(layer)`."""
        pc = self.pc
        return (
            f"{pc.circuit.name!r}: {self.copies} x ({pc.n_inputs} inputs, {pc.n_weights} weights -> "
            f"{pc.n_observables} observables on {pc.n_qubits} qubits), method={self.method!r}, dtype={self.weights.dtype}"
        )

    def _evaluate(self, evaluator: _Fused | _State, inputs: Tensor) -> Tensor:
        weights, width = self.weights, self.copies * self.pc.n_inputs
        if not isinstance(inputs, Tensor) or inputs.dtype != weights.dtype:
            got = inputs.dtype if isinstance(inputs, Tensor) else type(inputs).__name__
            raise TypeError(f"inputs are {got} but this layer computes in {weights.dtype}; convert one of them")
        if inputs.ndim != 2 or inputs.shape[1] != width:
            raise ValueError(f"inputs have shape {tuple(inputs.shape)}; this layer expects [B, {width}]")
        if inputs.device != weights.device:
            raise ValueError(f"inputs are on {inputs.device} but the layer is on {weights.device}; move one of them with .to()")
        transformed = torch._C._are_functorch_transforms_active()  # torch has no public name for this question
        # One addition finds NaN and infinity; skipped where it would wait for a GPU or see a traced tensor.
        if not transformed and inputs.device.type == "cpu" and not math.isfinite(inputs.detach().sum().item()):
            row = (~inputs.detach().isfinite()).any(1).nonzero().flatten().tolist()
            if row:
                raise NonFiniteError(
                    f"inputs contain NaN or infinity (first in row {row[0]}); check the layers before this one"
                )
        if transformed or not isinstance(evaluator, _Fused):
            return evaluator(inputs, weights)
        return cast(Tensor, _HandWritten.apply(inputs, weights, evaluator))


class _Fused(nn.Module):
    """An evaluator that also has a hand-written derivative."""

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """Inputs [B, C * n_inputs] and weights [C, n_weights] to outputs [B, C * n_outputs] and what `pull_back` needs again."""
        raise NotImplementedError

    def pull_back(self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of x and w, given those of the outputs."""
        raise NotImplementedError

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """The same function for autograd to record."""
        return self.run(x, w)[0]


class _HandWritten(torch.autograd.Function):
    """One autograd node for a whole circuit."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, evaluator: _Fused) -> Tensor:
        out, ctx.saved = evaluator.run(x, w)  # intermediate results: neither inputs nor outputs, so no save_for_backward
        ctx.evaluator = evaluator
        ctx.save_for_backward(x, w)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        need_x, need_w, _ = ctx.needs_input_grad
        x, w = ctx.saved_tensors
        if not torch.is_grad_enabled():
            return *ctx.evaluator.pull_back(grad, ctx.saved, need_x=need_x, need_w=need_w), None
        # create_graph=True: the gradient itself will be differentiated, so let autograd record it.
        wanted = [t for t, need in ((x, need_x), (w, need_w)) if need]
        got = iter(torch.autograd.grad(ctx.evaluator(x, w), wanted, grad, create_graph=True))
        return next(got) if need_x else None, next(got) if need_w else None, None


class _Series(_Fused):
    """f(x, w) = cos(xG + b) · T cos(wG' + b'): the pruned real form of the Fourier series."""

    def __init__(self, rotations: PauliRotations, observables: tuple[SparsePauliOp, ...], dtype: torch.dtype) -> None:
        super().__init__()
        series = series_of_rotations(rotations, observables, max_terms=MAX_SERIES_TERMS)
        entries: dict[tuple[tuple[float, ...], int], dict[tuple[tuple[float, ...], int], NDArray[np.float64]]] = {}
        for f, v in zip(*np.nonzero(np.abs(series.coefficients).max(-1) > _ZERO), strict=True):
            c = series.coefficients[f, v]
            omega, sx = _half_space(series.input_frequencies[f])
            nu, sw = _half_space(series.weight_frequencies[v])
            # Re(c e^{i(a + a')}) in products of cosines (0) and sines (1) of a = ω·x and a' = ν·w
            for kx, kw, part in ((0, 0, c.real), (1, 1, -sx * sw * c.real), (1, 0, -sx * c.imag), (0, 1, -sw * c.imag)):
                row = entries.setdefault((omega, kx), {})
                row[nu, kw] = row.get((nu, kw), 0.0) + part
        entries = {k: r for k, r in entries.items() if any(np.abs(t).max() > _ZERO for t in r.values())}
        rows = sorted(entries)
        columns = sorted({k for r in entries.values() for k, t in r.items() if np.abs(t).max() > _ZERO})
        tensor = np.zeros((len(columns), len(rows), len(observables)))
        for i, row_key in enumerate(rows):
            for j, column in enumerate(columns):
                tensor[j, i] = entries[row_key].get(column, 0.0)
        if tensor.size > MAX_SERIES_SIZE:
            raise ValueError(f"the Fourier tensor has {tensor.size} entries, more than {MAX_SERIES_SIZE}")
        self.shape = (len(rows), len(observables))
        for name, keys, n in (("x", rows, rotations.n_inputs), ("w", columns, rotations.n_weights)):
            _constant(self, f"freq_{name}", np.array([k[0] for k in keys], float).reshape(len(keys), n).T, dtype)
            _constant(self, f"shift_{name}", np.array([-math.pi / 2 * k[1] for k in keys]), dtype)
        _constant(self, "tensor", tensor.reshape(len(columns), -1), dtype)

    freq_x: Tensor
    shift_x: Tensor
    freq_w: Tensor
    shift_w: Tensor
    tensor: Tensor

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        phase_x = _phase(x, self.freq_x, self.shift_x, len(w))
        phase_w = torch.addmm(self.shift_w, w, self.freq_w)
        matrix = torch.mm(phase_w.cos(), self.tensor).view(-1, *self.shape)
        waves = phase_x.cos().transpose(0, 1)
        return _join(torch.bmm(waves, matrix)), (phase_x, waves, phase_w, matrix)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        phase_x, waves, phase_w, matrix = saved
        grad = _split(grad, len(waves))
        dx = dw = None
        if need_x:
            dx = _phase_gradient(torch.bmm(grad, matrix.mT), phase_x, self.freq_x)
        if need_w:
            d_matrix = torch.bmm(waves.mT, grad).flatten(1)
            dw = torch.mm(torch.mm(d_matrix, self.tensor.t()).mul_(phase_w.sin()), self.freq_w.t()).neg_()
        return dx, dw


class _Matrix(_Fused):
    r"""f(x, w) = (z M(w))² S: the amplitudes of a circuit whose inputs act first.

    M(w) = B D_L U_L D_{L-1} ... U_1 D_0 A. A maps the waves z = cos(xG + b) to the embedded state; D are diagonals of commuting Z-type
    weight rotations; U are matrices of commuting other ones, linear in the cosines of signed sums of their half angles, just as the
    embedded state is; B turns the measured Pauli strings diagonal.
    """

    freq_x: Tensor
    shift_x: Tensor
    freq_w: Tensor
    shift_w: Tensor
    freq_back: Tensor
    table: Tensor
    start: Tensor
    readout: Tensor | None
    signs: Tensor

    def __init__(
        self, rotations: PauliRotations, observables: tuple[SparsePauliOp, ...] | None, dtype: torch.dtype
    ) -> None:
        super().__init__()
        n, n_in, dim = rotations.n_qubits, rotations.n_inputs, 2**rotations.n_qubits
        if n > MAX_MATRIX_QUBITS:
            raise ValueError(f"the circuit has {n} qubits; the matrix method serves up to {MAX_MATRIX_QUBITS}")
        if rotations.derived:
            raise ValueError("an angle is not an affine function of the parameters; the matrix method needs affine angles")
        embedding, trainable = _inputs_first(rotations)
        variable = [k for k in embedding if rotations.linear[k].any()]
        if len(variable) > MAX_MATRIX_QUBITS:
            raise ValueError(f"the circuit has {len(variable)} input rotations; the matrix method serves up to {MAX_MATRIX_QUBITS}")

        state = rotations.initial.reshape(1, dim)  # [products of cosines and sines so far, dim]
        for k in embedding:
            turned = -1j * state @ _dense(rotations, k).T
            if k in variable:
                state = np.stack([state, turned], 1).reshape(-1, dim)
            else:
                state = np.cos(rotations.constant[k] / 2) * state + np.sin(rotations.constant[k] / 2) * turned
        freq_x, shift_x, products = _waves(rotations.linear[variable, :n_in] / 2, rotations.constant[variable] / 2)
        start = (products.T @ state).T  # A [dim, waves]

        layers = _commuting_layers(rotations, trainable)
        dense = [layer for layer in layers if rotations.x_masks[layer].any()]
        self.n_dense, self.dim = len(dense), dim
        angle_d = np.zeros((len(dense) + 1, dim, rotations.n_weights))
        offset_d = np.zeros((len(dense) + 1, dim))
        self.diagonal = [False] * (len(dense) + 1)
        position = 0
        for layer in layers:
            if rotations.x_masks[layer].any():
                position += 1
                continue
            signs = np.stack([np.diag(_dense(rotations, k)).real for k in layer], 1)  # [dim, rotations]
            angle_d[position] += signs @ rotations.linear[layer, n_in:] / 2
            offset_d[position] += signs @ rotations.constant[layer] / 2
            self.diagonal[position] = True
        n_waves = max([2 ** len(layer) for layer in dense], default=1)
        freq_u = np.zeros((len(dense), n_waves, rotations.n_weights))
        shift_u = np.zeros((len(dense), n_waves))
        table = np.zeros((len(dense), n_waves, dim * dim), complex)
        for position, layer in enumerate(dense):
            unitary = np.eye(dim, dtype=complex).reshape(1, dim, dim)
            for k in layer:
                unitary = np.stack([unitary, -1j * _dense(rotations, k) @ unitary], 1).reshape(-1, dim, dim)
            freq, shift, products = _waves(rotations.linear[layer, n_in:] / 2, rotations.constant[layer] / 2)
            freq_u[position, : len(freq)], shift_u[position, : len(freq)] = freq, shift
            table[position, : len(freq)] = products.T @ unitary.reshape(len(freq), -1)
        self.real = bool(np.abs(table.imag).max(initial=0.0) < _ZERO)

        bases, signs = _readout(observables, n)
        readout = np.concatenate(bases)  # B [rows, dim]
        # Column phases of B are one more diagonal: taking them out makes B real for a single local basis.
        phases = np.angle(readout[0]) if np.abs(readout[0]).min() > _ZERO else np.zeros(dim)
        if np.abs((readout * np.exp(-1j * phases)).imag).max() < _ZERO and phases.any():
            readout = readout * np.exp(-1j * phases)
            offset_d[-1] -= phases
            self.diagonal[-1] = True
        # One row of waves for all weights: those of U, then cos α and -sin α = cos(α + π/2) of the diagonals that exist.
        present = np.flatnonzero(self.diagonal)
        alpha, offset = angle_d[present].reshape(-1, rotations.n_weights), offset_d[present].ravel()
        self.n_waves_u, self.n_diagonal = len(dense) * n_waves, len(present)
        freq_u = freq_u.reshape(-1, rotations.n_weights)
        interleaved = np.repeat(offset, 2) + np.tile([0.0, np.pi / 2], len(offset))
        complex_dtype = torch.complex64 if dtype == torch.float32 else torch.complex128
        _constant(self, "freq_x", freq_x.T, dtype)
        _constant(self, "shift_x", shift_x, dtype)
        _constant(self, "freq_w", np.concatenate([freq_u, np.repeat(alpha, 2, axis=0)]).T, dtype)
        _constant(self, "shift_w", np.concatenate([shift_u.ravel(), interleaved]), dtype)
        _constant(self, "freq_back", np.concatenate([freq_u, alpha]), dtype)
        _constant(self, "start", start[None], complex_dtype)  # [1, dim, waves]
        _constant(self, "table", table.real if self.real else table.view(np.float64), dtype)  # [L, waves, dim² (·2)]
        if np.array_equal(readout, np.eye(dim)):
            self.readout = None
        else:
            kind = dtype if np.abs(readout.imag).max() < _ZERO else complex_dtype
            _constant(self, "readout", readout.real if kind == dtype else readout, kind)
        _constant(self, "signs", np.repeat(signs, 2, axis=0), dtype)  # for the squares of real and of imaginary parts

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        copies, dim, table = len(w), self.dim, self.table
        phase_x = _phase(x, self.freq_x, self.shift_x, copies)
        waves = phase_x.cos().transpose(0, 1)
        phase_w = torch.addmm(self.shift_w, w, self.freq_w)
        waves_w = phase_w.cos()
        turns = torch.view_as_complex(waves_w[:, self.n_waves_u :].reshape(copies, self.n_diagonal, dim, 1, 2)).unbind(1)
        turn = iter(turns)
        waves_u = waves_w[:, : self.n_waves_u].reshape(copies, self.n_dense, -1).transpose(0, 1)
        unitaries = torch.bmm(waves_u, table).view(self.n_dense, copies, dim, -1) if self.n_dense else table
        state = self.start.expand(copies, -1, -1)  # [C, dim, waves]
        kept = []
        for position, diagonal in enumerate(self.diagonal):
            if diagonal:
                state = state * next(turn)
            kept.append(state)
            if position < self.n_dense:
                state = _times(unitaries[position], state)
        if self.readout is not None:
            state = _times(self.readout.expand(copies, -1, -1), state)
        matrix = torch.view_as_real(state).transpose(1, 2).reshape(copies, state.shape[2], -1)
        psi = torch.bmm(waves, matrix)
        out = torch.mm(psi.square().view(-1, len(self.signs)), self.signs).view(copies, len(x), -1)
        return _join(out), (phase_x, waves, phase_w, turns, unitaries, psi, matrix, kept)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        phase_x, waves, phase_w, turns, unitaries, psi, matrix, kept = saved
        copies, dim, signs = len(waves), self.dim, self.signs
        flat = _split(grad, copies).reshape(-1, signs.shape[1])
        d_psi = torch.mm(flat, 2 * signs.t()).view_as(psi).mul_(psi)
        dx = _phase_gradient(torch.bmm(d_psi, matrix.mT), phase_x, self.freq_x) if need_x else None
        if not need_w:
            return dx, None
        d_matrix = torch.bmm(waves.mT, d_psi).view(copies, waves.shape[2], -1, 2)
        d_state = torch.view_as_complex(d_matrix.transpose(1, 2).contiguous())
        if self.readout is not None:
            d_state = _times(_adjoint(self.readout.expand(copies, -1, -1)), d_state)
        # Walk back through the chain, then take all gradients at once: of U in "state = U kept", and of α in "kept = e^{-iα} before".
        after_u: list[Tensor] = []
        after_turn: list[Tensor] = []
        left = len(turns)
        for position in range(self.n_dense, -1, -1):
            if position < self.n_dense:
                after_u.append(d_state)
                d_state = _times(_adjoint(unitaries[position]), d_state)
            if self.diagonal[position]:
                left -= 1
                after_turn.append(d_state)
                d_state = d_state * turns[left].conj().resolve_conj()
        parts = []
        if self.n_dense:
            rows = torch.stack(after_u[::-1]).flatten(0, 1)
            columns = torch.stack(kept[: self.n_dense]).flatten(0, 1)
            if self.real:
                outer = torch.bmm(torch.view_as_real(rows).flatten(2), torch.view_as_real(columns).flatten(2).mT)
            else:
                outer = torch.view_as_real(torch.bmm(rows, _adjoint(columns)))
            d_waves = torch.bmm(outer.view(self.n_dense, copies, -1), self.table.mT).transpose(0, 1).flatten(1)
            parts.append(d_waves.mul_(phase_w[:, : self.n_waves_u].sin()).neg_())
        if turns:
            # A loss changes by Re(conj(d_state) · (-i) kept) per unit of α.
            turned = torch.stack([k for k, diagonal in zip(kept, self.diagonal, strict=True) if diagonal], 1)
            parts.append(torch.linalg.vecdot(torch.stack(after_turn[::-1], 1), turned).imag.flatten(1))
        return dx, torch.mm(torch.cat(parts, 1), self.freq_back) if parts else None


class _State(nn.Module):
    """State vectors, one Pauli rotation after the other: for circuits of any shape."""

    initial: Tensor
    linear: Tensor
    offset: Tensor
    source: Tensor
    phase: Tensor
    signs: Tensor
    term_source: Tensor
    term_phase: Tensor
    term_weights: Tensor

    def __init__(
        self, rotations: PauliRotations, observables: tuple[SparsePauliOp, ...] | None, dtype: torch.dtype
    ) -> None:
        super().__init__()
        n, dim = rotations.n_qubits, 2**rotations.n_qubits
        complex_dtype = torch.complex64 if dtype == torch.float32 else torch.complex128
        self.n_inputs, self.derived = rotations.n_inputs, rotations.derived
        self.per_sample = rotations.depends_on_inputs().tolist()
        actions = [pauli_action(int(px), int(pz), n) for px, pz in zip(rotations.x_masks, rotations.z_masks, strict=True)]
        _constant(self, "initial", rotations.initial, complex_dtype)
        _constant(self, "linear", rotations.linear.T / 2, dtype)
        _constant(self, "offset", rotations.constant / 2, dtype)
        _constant(self, "source", np.array([s for s, _ in actions]).reshape(-1, dim), torch.int64)
        _constant(self, "phase", -1j * np.array([p for _, p in actions]).reshape(-1, dim), complex_dtype)
        # Observables: Z strings through the probabilities, every other Pauli string through its own overlap.
        signs = np.eye(dim) if observables is None else np.zeros((dim, len(observables)))
        terms: dict[tuple[int, int], NDArray[np.float64]] = {}
        bits = 1 << np.arange(n)
        for o, observable in enumerate(observables or ()):
            for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
                px, pz, value = int(pauli.x @ bits), int(pauli.z @ bits), coefficient * (1 if pauli.phase == 0 else -1)
                if px:
                    terms.setdefault((px, pz), np.zeros(len(observables or ())))[o] += value
                else:
                    signs[:, o] += value * pauli_action(px, pz, n)[1].real
        term_actions = [pauli_action(px, pz, n) for px, pz in terms]
        _constant(self, "signs", signs, dtype)
        _constant(self, "term_source", np.array([s for s, _ in term_actions]).reshape(-1, dim), torch.int64)
        _constant(self, "term_phase", np.array([p for _, p in term_actions]).reshape(-1, dim), complex_dtype)
        _constant(self, "term_weights", np.array(list(terms.values())).reshape(len(terms), signs.shape[1]), dtype)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Inputs [B, C * n_inputs] and weights [C, n_weights] to outputs [B, C * n_outputs]."""
        x = _split(x, len(w))
        batch = x.shape[1]
        parameters = torch.cat([x, w.unsqueeze(1).expand(-1, batch, -1)], -1)
        extra = [d.function(*(parameters[..., a] for a in d.arguments)) for d in self.derived]
        half = torch.cat([parameters, *(e.unsqueeze(-1) for e in extra)], -1) @ self.linear + self.offset  # [C, B, R]
        cosines, sines = half.cos(), half.sin()
        state = self.initial.expand(len(x), 1, -1)  # one state per copy until an input enters
        for k, per_sample in enumerate(self.per_sample):
            rows = slice(None) if per_sample else slice(0, 1)
            c, s = cosines[:, rows, k : k + 1], sines[:, rows, k : k + 1]
            state = c * state + (s * self.phase[k]) * state[..., self.source[k]]
        state = state.expand(-1, batch, -1)
        out = (state.real.square() + state.imag.square()) @ self.signs
        for source, phase, weights in zip(self.term_source, self.term_phase, self.term_weights, strict=True):
            out = out + (state.conj() * phase * state[..., source]).sum(-1, keepdim=True).real * weights
        return _join(out)


def _compile(
    rotations: PauliRotations, observables: Any, dtype: torch.dtype, method: Method
) -> tuple[Method, _Series | _Matrix | _State]:
    """The evaluator asked for, or the fastest that fits; `observables=None` measures basis-state probabilities."""
    kinds: dict[Method, Any] = {"fourier": _Series, "matrix": _Matrix, "state": _State}
    if method not in (*kinds, "auto"):
        raise ValueError(f"method is {method!r}; use 'auto', 'fourier', 'matrix' or 'state'")
    if method != "auto":
        return method, kinds[method](rotations, observables, dtype)
    for name in ("fourier", "matrix"):
        if name == "fourier" and (observables is None or rotations.derived):
            continue
        try:
            return name, kinds[name](rotations, observables, dtype)
        except ValueError:  # it does not fit this circuit
            continue
    return "state", _State(rotations, observables, dtype)


def _constant(module: nn.Module, name: str, array: NDArray[Any], dtype: torch.dtype) -> None:
    """Register an array that moves with the module but is not saved with its weights.

    Rounding residues are set to zero: left in, their squares are subnormal numbers, which processors handle a hundred times more slowly.
    """
    if array.dtype.kind in "fc":
        parts = array.astype(complex).reshape(-1, 1).view(np.float64)
        parts[np.abs(parts) < _ZERO] = 0.0
        array = parts.view(complex).reshape(array.shape) if array.dtype.kind == "c" else parts[:, 0].reshape(array.shape)
    module.register_buffer(name, torch.tensor(array, dtype=dtype), persistent=False)


def _split(x: Tensor, copies: int) -> Tensor:
    """[B, C * n] to [C, B, n]."""
    return x.unsqueeze(0) if copies == 1 else x.reshape(len(x), copies, -1).transpose(0, 1)


def _join(x: Tensor) -> Tensor:
    """[C, B, n] to [B, C * n]."""
    return x.squeeze(0) if len(x) == 1 else x.transpose(0, 1).flatten(1)


def _phase(x: Tensor, frequencies: Tensor, shifts: Tensor, copies: int) -> Tensor:
    """Inputs [B, C * n] to phases [B, C, F]."""
    return torch.mm(x.view(-1, len(frequencies)), frequencies).add_(shifts).view(len(x), copies, -1)


def _phase_gradient(d_waves: Tensor, phase: Tensor, frequencies: Tensor) -> Tensor:
    """Gradient [B, C * n] of the inputs, given that [C, B, F] of the waves."""
    d_phase = (d_waves.transpose(0, 1) * phase.sin()).reshape(-1, frequencies.shape[1])
    return torch.mm(d_phase, frequencies.t()).neg_().view(len(phase), -1)


def _adjoint(matrix: Tensor) -> Tensor:
    """Adjoint of matrices [.., rows, columns], real, complex or as interleaved parts [.., rows, 2 columns] of square ones."""
    if matrix.shape[-1] == 2 * matrix.shape[-2]:
        matrix = torch.view_as_complex(matrix.unflatten(-1, (-1, 2)))
    return matrix.mH.resolve_conj() if matrix.is_complex() else matrix.mT


def _half_space(frequency: NDArray[np.float64]) -> tuple[tuple[float, ...], float]:
    """A frequency or its negative, whichever has its first non-zero entry positive, and the sign that was taken."""
    nonzero = frequency[frequency != 0]
    sign = -1.0 if len(nonzero) and nonzero[0] < 0 else 1.0
    return tuple(float(f) + 0.0 for f in sign * frequency), sign


def _waves(
    angles: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Products of cosines and sines of K angles as combinations of as many single cosines.

    Args:
        angles: Coefficients of the parameters in each angle [K, n_parameters].
        offsets: Constant parts [K], radians.

    Returns:
        Frequencies [2**K, n_parameters] and shifts [2**K] of the waves cos(frequency · p + shift), and the matrix [2**K products, 2**K
        waves] that turns them into the products; the last angle varies fastest and sine comes after cosine.
    """
    k = len(angles)
    if k == 0:
        return np.zeros((1, angles.shape[1])), np.zeros(1), np.ones((1, 1))
    signs = np.array([[1 - 2 * (m >> j & 1) for j in range(k)] for m in range(0, 2**k, 2)], float)  # first angle always +
    # A product of k cosines is the mean over all signs of cos(Σ ± a); each sine shifts its angle by -π/2.
    sines = np.array([[m >> (k - 1 - j) & 1 for j in range(k)] for m in range(2**k)], float)
    quarter_turns = sines @ signs.T  # [products, sign patterns], in units of -π/2
    mean = 2.0 / 2**k
    to_products = mean * np.concatenate([np.cos(np.pi / 2 * quarter_turns), np.sin(np.pi / 2 * quarter_turns)], 1)
    frequencies, shifts = signs @ angles, signs @ offsets
    return np.concatenate([frequencies] * 2), np.concatenate([shifts, shifts - np.pi / 2]), to_products.round(12)


def _dense(rotations: PauliRotations, k: int) -> NDArray[np.complex128]:
    """The Pauli string of rotation k as a matrix."""
    source, phase = pauli_action(int(rotations.x_masks[k]), int(rotations.z_masks[k]), rotations.n_qubits)
    matrix = np.zeros((len(source), len(source)), complex)
    matrix[np.arange(len(source)), source] = phase
    return matrix


def _inputs_first(rotations: PauliRotations) -> tuple[list[int], list[int]]:
    """Rotations up to the last input and those after it, letting inputs pass weights that they commute with."""
    on_inputs, on_weights = rotations.depends_on_inputs(), rotations.depends_on_weights()
    embedding: list[int] = []
    trainable: list[int] = []
    for k in range(len(on_inputs)):
        passes = all(rotations.commute(j, k) for j in trainable)
        if not on_weights[k] and passes:
            embedding.append(k)
        elif on_inputs[k]:
            raise ValueError("a weight acts before an input; the matrix method needs all inputs first")
        else:
            trainable.append(k)
    return embedding, trainable


def _commuting_layers(rotations: PauliRotations, order: list[int]) -> list[list[int]]:
    """Sort rotations into as few commuting layers as they can be moved to, Z strings (diagonal) apart from all others."""
    layers: list[list[int]] = []
    for k in order:
        home = None
        for position in range(len(layers) - 1, -1, -1):
            layer = layers[position]
            if not all(rotations.commute(j, k) for j in layer):
                break
            alike = (rotations.x_masks[layer[0]] == 0) == (rotations.x_masks[k] == 0)
            if alike and (rotations.x_masks[k] == 0 or len(layer) < rotations.n_qubits):
                home = layer
        if home is None:
            layers.append([k])
        else:
            home.append(k)
    return layers


def _readout(
    observables: tuple[SparsePauliOp, ...] | None, n_qubits: int
) -> tuple[list[NDArray[np.complex128]], NDArray[np.float64]]:
    """Local bases in which the observables are diagonal, and the signs that turn probabilities into expectation values."""
    dim = 2**n_qubits
    if observables is None:
        return [np.eye(dim, dtype=complex)], np.eye(dim)
    h = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
    local = {"I": np.eye(2), "Z": np.eye(2), "X": h, "Y": h @ np.diag([1, -1j])}
    groups: dict[str, NDArray[np.float64]] = {}  # letters of a local basis -> [dim, n_observables]
    for o, observable in enumerate(observables):
        for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
            letters = pauli.to_label().lstrip("-+i")
            value = coefficient * (1 if pauli.phase == 0 else -1)
            basis = next((b for b in groups if all(p in ("I", q) or q == "I" for p, q in zip(letters, b, strict=True))), None)
            merged = letters if basis is None else "".join(q if p == "I" else p for p, q in zip(letters, basis, strict=True))
            signs = groups.pop(basis) if basis is not None else np.zeros((dim, len(observables)))
            support = sum(1 << q for q, p in enumerate(reversed(letters)) if p != "I")
            signs[:, o] += value * (1 - 2 * (np.bitwise_count(np.arange(dim) & support) % 2).astype(float))
            groups[merged] = signs
    bases = []
    for letters in groups:
        basis_change = np.eye(1, dtype=complex)
        for letter in letters:
            basis_change = np.kron(basis_change, local[letter])
        bases.append(basis_change)
    return bases, np.concatenate(list(groups.values()))


def _times(matrix: Tensor, state: Tensor) -> Tensor:
    """Apply matrices [C, rows, dim], real or complex (also as interleaved parts [C, rows, 2 dim]), to states [C, dim, waves]."""
    copies, dim, n_waves = state.shape
    if matrix.is_complex():
        return torch.bmm(matrix, state)
    if matrix.shape[2] != dim:
        return torch.bmm(torch.view_as_complex(matrix.view(copies, -1, dim, 2)), state)
    flat = torch.bmm(matrix, torch.view_as_real(state).reshape(copies, dim, -1))
    return torch.view_as_complex(flat.view(copies, -1, n_waves, 2))

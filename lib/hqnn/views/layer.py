r"""A Qiskit circuit as a batched, differentiable PyTorch layer.

The trainable gates do not depend on the sample, so they are not simulated once per sample. A circuit whose inputs act
before its weights is a small network with one weight-dependent matrix M(w), built once per step:

$$z = \cos(xG + b), \qquad f(x, w) = \underbrace{z\,M(w)}_{\text{Fourier series}}
\quad\text{or}\quad f(x, w) = \underbrace{|z\,M(w)|^2\,S}_{\text{amplitudes, then Pauli signs}} .$$

Three methods evaluate the same function, chosen by the shape of the circuit and checked against each other:

- `"fourier"`: the circuit's truncated Fourier series itself, exact and pruned (few rotations; inputs anywhere).
- `"matrix"`: amplitudes as above (few qubits; inputs first).
- `"state"`: the state of every sample, one layer of rotations after the other (anything else).

Each is one autograd node with a backward pass written by hand: at this size most of the time of ordinary automatic
differentiation is bookkeeping. Higher derivatives and `torch.func` transforms record the same forward operations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from itertools import pairwise
from typing import Any, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from qiskit.quantum_info import SparsePauliOp
from scipy.linalg import hadamard
from torch import Tensor, nn
from torch.autograd import forward_ad

from hqnn.circuit import Circuit
from hqnn.errors import NonFiniteError
from hqnn.views.fourier import scales, series_of_rotations
from hqnn.views.pauli_rotations import Eigenbasis, PauliRotations, commute, eigenbasis, lower

Method = Literal["auto", "fourier", "matrix", "state"]

MAX_SERIES_SIZE = 2**18  # entries of the Fourier tensor
MAX_SERIES_TERMS = 20_000  # terms met on the way there
MAX_MATRIX_QUBITS = 6  # from 7 on, the 64 samples of a usual batch are fewer states than the columns of M
MAX_FREQUENCIES = 128  # of the embedded state
MAX_HADAMARDS = 5  # gates taken in one product
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

    Under `torch.autocast` the layer computes in its own dtype, whatever that of its inputs (take higher derivatives
    outside, as all backward passes should be). A state dict that
    `torch.save` stored remembers the circuit, and loading it into the layer of another one is refused.

    Raises:
        TypeError: `pc` is not a `Circuit`.
        ValueError: `copies` below one, an unsupported dtype, an unsupported circuit, or a method that does not fit it.
    """

    weights: nn.Parameter

    def __init__(
        self, pc: Circuit, *, copies: int = 1, dtype: torch.dtype = torch.float32, method: Method = "auto"
    ) -> None:
        super().__init__()
        if not isinstance(pc, Circuit):
            raise TypeError(f"pc is a {type(pc).__name__}; wrap a circuit in Circuit(circuit=…, inputs=…, …)")
        if copies < 1:
            raise ValueError(f"copies is {copies}; a layer has at least one circuit")
        _check_dtype(dtype)
        self.pc, self.copies = pc, copies
        rotations = lower(pc)
        self.derived_inputs, self.derived_weights = rotations.derived_inputs, rotations.derived_weights
        self.method, self.evaluator = _compile(rotations, pc.observables, copies, method)
        # A basis state's probability is read from the amplitudes, whatever the observables are.
        _, self.distribution = _compile(rotations, None, copies, "auto")
        self.weights = nn.Parameter(2 * math.pi * torch.rand(copies, pc.n_weights, dtype=dtype))
        self._place()
        self._shape = self.weights.shape
        self.register_state_dict_post_hook(_sign)

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
        return self._evaluate(self.distribution, inputs).unflatten(1, (self.copies, -1))

    @torch.no_grad()
    def sample(
        self, inputs: Tensor, shots: int, generator: np.random.Generator | int | None = None
    ) -> NDArray[np.int64]:
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
            f"{pc.circuit.name!r}: {self.copies} x ({pc.n_inputs} inputs, {pc.n_weights} weights -> {pc.n_observables} "
            f"observables on {pc.n_qubits} qubits), method={self.method!r}, dtype={self.weights.dtype}"
        )

    def _evaluate(self, evaluator: _Evaluator, inputs: Tensor) -> Tensor:
        x, w = self._checked(inputs)
        if x.dtype == w.dtype and not torch.is_autocast_enabled(w.device.type):
            return self._run(evaluator, x, w)
        with _own_precision(w):
            return self._run(evaluator, x.to(w.dtype), w)

    def _checked(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Inputs and weights as autograd takes them, or a sentence on what is wrong with them."""
        weights = cast(Tensor, self.weights)
        if weights.shape != self._shape:
            raise ValueError(f"weights have shape {tuple(weights.shape)}; this layer expects {tuple(self._shape)}")
        if not isinstance(inputs, Tensor) or (
            inputs.dtype != weights.dtype
            and not (inputs.is_floating_point() and torch.is_autocast_enabled(inputs.device.type))
        ):
            got = inputs.dtype if isinstance(inputs, Tensor) else type(inputs).__name__
            raise TypeError(f"inputs are {got} but this layer computes in {weights.dtype}; convert one of them")
        width = self.copies * self.pc.n_inputs
        if inputs.ndim != 2 or inputs.shape[1] != width:
            raise ValueError(f"inputs have shape {tuple(inputs.shape)}; this layer expects [B, {width}]")
        if inputs.device != weights.device:
            raise ValueError(f"inputs are on {inputs.device} but the layer is on {weights.device}; move one with .to()")
        if self._placed != (weights.dtype, weights.device):  # by `load_state_dict(assign=True)` or `functional_call`
            self._place()
        if torch.is_inference_mode_enabled():
            return inputs, weights
        return _usable(inputs), _usable(weights)

    def _run(self, evaluator: _Evaluator, x: Tensor, w: Tensor) -> Tensor:
        if self.derived_inputs or self.derived_weights:
            x, w = self._with_derived(x, w)
        # These need every operation on its own. Torch has no public names for either question.
        if torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
            return evaluator.run(x, w)[0]
        return cast(Tensor, _HandWritten.apply(x, w, evaluator))

    def _with_derived(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """Append the angles that are not affine functions of the parameters, as inputs and weights of their own."""
        x = x.unflatten(1, (self.copies, -1))
        both = torch.cat([x, w.expand(len(x), -1, -1)], -1)  # [B, C, n_inputs + n_weights]
        more_x = [d.function(*(both[..., a, None] for a in d.arguments)) for d in self.derived_inputs]
        more_w = [d.function(*(w[:, a - self.pc.n_inputs, None] for a in d.arguments)) for d in self.derived_weights]
        return torch.cat([x, *more_x], -1).flatten(1), torch.cat([w, *more_w], -1)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """What `.to()`, `.double()` and the like do: the constants follow the weights."""
        super()._apply(fn, recurse)
        self._place()
        return self

    def _place(self) -> None:
        dtype, device = self.weights.dtype, self.weights.device
        _check_dtype(dtype)
        with torch.inference_mode(False):  # so that autograd takes the constants later
            for evaluator in (self.evaluator, self.distribution):
                evaluator.place(dtype, device)
        self._placed = dtype, device

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Any], prefix: str, local_metadata: Mapping[str, Any], *others: Any
    ) -> None:
        if local_metadata.get("digest", self.pc.digest) != self.pc.digest:
            errors: list[str] = others[-1]
            errors.append(
                f"the weights {prefix}weights belong to another circuit or other observables than "
                f"{self.pc.circuit.name!r}; build the layer of that circuit, or copy the tensor if this is meant"
            )
            return
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *others)


def _sign(layer: nn.Module, state_dict: Any, prefix: str, local_metadata: dict[str, Any]) -> None:
    """Note in a state dict's metadata whose weights they are; its tensors stay what they are."""
    local_metadata["digest"] = cast(QuantumLayer, layer).pc.digest


class _Constants:
    """Arrays found when a circuit is compiled, and used as tensors of one dtype on one device."""

    def __init__(self, **arrays: NDArray[Any]) -> None:
        self.arrays = arrays

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        """Make each array a tensor attribute of its name."""
        kinds = {"f": dtype, "c": dtype.to_complex(), "i": torch.int64}
        for name, array in self.arrays.items():
            setattr(self, name, torch.tensor(array, dtype=kinds[array.dtype.kind], device=device))


def _clean(array: NDArray[Any], scale: Any = 1.0) -> NDArray[Any]:
    """An array whose entries are of size `scale`, with rounding residues made zero.

    Left in, their squares are subnormal numbers, a hundred times slower than others.
    """
    parts = [np.where(np.abs(part) < _ZERO * scale, 0, part) for part in (array.real, array.imag)]
    return np.asarray(parts[0] + 1j * parts[1] if array.dtype.kind == "c" else parts[0])


class _Evaluator(_Constants):
    """A compiled circuit, C copies of it side by side."""

    quiet: type[AbstractContextManager[Any]] = nullcontext
    """How to run without autograd: `torch.inference_mode` keeps no account of views, but its results must be copied."""

    def __init__(self, copies: int, **arrays: NDArray[Any]) -> None:
        super().__init__(**arrays)
        self.copies = copies

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        """Outputs [B, C * n_outputs] of inputs [B, C * n_inputs] and weights [C, n_weights]; what `pull_back` needs."""
        raise NotImplementedError

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of inputs and weights, given those of the outputs."""
        raise NotImplementedError


class _HandWritten(torch.autograd.Function):
    """One autograd node for a whole circuit."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, evaluator: _Evaluator) -> Tensor:
        with evaluator.quiet():
            out, ctx.saved = evaluator.run(x, w)  # neither inputs nor outputs, hence not for save_for_backward
        out = _usable(out)
        ctx.evaluator = evaluator
        ctx.save_for_backward(x, w)
        # An infinity or a NaN gives NaN, the one number that differs from itself. (A GPU would have to be waited for.)
        if out.device.type == "cpu" and not torch.equal(out, out):
            rows = (~x.isfinite()).any(1).nonzero().flatten().tolist()
            if rows:
                raise NonFiniteError(
                    f"inputs contain NaN or infinity (first in row {rows[0]}); check the layers before this one"
                )
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        need_x, need_w, _ = ctx.needs_input_grad
        if not torch.is_grad_enabled():
            with ctx.evaluator.quiet(), _own_precision(grad):
                dx, dw = ctx.evaluator.pull_back(grad, ctx.saved, need_x=need_x, need_w=need_w)
            return _usable(dx), _usable(dw), None
        # create_graph=True: the gradient itself will be differentiated, so let autograd record it.
        x, w = ctx.saved_tensors
        wanted = [t for t, need in ((x, need_x), (w, need_w)) if need]
        with _own_precision(grad):
            out = ctx.evaluator.run(x, w)[0]
            got: Sequence[Tensor | None] = [None] * len(wanted)  # outputs need not depend on everything
            if out.requires_grad:
                got = torch.autograd.grad(out, wanted, grad, create_graph=True, allow_unused=True)
        found = iter(0 * t if g is None else g for g, t in zip(got, wanted, strict=True))
        return next(found) if need_x else None, next(found) if need_w else None, None


def _own_precision(tensor: Tensor) -> AbstractContextManager[Any]:
    """No `torch.autocast`: an angle rounded to bfloat16 is another angle."""
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def _usable(result: Any) -> Any:
    """A tensor of inference mode as one that autograd accepts."""
    return result.clone() if result is not None and result.is_inference() else result


class _Series(_Evaluator):
    """f(x, w) = cos(xG + b) · T cos(wG' + b'): the Fourier series in real form, pruned."""

    freq_x: Tensor
    shift_x: Tensor
    back_x: Tensor
    freq_w: Tensor
    shift_w: Tensor
    back_w: Tensor
    tensor: Tensor

    def __init__(self, rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int) -> None:
        if observables is None:
            raise ValueError("probabilities are not the expectation values of observables; use another method")
        series = series_of_rotations(rotations, observables, max_terms=MAX_SERIES_TERMS)
        rows, row_of = _half_space(series.input_frequencies)
        columns, column_of = _half_space(series.weight_frequencies)
        tensor = np.zeros((2, len(columns), 2, len(rows), len(observables)))  # 2: cosine, sine
        for f, v in np.argwhere(series.coefficients.any(2)):
            (row, sx), (column, sw), c = row_of[f], column_of[v], series.coefficients[f, v]
            # Re(c e^{i(a + a')}) in products of cosines and sines of a = ω·x and a' = ν·w
            tensor[:, column, :, row] += np.array([[c.real, -sx * c.imag], [-sw * c.imag, -sx * sw * c.real]])
        if tensor.size > MAX_SERIES_SIZE:
            raise ValueError(f"the Fourier tensor has {tensor.size} entries, more than {MAX_SERIES_SIZE}")
        self.shape = (2 * len(rows), len(observables))
        flat = _clean(tensor, scales(observables)).reshape(2 * len(columns), -1)
        used = np.flatnonzero(flat.any(1))
        freq_w = np.concatenate([columns, columns])[used].T
        super().__init__(
            copies,
            **_frequencies(rows),
            freq_w=freq_w,
            shift_w=np.repeat([0.0, -math.pi / 2], len(columns))[used],
            back_w=-freq_w.T,
            tensor=flat[used],
        )

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        phase_w = torch.addmm(self.shift_w, w, self.freq_w)
        matrix = torch.mm(phase_w.cos(), self.tensor).view(self.copies, *self.shape)
        waves = _waves(x, self.freq_x, self.shift_x, self.copies)
        return _join(torch.bmm(waves, matrix).flatten(0, 1), self.copies), (waves, phase_w, matrix)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        waves, phase_w, matrix = saved
        grad = _split(grad, self.copies)
        dx = dw = None
        if need_x:
            dx = _join(_waves_gradient(torch.bmm(grad, matrix.mT), waves, self.back_x), self.copies)
        if need_w:
            d_matrix = torch.bmm(waves.mT, grad).flatten(1)
            dw = torch.mm(torch.mm(d_matrix, self.tensor.t()).mul_(phase_w.sin()), self.back_w)
        return dx, dw


class _Matrix(_Evaluator):
    r"""f(x, w) = |z M(w)|² S: the amplitudes of a circuit whose inputs act first.

    The embedded state is a sum of waves, A z with z = cos(xG + b). Each layer of commuting weight rotations is diagonal
    in an eigenbasis of its own, so that the transpose of M is R D_L C_L ... D_2 C_2 D_1 A: diagonals D of the weights
    between constant changes of basis.
    """

    quiet = torch.inference_mode
    freq_x: Tensor
    shift_x: Tensor
    back_x: Tensor
    freq_w: Tensor
    shift_w: Tensor
    back_w: Tensor
    start: Tensor
    changes: Tensor
    readout: Tensor
    signs: Tensor
    back_signs: Tensor

    def __init__(self, rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int) -> None:
        n, dim = rotations.n_qubits, 2**rotations.n_qubits
        if n > MAX_MATRIX_QUBITS:
            raise ValueError(f"the circuit has {n} qubits; the matrix method serves up to {MAX_MATRIX_QUBITS}")
        embedding, trainable = _inputs_first(rotations)
        frequencies, start = _embedding_waves(rotations, embedding)
        layers = rotations.commuting_layers(trainable) or [[]]
        bases = [_eigenbasis(rotations, layer) for layer in layers]
        readout, signs = _readout(observables, n)
        identity = np.eye(dim, dtype=complex)
        halves = [(-b.eigenvalues.T / 2, layer) for b, layer in zip(bases, layers, strict=True)]
        phases = np.concatenate([half @ rotations.weight_slopes[layer] for half, layer in halves])
        phases = _clean(phases, np.abs(phases).max(0))
        shifts = np.concatenate([half @ rotations.constant[layer] for half, layer in halves])
        changes = [after.enter(before.leave(identity)) for before, after in pairwise(bases)]
        signs = np.repeat(np.eye(dim) if signs is None else signs, 2, axis=0)  # for real and imaginary parts apart
        super().__init__(
            copies,
            **_frequencies(frequencies),
            # Cosine and sine of each phase are the parts of a complex number.
            freq_w=np.repeat(phases, 2, axis=0).T,  # [n_weights, L · 2**n · 2]
            shift_w=_clean(shifts[:, None] - [0.0, math.pi / 2]).ravel(),
            back_w=-phases,
            start=_clean(bases[0].enter(start)),  # A [dim, waves]
            changes=_clean(np.array(changes, complex)).reshape(-1, 1, dim, dim),
            readout=_clean(np.concatenate([b.enter(bases[-1].leave(identity)) for b in readout])).T[None],
            signs=signs,
            back_signs=2 * signs.T,
        )

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        super().place(dtype, device)
        self.steps = self.changes.expand(-1, self.copies, -1, -1).unbind()
        self.readout = self.readout.expand(self.copies, -1, -1)

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        copies, (dim, _) = self.copies, self.start.shape
        waves_w = torch.addmm(self.shift_w, w, self.freq_w).cos_()
        first, *turns = torch.view_as_complex(waves_w.view(copies, -1, dim, 1, 2)).unbind(1)
        states = [self.start * first]  # [C, dim, waves]
        for step, turn in zip(self.steps, turns, strict=True):
            states.append(torch.bmm(step, states[-1]).mul_(turn))
        matrix = torch.view_as_real(torch.bmm(states[-1].mT, self.readout)).flatten(2)
        waves = _waves(x, self.freq_x, self.shift_x, copies)
        psi = torch.bmm(waves, matrix)  # [C, B, rows · 2]
        out = torch.mm((psi * psi).flatten(0, 1), self.signs)
        return _join(out, copies), (waves, turns, states, matrix, psi)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        waves, turns, states, matrix, psi = saved
        d_psi = torch.mm(_split(grad, self.copies).flatten(0, 1), self.back_signs).view_as(psi).mul_(psi)
        dx = _join(_waves_gradient(torch.bmm(d_psi, matrix.mT), waves, self.back_x), self.copies) if need_x else None
        if not need_w:
            return dx, None
        d_matrix = torch.view_as_complex(torch.bmm(waves.mT, d_psi).unflatten(2, (-1, 2)))
        # The conjugate of the state's gradient, so that going back through a matrix is multiplying by its transpose.
        d_state = torch.bmm(self.readout, d_matrix.mH)
        d_phases = []
        for step, turn, state in zip(reversed(self.steps), reversed(turns), reversed(states), strict=False):
            d_phases.append((d_state * state).sum(-1))
            d_state = torch.bmm(step.mT, d_state.mul_(turn))
        d_phases.append((d_state * states[0]).sum(-1))
        # A loss changes by Re(i · d_state · state) per unit of a diagonal's phase.
        return dx, torch.mm(torch.cat(d_phases[::-1], 1).imag, self.back_w)


class _State(_Evaluator):
    """The states of all samples, one layer of commuting rotations after the other: for circuits of any shape."""

    quiet = torch.inference_mode
    input_slopes: Tensor
    weight_slopes: Tensor
    constant: Tensor
    start: Tensor
    signs: Tensor | None = None  # probabilities are what is asked for

    def __init__(self, rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int) -> None:
        layers = rotations.commuting_layers(range(len(rotations.constant))) or [[]]
        bases = [_eigenbasis(rotations, layer) for layer in layers]
        readout, signs = _readout(observables, rotations.n_qubits)
        per_sample = [bool(rotations.input_slopes[layer].any()) for layer in layers]
        targets = [*([b] for b in bases[1:]), readout]
        self.layers = [_Layer(b, t, p) for b, t, p in zip(bases, targets, per_sample, strict=True)]
        self.sizes = [len(layer) for layer in layers]
        self.sizes_x = [len(layer) if p else 0 for layer, p in zip(layers, per_sample, strict=True)]
        order = [k for layer in layers for k in layer]
        order_x = [k for layer, p in zip(layers, per_sample, strict=True) if p for k in layer]
        super().__init__(
            copies,
            input_slopes=rotations.input_slopes[order_x],
            weight_slopes=rotations.weight_slopes[order],
            constant=_clean(rotations.constant[order, None]),
            start=_clean(bases[0].enter(rotations.initial[:, None]))[:, None],  # [dim, 1, 1]
            **({} if signs is None else {"signs": signs}),
        )

    def place(self, dtype: torch.dtype, device: torch.device) -> None:
        super().place(dtype, device)
        for layer in self.layers:
            layer.place(dtype, device)

    def run(self, x: Tensor, w: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
        copies, batch = self.copies, len(x)
        columns = _split(x, copies).flatten(0, 1)  # [C * B, n_inputs]
        shared = torch.addmm(self.constant, self.weight_slopes, w.t()).unsqueeze(2)  # angles [R, C, 1]
        varied = torch.mm(self.input_slopes, columns.t()).view(len(self.input_slopes), copies, batch)
        state, turns, states = self.start, [], []  # [dim, C, B], B = 1 until the first input acts
        for layer, angles, more in zip(self.layers, shared.split(self.sizes), varied.split(self.sizes_x), strict=True):
            turns.append(layer.turn(angles + more if layer.per_sample else angles))
            states.append(state * turns[-1])
            state = layer.change(states[-1])
        p = (state.real.square() + state.imag.square()).expand(-1, -1, batch).flatten(1).t()  # [C * B, rows]
        return _join(p if self.signs is None else torch.mm(p, self.signs), copies), (turns, states, state)

    def pull_back(
        self, grad: Tensor, saved: tuple[Any, ...], *, need_x: bool, need_w: bool
    ) -> tuple[Tensor | None, Tensor | None]:
        turns, states, state = saved
        copies = self.copies
        d_p = 2 * _split(grad, copies).flatten(0, 1)
        d_p = (d_p if self.signs is None else torch.mm(d_p, self.signs.t())).t().reshape(len(state), copies, len(grad))
        # The conjugate of the state's gradient, so that going back through a matrix is multiplying by its transpose.
        d_state = state.conj() * d_p
        d_shared: list[Tensor] = []
        d_varied: list[Tensor] = []
        for layer, turn, state in zip(reversed(self.layers), reversed(turns), reversed(states), strict=True):
            d_state = layer.change_back(d_state)
            if state.shape[2] < d_state.shape[2]:  # before the first input acts, all samples share one state
                d_state = d_state.sum(2, keepdim=True)
            d_angles = layer.turn_back(d_state, state)
            d_shared.append(d_angles.sum(2))
            if layer.per_sample:
                d_varied.append(d_angles.flatten(1))
            d_state = d_state.mul_(turn)
        dw = torch.mm(torch.cat(d_shared[::-1]).t(), self.weight_slopes)
        if not d_varied:
            return None, dw
        return _join(torch.mm(torch.cat(d_varied[::-1]).t(), self.input_slopes), copies), dw


class _Layer(_Constants):
    """Commuting rotations in their eigenbasis, and the change from it to the next one, or to the readout's several."""

    phases: Tensor
    source: Tensor
    inverse: Tensor
    factors: Tensor
    back_factors: Tensor
    hadamards: Tensor

    def __init__(self, basis: Eigenbasis, targets: Sequence[Eigenbasis], per_sample: bool) -> None:
        self.per_sample = per_sample
        self.before, self.after = _products(basis.n_hadamards), [_products(b.n_hadamards) for b in targets]
        where = np.argsort(basis.source)
        source = np.concatenate([where[b.source] for b in targets])
        inverse = np.concatenate([k * len(where) + np.argsort(where[b.source]) for k, b in enumerate(targets)])
        factors = _clean(np.concatenate([b.phase for b in targets]) * basis.phase.conj()[source])
        super().__init__(
            phases=-basis.eigenvalues.T / 2,
            source=source,
            inverse=inverse,
            factors=factors[:, None, None],
            back_factors=factors[inverse, None, None],
            hadamards=hadamard(2**MAX_HADAMARDS).astype(float),
        )

    def turn(self, angles: Tensor) -> Tensor:
        """Angles [K, C, B] to the diagonal [dim, C, B]."""
        phase = torch.mm(self.phases, angles.flatten(1)).unflatten(1, angles.shape[1:])
        return torch.complex(phase.cos(), phase.sin())

    def turn_back(self, d_state: Tensor, state: Tensor) -> Tensor:
        """Gradient [K, C, B] of the angles, given the conjugate of that of the turned state."""
        d_phase = d_state * state  # a loss changes by Re(i · d_state · state) per unit of a diagonal's phase
        d_phase = d_phase.imag if self.per_sample else d_phase.sum(2, keepdim=True).imag
        return torch.mm(self.phases.t(), d_phase.flatten(1)).neg_().unflatten(1, d_phase.shape[1:])

    def change(self, state: Tensor) -> Tensor:
        """States [dim, C, B] in the next basis, or one after the other in several."""
        state = self._hadamards(state, self.before).index_select(0, self.source).mul_(self.factors)
        return self._each_hadamards(state)

    def change_back(self, d_state: Tensor) -> Tensor:
        """The transpose of `change`."""
        d_state = self._each_hadamards(d_state).index_select(0, self.inverse).mul_(self.back_factors)
        if len(self.after) > 1:
            d_state = d_state.unflatten(0, (len(self.after), -1)).sum(0)
        return self._hadamards(d_state, self.before)

    def _each_hadamards(self, state: Tensor) -> Tensor:
        if len(self.after) == 1:
            return self._hadamards(state, self.after[0])
        parts = state.chunk(len(self.after))
        return torch.cat([self._hadamards(part, sizes) for part, sizes in zip(parts, self.after, strict=True)])

    def _hadamards(self, state: Tensor, sizes: list[int]) -> Tensor:
        """Hadamard gates on the highest bits of the first index, `sizes` of them in one product."""
        if not sizes:
            return state
        flat, done = torch.view_as_real(state), 0
        for size in sizes:
            gates = self.hadamards[: 2**size, : 2**size] / 2 ** (size / 2)
            flat = torch.matmul(gates, flat.reshape(2**done, 2**size, -1))
            done += size
        return torch.view_as_complex(flat.view(*state.shape, 2))


def _products(n_hadamards: int) -> list[int]:
    """Gates on so many bits, dealt evenly to as few products as allowed."""
    n_products = -(-n_hadamards // MAX_HADAMARDS)
    return [(n_hadamards + k) // n_products for k in range(n_products)]


def _compile(
    rotations: PauliRotations, observables: Sequence[SparsePauliOp] | None, copies: int, method: Method
) -> tuple[Method, _Evaluator]:
    """The evaluator asked for, or the fastest that fits; `observables=None` measures basis-state probabilities."""
    kinds: dict[Method, type[_Series | _Matrix | _State]] = {"fourier": _Series, "matrix": _Matrix, "state": _State}
    if method not in (*kinds, "auto"):
        raise ValueError(f"method is {method!r}; use 'auto', 'fourier', 'matrix' or 'state'")
    if method != "auto":
        return method, kinds[method](rotations, observables, copies)
    for name in ("fourier", "matrix"):
        with suppress(ValueError):  # it does not fit this circuit
            return name, kinds[name](rotations, observables, copies)
    return "state", _State(rotations, observables, copies)


def _check_dtype(dtype: torch.dtype) -> None:
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype is {dtype}; a quantum layer computes in torch.float32 or torch.float64")


def _split(x: Tensor, copies: int) -> Tensor:
    """[B, C * n] to [C, B, n]."""
    return x.unsqueeze(0) if copies == 1 else x.view(len(x), copies, x.shape[1] // copies).transpose(0, 1)


def _join(x: Tensor, copies: int) -> Tensor:
    """[C * B, n] to [B, C * n]."""
    return x if copies == 1 else x.view(copies, len(x) // copies, x.shape[1]).transpose(0, 1).flatten(1)


def _frequencies(frequencies: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Constants for the waves of frequencies [F, n_inputs]: the F cosines, then the F sines, of the phases ω·x."""
    return {
        "freq_x": np.concatenate([frequencies, frequencies]).T,
        "shift_x": np.repeat([0.0, -math.pi / 2], len(frequencies)),
        "back_x": frequencies,
    }


def _waves(x: Tensor, frequencies: Tensor, shifts: Tensor, copies: int) -> Tensor:
    """Inputs [B, C * n] to waves [C, B, 2 F]."""
    waves = torch.addmm(shifts, x.reshape(len(x) * copies, len(frequencies)), frequencies).cos_()
    return waves.view(len(x), copies, len(shifts)).transpose(0, 1)


def _waves_gradient(d_waves: Tensor, waves: Tensor, frequencies: Tensor) -> Tensor:
    """Gradient [C * B, n] of the inputs, given that [C, B, 2 F] of their waves, which is overwritten."""
    cosines, sines = waves.chunk(2, -1)
    d_cosines, d_sines = d_waves.chunk(2, -1)
    d_phase = d_sines.mul_(cosines).addcmul_(d_cosines, sines, value=-1)
    return torch.mm(d_phase.view(-1, len(frequencies)), frequencies)


def _half_space(frequencies: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[tuple[int, float]]]:
    """Frequencies up to their sign.

    Args:
        frequencies: Distinct frequencies [N, n].

    Returns:
        One of each pair ω, -ω [F, n]; and for each of the N frequencies its row there and the sign that it differs by.
    """
    rows: dict[tuple[float, ...], int] = {}
    places = []
    for frequency in frequencies:
        sign = next((math.copysign(1.0, f) for f in frequency if f), 1.0)
        places.append((rows.setdefault(tuple((sign * frequency + 0.0).tolist()), len(rows)), sign))
    return np.array(list(rows)).reshape(len(rows), frequencies.shape[1]), places


def _eigenbasis(rotations: PauliRotations, layer: list[int]) -> Eigenbasis:
    """The basis in which a layer of commuting rotations is diagonal."""
    return eigenbasis(rotations.x_masks[layer].tolist(), rotations.z_masks[layer].tolist(), rotations.n_qubits)


def _inputs_first(rotations: PauliRotations) -> tuple[list[int], list[int]]:
    """Rotations up to the last input and those after it, letting inputs pass weights that they commute with."""
    on_inputs, on_weights = (np.any(slopes, axis=1) for slopes in (rotations.input_slopes, rotations.weight_slopes))
    embedding: list[int] = []
    trainable: list[int] = []
    for k in range(len(on_inputs)):
        if not on_weights[k] and all(rotations.commute(j, k) for j in trainable):
            embedding.append(k)
        elif on_inputs[k]:
            raise ValueError("a weight acts before an input; the matrix method needs all inputs first")
        else:
            trainable.append(k)
    return embedding, trainable


def _embedding_waves(
    rotations: PauliRotations, embedding: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.complex128]]:
    """The embedded state as a sum of waves.

    Returns:
        Frequencies [F, n_inputs], and the amplitudes [2**n, 2 F] of their cosines and then of their sines.
    """
    frequencies = np.zeros((1, rotations.input_slopes.shape[1]))
    unit = np.abs(rotations.input_slopes).max(0, initial=0)
    unit[unit == 0] = 1.0
    states = rotations.initial[:, None]  # [2**n, frequencies]
    for layer in rotations.commuting_layers(embedding):
        basis = _eigenbasis(rotations, layer)
        states = basis.enter(states) * np.exp(-0.5j * basis.eigenvalues.T @ rotations.constant[layer])[:, None]
        slopes = -basis.eigenvalues.T @ rotations.input_slopes[layer] / 2  # [2**n, n_inputs]
        exact: dict[tuple[float, ...], NDArray[np.float64]] = {}  # sums that should be equal differ in rounding
        grown: dict[tuple[float, ...], NDArray[np.complex128]] = {}
        for b, s in np.argwhere(np.abs(states) > _ZERO):
            frequency = frequencies[s] + slopes[b]
            key = tuple((frequency / unit).round(12) + 0.0)
            exact.setdefault(key, frequency)
            grown.setdefault(key, np.zeros(len(states), complex))[b] += states[b, s]
        if len(grown) > MAX_FREQUENCIES:
            raise ValueError(f"the embedded state has more than {MAX_FREQUENCIES} frequencies; use another method")
        frequencies, states = np.array(list(exact.values())), basis.leave(np.stack(list(grown.values()), 1))
    half, places = _half_space(_clean(frequencies, np.abs(frequencies).max(0)))
    waves = np.zeros((len(states), 2, len(half)), complex)
    for (row, sign), state in zip(places, states.T, strict=True):  # e^{±ia} = cos a ± i sin a
        waves[:, 0, row] += state
        waves[:, 1, row] += 1j * sign * state
    return half, waves.reshape(len(states), -1)


def _readout(
    observables: Sequence[SparsePauliOp] | None, n_qubits: int
) -> tuple[list[Eigenbasis], NDArray[np.float64] | None]:
    """Bases in which the observables are diagonal, and the matrix from probabilities in them to expectation values."""
    if observables is None:
        return [eigenbasis([], [], n_qubits)], None
    bits = 1 << np.arange(n_qubits)
    coefficients: dict[tuple[int, int], NDArray[np.float64]] = {}
    for o, observable in enumerate(observables):
        for pauli, coefficient in zip(observable.paulis, observable.coeffs.real, strict=True):
            row = coefficients.setdefault((int(pauli.x @ bits), int(pauli.z @ bits)), np.zeros(len(observables)))
            row[o] += coefficient
    groups: list[list[tuple[int, int]]] = []
    for pauli in coefficients:
        group = next((g for g in groups if all(commute(pauli, other) for other in g)), None)
        if group is None:
            groups.append([pauli])
        else:
            group.append(pauli)
    bases = [eigenbasis([x for x, _ in g], [z for _, z in g], n_qubits) for g in groups]
    signs = [b.eigenvalues.T @ np.array([coefficients[p] for p in g]) for b, g in zip(bases, groups, strict=True)]
    return bases, _clean(np.concatenate(signs), scales(observables))

r"""A Qiskit circuit as a batched, differentiable PyTorch layer.

The trainable gates do not depend on the sample, so they are not simulated once per sample. A circuit whose inputs act
before its weights is a small network with one weight-dependent matrix M(w), built once per step:

$$z = \cos(xG + b), \qquad f(x, w) = \underbrace{z\,M(w)}_{\text{Fourier series}}
\quad\text{or}\quad f(x, w) = \underbrace{|z\,M(w)|^2\,S}_{\text{amplitudes, then Pauli signs}} .$$

Whichever of the `evaluators` does it, the layer is one autograd node with a backward pass written by hand: at this size
most of the time of ordinary automatic differentiation is bookkeeping. Higher derivatives and `torch.func` transforms
record the same forward operations.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn
from torch.autograd import forward_ad

from hqnn.circuit import Circuit
from hqnn.errors import NonFiniteError
from hqnn.views.evaluators import Evaluator, Measurement, Method, compiled
from hqnn.views.first_weights import begin
from hqnn.views.pauli_rotations import lower

if TYPE_CHECKING:
    from hqnn.views.noise import Noise


class QuantumLayer(nn.Module):
    """A parametric circuit as an `nn.Module`, optionally several copies of it side by side with weights of their own.

    Args:
        pc: Any circuit of standard gates whose state fits into memory; inputs and weights may enter anywhere, also
            repeatedly.
        copies: Number of parallel circuits; circuit c takes the c-th block of n_inputs columns.
        dtype: `torch.float32` or `torch.float64`: precision of inputs, weights and outputs, under `torch.autocast` too.
        method: How the circuit is evaluated (see `hqnn.views.evaluators`); `"auto"` picks the fastest that fits.
        weights: The angles to begin with, radians: [n_weights] or [copies, n_weights], or by the names of parameters, a
            number or [copies] each. What is not given is drawn uniformly from [0, 2π).
        shots: How often each sample is measured, in training and evaluation alike; None computes exactly. With shots
            the outputs are estimates, and gradients come by the parameter-shift rule from further shots: unbiased, for
            first derivatives only, and drawn from torch's random state (`torch.manual_seed`).
        noise: The device that the circuit runs on (`hqnn.views.noise`), in training and evaluation alike: values,
            gradients and probabilities are those of its density matrix, as `hqnn.views.aer` has them; with `shots`
            the estimates are unbiased for these. None is a perfect device.

    Attributes:
        weights: Trainable angles [copies, n_weights], radians, in the order of the circuit's `weights`.
        method: The method in use; with noise it is `"density"`.
        shots: As above; may be changed at any time.

    A state dict remembers the circuit, and loading it into the layer of another one is refused. `torch.export` and
    `torch.compile` take the layer as long as it computes exactly.

    >>> from hqnn.papers.lcqhnn.circuits import lcqhnn_circuit
    >>> layer = QuantumLayer(lcqhnn_circuit(), weights={"θ[0]": 0.5})
    >>> layer(torch.zeros(2, 3, 4)).shape
    torch.Size([2, 3, 4])
    >>> network = nn.Sequential(nn.Linear(10, 4), layer, nn.Linear(4, 2))
    >>> network(torch.rand(32, 10)).sum().backward()
    >>> layer.weights.grad.shape
    torch.Size([1, 4])

    Raises:
        TypeError: `pc` is not a `Circuit`.
        ValueError: `copies` or `shots` below one, an unsupported dtype, an unsupported circuit, a method that does not
            fit it or its noise, weights of another shape or name, or more qubits than the device has or than there is
            memory for.
    """

    weights: nn.Parameter

    def __init__(
        self,
        pc: Circuit,
        *,
        copies: int = 1,
        dtype: torch.dtype = torch.float32,
        method: Method = "auto",
        weights: ArrayLike | Tensor | Mapping[str, ArrayLike] | None = None,
        shots: int | None = None,
        noise: Noise | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(pc, Circuit):
            raise TypeError(f"pc is a {type(pc).__name__}; wrap a circuit in Circuit(circuit=…, inputs=…, …)")
        if not _counts(copies):
            raise ValueError(f"copies is {copies!r}; a layer has at least one circuit, and a whole number of them")
        _check_dtype(dtype)
        self.pc, self.copies, self.shots, self.noise = pc, copies, shots, noise
        self._check_shots()
        self.method: Method | Literal["density"]
        if noise is None:
            self.rotations = lower(pc)
            self.method, self.evaluator = compiled(self.rotations, pc.observables, copies, method)
        elif method != "auto":
            raise ValueError(f"method is {method!r}; leave it 'auto' with noise, which only density matrices follow")
        else:
            self.method, self.evaluator = "density", _density().noisy(pc, pc.observables, noise, copies)
        drawn = 2 * math.pi * torch.rand(copies, pc.n_weights, dtype=dtype)
        self.weights = nn.Parameter(drawn if weights is None else begin(pc, weights, drawn))
        self._place()
        self._shape = self.weights.shape
        self.register_state_dict_post_hook(_sign)

    @classmethod
    def at(
        cls, pc: Circuit, weights: NDArray[np.float64], *, method: Method = "auto", noise: Noise | None = None
    ) -> Self:
        """Copies in double precision with given weights [copies, n_weights], radians; draws no random numbers."""
        with torch.random.fork_rng(devices=[]):
            return cls(pc, copies=len(weights), dtype=torch.float64, method=method, weights=weights, noise=noise)

    @cached_property
    def distribution(self) -> Evaluator:
        """What evaluates the probabilities of basis states: amplitudes, whatever the observables are."""
        if self.noise is not None:
            evaluator: Evaluator = _density().noisy(self.pc, None, self.noise, self.copies)
        else:
            _, evaluator = compiled(self.rotations, None, self.copies, "auto")
        with torch.inference_mode(False):
            evaluator.place(self.weights.dtype, self.weights.device)
        return evaluator

    @cached_property
    def measurement(self) -> Measurement:
        """What estimates the outputs from shots."""
        if self.noise is not None:
            measurement = _density().measured(self.pc, self.pc.observables, self.noise, self.copies)
        else:
            measurement = Measurement.of_states(self.rotations, self.pc.observables, self.copies)
        with torch.inference_mode(False):
            measurement.place(self.weights.dtype, self.weights.device)
        return measurement

    def named_weights(self) -> dict[str, Tensor]:
        """The angles of each weight [copies], radians, by the name of its parameter; views of `weights`."""
        return {parameter.name: self.weights[:, k] for k, parameter in enumerate(self.pc.weights)}

    def forward(self, inputs: Tensor) -> Tensor:
        """Expectation values [..., copies * n_observables], circuit by circuit, of features [..., copies * n_inputs].

        Raises:
            TypeError: Inputs are not a tensor of the layer's dtype.
            ValueError: Wrong shape, other device, a NaN or infinite input, or a batch that does not fit into memory.
        """
        return self._evaluate(self.measurement if self.shots is not None else self.evaluator, inputs)

    def probabilities(self, inputs: Tensor) -> Tensor:
        """Exact probabilities [..., copies, 2**n_qubits] of the basis states, differentiable like `forward`.

        Bit q of the last index is the outcome of qubit q. Those of a few qubits as outputs: `hqnn.circuit.outcomes`.
        """
        return self._evaluate(self.distribution, inputs).unflatten(-1, (self.copies, -1))

    @torch.no_grad()
    def sample(
        self, inputs: Tensor, shots: int, generator: np.random.Generator | int | None = None
    ) -> NDArray[np.int64]:
        """Counts [..., copies, 2**n_qubits] of a measurement of all qubits, as a device without noise returns them.

        Raises:
            ValueError: As `forward`, or fewer than one shot.
        """
        if not _counts(shots):
            raise ValueError(f"shots is {shots!r}; measure at least once, in whole numbers")
        p = self.probabilities(inputs).double().clamp_min(0)
        return np.random.default_rng(generator).multinomial(shots, (p / p.sum(-1, keepdim=True)).cpu().numpy())

    def extra_repr(self) -> str:
        """One line for `print(layer)`."""
        pc = self.pc
        return (
            f"{pc.circuit.name!r}: {self.copies} x ({pc.n_inputs} inputs, {pc.n_weights} weights -> {pc.n_observables} "
            f"observables on {pc.n_qubits} qubits), method={self.method!r}, dtype={self.weights.dtype}"
            f"{'' if self.shots is None else f', shots={self.shots}'}"
            f"{'' if self.noise is None else f', noise={self.noise.name!r}'}"
        )

    def _evaluate(self, evaluator: Evaluator | Measurement, inputs: Tensor) -> Tensor:
        if isinstance(inputs, Tensor) and inputs.ndim != 2 and inputs.ndim:
            *leading, width = inputs.shape
            out = self._evaluate(evaluator, inputs.reshape(math.prod(leading), width))
            return out.reshape(*leading, out.shape[1])
        x, w = self._checked(inputs)
        if torch.is_autocast_enabled(w.device.type):
            with _own_precision(w):
                return self._evaluate(evaluator, x.to(w.dtype))
        if isinstance(evaluator, Measurement):
            self._check_shots()
            return evaluator.measure(*evaluator.angles.derive(x, w), cast(int, self.shots))
        if self.noise is None:
            x, w = self.rotations.derive(x, w)
        # These need every operation on its own. Torch has no public names for either question.
        if (
            torch.compiler.is_compiling()
            or torch._C._are_functorch_transforms_active()
            or forward_ad._current_level >= 0
        ):
            return evaluator.run(x, w)[0]
        if self.noise is not None:
            return _finite(evaluator.run(x, w)[0], x)
        return cast(Tensor, _HandWritten.apply(x, w, evaluator))

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
            raise ValueError(f"inputs have shape {tuple(inputs.shape)}; this layer expects [..., {width}]")
        if inputs.device != weights.device:
            raise ValueError(f"inputs are on {inputs.device} but the layer is on {weights.device}; move one with .to()")
        if self._placed != (weights.dtype, weights.device):  # by `load_state_dict(assign=True)` or `functional_call`
            self._place()
        if torch.compiler.is_compiling():
            return inputs, weights
        return (inputs, weights) if torch.is_inference_mode_enabled() else (_usable(inputs), _usable(weights))

    def _check_shots(self) -> None:
        if self.shots is not None and not _counts(self.shots):
            raise ValueError(f"shots is {self.shots!r}; measure at least once, in whole numbers, or pass None: exactly")

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """What `.to()`, `.double()` and the like do: the constants follow the weights."""
        super()._apply(fn, recurse)
        self._place()
        return self

    def _place(self) -> None:
        dtype, device = self.weights.dtype, self.weights.device
        _check_dtype(dtype)
        for compiled_when_asked_for in ("distribution", "measurement"):
            self.__dict__.pop(compiled_when_asked_for, None)
        with torch.inference_mode(False):  # so that autograd takes the constants later
            self.evaluator.place(dtype, device)
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


class _HandWritten(torch.autograd.Function):
    """One autograd node for a whole circuit."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w: Tensor, evaluator: Evaluator) -> Tensor:
        with evaluator.quiet():
            out, ctx.saved = evaluator.run(x, w)  # neither inputs nor outputs, hence not for save_for_backward
        out = _usable(out)
        ctx.evaluator = evaluator
        ctx.save_for_backward(x, w)
        return _finite(out, x)

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


def _finite(out: Tensor, x: Tensor) -> Tensor:
    """The outputs, or an error that names the first input without a finite value."""
    # An infinity or a NaN gives NaN, the one number that differs from itself. (A GPU would have to be waited for.)
    if out.device.type == "cpu" and not torch.equal(out, out):
        rows = (~x.isfinite()).any(1).nonzero().flatten().tolist()
        if rows:
            raise NonFiniteError(f"inputs contain NaN or infinity (first in row {rows[0]}); check what made them")
    return out


def _check_dtype(dtype: object) -> None:
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"dtype is {dtype!r}; a quantum layer computes in torch.float32 or torch.float64")


def _counts(number: object) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool) and bool(number >= 1)


def _density() -> ModuleType:
    """What computes with noise, and needs Qiskit Aer."""
    return importlib.import_module("hqnn.views.evaluators.density")


def _own_precision(tensor: Tensor) -> AbstractContextManager[Any]:
    """No `torch.autocast`: an angle rounded to bfloat16 is another angle."""
    kind = tensor.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


def _usable(result: Any) -> Any:
    """A tensor of inference mode as one that autograd accepts."""
    return result.clone() if result is not None and result.is_inference() else result

"""The live figures: their JavaScript computes what the library does; `test_live_pages` moves them in a browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import quickjs
import torch
from docutils import nodes
from docutils.utils import new_document
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import Statevector
from torch import Tensor

from hqnn import experiments, records
from hqnn.circuit import Circuit, pauli_on_each_qubit
from hqnn.papers.hqnn import parallel
from hqnn.papers.hqnn.circuits import strongly_entangling
from hqnn.papers.hqnn.experiments import ParallelConfig
from hqnn.papers.lcqhnn import model as lcqhnn
from hqnn.papers.lcqhnn.noise_robustness import QuantumHead
from hqnn.papers.lcqhnn.score_range import score_range
from hqnn.views import bloch
from hqnn.views.layer import QuantumLayer
from hqnn.views.noise import depolarising
from tools import live
from tools.repository import ROOT

SCRIPTS = ROOT / "book" / "_static" / "live"
CLOSE = 1e-5
Engine = Callable[..., Any]


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return {name: make() for name, make in live.FIGURES.items()}


@pytest.fixture(scope="module")
def js(data: dict[str, Any]) -> Engine:
    """Evaluate an expression in an embedded engine that holds the scripts and the data but no page."""
    context = quickjs.Context()
    names = {script for scripts in live.SCRIPTS.values() for script in scripts} - {"page", *live.FIGURES}
    for name in ("quantum", *sorted(names - {"quantum"})):
        context.eval((SCRIPTS / f"{name}.js").read_text(encoding="utf-8"))
    for name, of_figure in data.items():
        context.eval(live.script_of(name, of_figure))
    context.eval("var late = live.data['late-start'], noise = live.data.noise, explorer = live.data.circuit;")

    def evaluate(expression: str, **values: Any) -> Any:
        names, given = ", ".join(values), ", ".join(json.dumps(value) for value in values.values())
        return json.loads(context.eval(f"JSON.stringify((({names}) => {expression})({given}))"))

    return evaluate


def drawn(n: int, seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(-np.pi, np.pi, (5, n))


def layer_outputs(pc: Circuit, values: NDArray[np.float64]) -> NDArray[np.float64]:
    layer = QuantumLayer(pc, dtype=torch.float64)
    layer.weights.data = torch.from_numpy(values[pc.n_inputs :])[None]
    found: NDArray[np.float64] = layer(torch.from_numpy(values[: pc.n_inputs])[None]).detach().numpy()[0]
    return found


# --- numbers: the scripts beside the library


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_explorer_computes_what_the_library_does(js: Engine, first: bool, second: bool) -> None:
    pc, key = live.without_ladders(first=first, second=second), f"{first:d}{second:d}"
    for values in drawn(8):
        expected = layer_outputs(pc, values)
        asked = {"values": values.tolist(), "key": key}
        found = js("live.quantum.outputs(explorer.circuits[key], values)", **asked)
        np.testing.assert_allclose(found, expected, atol=CLOSE)
        found = js("live.quantum.closed(explorer.forms[key], values)", **asked)
        np.testing.assert_allclose(found, expected, atol=CLOSE)


def test_explorer_shows_the_states_and_bloch_vectors_of_every_stage(js: Engine) -> None:
    pc, values = live.without_ladders(first=True, second=True), drawn(8)[0]
    bound = dict(zip([*pc.inputs, *pc.weights], values, strict=True))
    for stage, circuit in pc.stages().items():
        asked = {"values": values.tolist(), "stage": stage}
        state = js("live.quantum.run(explorer.circuits['11'], values, stage)", **asked)
        found = np.array([complex(state["re"][str(i)], state["im"][str(i)]) for i in range(16)])
        np.testing.assert_allclose(found, Statevector(circuit.assign_parameters(bound, strict=False)).data, atol=CLOSE)
        run = "live.quantum.run(explorer.circuits['11'], values, stage)"
        expression = f"[0, 1, 2, 3].map((q) => live.quantum.bloch({run}, q))"
        expected = bloch.bloch_vectors(pc, values[None, :4], values[4:], stage=stage)[0]
        np.testing.assert_allclose(js(expression, **asked), expected, atol=CLOSE)


def test_any_circuit_of_known_gates_runs(js: Engine) -> None:
    pc = strongly_entangling()
    for values in drawn(pc.n_inputs + pc.n_weights):
        found = js("live.quantum.outputs(circuit, values)", circuit=live.circuit_of(pc), values=values.tolist())
        np.testing.assert_allclose(found, layer_outputs(pc, values), atol=CLOSE)


def recorded(dataset: str) -> Iterator[tuple[int, int, lcqhnn.Lcqhnn]]:
    """Which run and which of its kept epochs, and the network."""
    name = f"lcqhnn-{dataset}"
    model = lcqhnn.Lcqhnn(experiments.get(name).variants["lcqhnn"])
    for run, record in enumerate(records.load(f"{name}/lcqhnn")):
        for k, epoch in ((0, 0), (4, 5)):
            model.load_state_dict(record.snapshot(epoch))
            yield run, k, model


def test_score_ranges_are_those_of_the_library(js: Engine) -> None:
    for run, k, model in recorded("fashion"):
        expression = "live.scoreRange.range(late.forms, late.n_inputs, late.datasets.fashion.runs[run].networks[k])"
        found = js(expression, run=run, k=k)
        expected = score_range(model)
        np.testing.assert_allclose(found, [expected.low, expected.high], atol=CLOSE)
        scores = js(
            "live.scoreRange.sample(late.forms, late.n_inputs, late.datasets.fashion.runs[run].networks[k], 200)",
            run=run,
            k=k,
        )
        assert found[0] <= min(scores) < max(scores) <= found[1]


def test_runs_start_late_where_the_range_misses_zero(js: Engine, data: dict[str, Any]) -> None:
    """What the page says that a reader will find."""
    for dataset, found in data["late-start"]["datasets"].items():
        for run, record in enumerate(found["runs"]):
            expression = (
                "live.scoreRange.range(late.forms, late.n_inputs, late.datasets[dataset].runs[run].networks[0])"
            )
            low, high = js(expression, dataset=dataset, run=run)
            assert (low > 0 or high < 0) == (record["accuracy"][0] < 0.6)


def test_noisy_scores_and_outcomes_are_those_of_aer(js: Engine, data: dict[str, Any]) -> None:
    of = data["noise"]
    readout = of["network"]
    weights, slopes = np.array(readout["weights"]), np.array(readout["slopes"])
    network = QuantumHead(weights=weights, slopes=slopes, offset=readout["offset"])
    features = np.array(of["features"][:10])
    for depth in of["depths"]:
        for p2 in (of["p2"][0], of["today"]["depolarising"], of["p2"][-1]):
            p1 = of["p1_over_p2"] * p2
            expected = network.on(depolarising(p1, p2), n_layers=depth)(features)
            asked = {"depth": depth, "device": {"p1": p1, "p2": p2, "pulses": of["pulses"]}, "n": len(features)}
            call = "(noise.circuits[depth], noise.network, noise.features.slice(0, n), device)"
            np.testing.assert_allclose(js(f"live.noisy.probabilities{call}", **asked), expected, atol=CLOSE)
            np.testing.assert_allclose(js(f"live.noisy.scores{call}", **asked), network.scores(expected), atol=CLOSE)


def test_shots_scatter_about_the_exact_score(js: Engine) -> None:
    device = "{p1: 0.01, p2: 0.1, pulses: noise.pulses}"
    call = f"(noise.circuits[1], noise.network, noise.features.slice(0, 10), {device})"
    exact = np.array(js(f"live.noisy.scores{call}"))
    random = "live.scoreRange.generator(3)"
    sampled = f"live.noisy.sampled(live.noisy.probabilities{call}, noise.network, shots, {random})"
    assert np.abs(np.array(js(sampled, shots=4096)) - exact).max() < 0.25
    assert np.abs(np.array(js(sampled, shots=1)) - exact).max() > 1


def parallel_network(middle: str) -> tuple[parallel.Parallel, ParallelConfig]:
    """A network that has seen a batch of noise, so that its normalisations do something."""
    config = replace(experiments.get("hqnn-mnist").variants["hqnn"], middle=middle)
    model = parallel.build(config)
    model(torch.rand(32, 1, config.size, config.size))
    return model.eval(), config


@pytest.mark.parametrize("middle", ["circuits", "blocks", "identity"])
def test_networks_that_read_a_digit_score_as_in_the_library(js: Engine, middle: str) -> None:
    model, config = parallel_network(middle)
    image = torch.rand(1, 1, config.size, config.size, dtype=torch.float64)
    found = js(
        "live.network.run(live.network.prepare(network), image)",
        network=live.network_of_parallel(model, config),
        image=image.flatten().tolist(),
    )
    with torch.no_grad():
        angles, scores = model.double().angles(image)[0].numpy(), model(image)[0].numpy()
    np.testing.assert_allclose(found["angles"], angles, atol=CLOSE)
    np.testing.assert_allclose(found["scores"], scores, atol=CLOSE)


READ = """(() => {
  const network = live.network.prepare(live.data.digit.networks[k]);
  const seen = live.network.run(network, image), steps = live.network.looking(network, image, seen);
  for (;;) {
    const {done, value} = steps.next();
    if (done) return {scores: seen.scores, angles: seen.angles, heat: [...value]};
  }
})()"""


def covered(model: parallel.Parallel, image: Tensor) -> NDArray[np.float64]:
    """Where a network looks, every square by itself: the fall of the answer's odds if it is black, as a logarithm."""

    def odds(images: Tensor) -> Tensor:
        shares = model(images).softmax(1)[:, answer]
        return (shares / (1 - shares)).log()

    heat = torch.zeros(28, 28, dtype=torch.float64)
    with torch.no_grad():
        answer = int(model(image).argmax())
        for top in range(-2, 28, 2):
            for left in range(-2, 28, 2):
                there = slice(max(0, top), top + 4), slice(max(0, left), left + 4)
                without = image.clone()
                without[..., *there] = 0
                heat[there] += (odds(image) - odds(without)).item() / 4
    return heat.numpy()


def reader(k: int) -> tuple[records.Record, parallel.Parallel]:
    """A network that reads a drawn digit, with its record, in double precision."""
    series = list(live.DRAWN.values())[k]
    record, config = records.load(series)[0], experiments.config(series)
    assert (record.seed, config.epochs) == (records.measured("hqnn-hard-digits").config["seed"], 8)
    model = parallel.build(config).eval()
    model.load_state_dict(record.snapshot(config.epochs))
    return record, model.double()


@pytest.mark.parametrize("k", range(3))
def test_recorded_networks_read_a_digit_as_the_library_does(js: Engine, k: int) -> None:
    """Scores, angles and where they look."""
    _, model = reader(k)
    pixels = np.pad(np.kron(np.reshape(live.examples()[2 + k], (8, 8)), np.full((3, 3), 15)), 2)
    image = torch.from_numpy(pixels / 255).reshape(1, 1, 28, 28)
    found = js(READ, k=k, image=(pixels / 255).ravel().tolist())
    with torch.no_grad():
        np.testing.assert_allclose(found["scores"], model(image)[0], atol=CLOSE)
        np.testing.assert_allclose(found["angles"], model.angles(image)[0], atol=CLOSE)
    np.testing.assert_allclose(np.reshape(found["heat"], (28, 28)), covered(model, image), atol=CLOSE)


@pytest.mark.parametrize("k", range(3))
def test_a_network_misreads_the_hard_digits_as_its_record_says(js: Engine, data: dict[str, Any], k: int) -> None:
    if not data["digit"]["hard"]:
        pytest.skip("MNIST is not here")
    record, model = reader(k)
    for digit in data["digit"]["hard"]:
        pixels = np.array(js("live.network.bytes(pixels)", pixels=digit["pixels"]))
        image = torch.from_numpy(pixels / 255).reshape(1, 1, 28, 28)
        assert int(model(image).argmax()) == record.errors[digit["image"]] == digit["said"][k] != digit["label"]


def test_a_drawing_is_centred_as_in_mnist(js: Engine) -> None:
    ink = np.zeros((60, 60))
    ink[5:45, 10:18] = 1
    ink[35:45, 10:40] = 1
    image = np.array(list(js("live.network.centre(ink, 60)", ink=ink.ravel().tolist()).values())).reshape(28, 28)
    rows, columns = (np.flatnonzero(image.max(axis=axis) > 0.01) for axis in (1, 0))
    assert 19 <= np.ptp(rows) + 1 <= 21  # the longer side fills 20 pixels, give or take a cut one
    assert 14 <= np.ptp(columns) + 1 <= 17
    assert abs((image.sum(axis=1) @ np.arange(28)) / image.sum() - 13.5) < 0.1
    assert abs((image.sum(axis=0) @ np.arange(28)) / image.sum() - 13.5) < 0.1
    assert image.sum() == pytest.approx(ink.sum() / 4)  # 40 pixels are 20
    moved = js("live.network.centre(ink, 60)", ink=np.roll(ink, (7, -4), (0, 1)).ravel().tolist())
    np.testing.assert_allclose(list(moved.values()), image.ravel(), atol=1e-9)
    assert not any(js("live.network.centre(ink, 60)", ink=[0] * 3600).values())


# --- data and placeholders


def test_circuits_of_other_gates_or_observables_are_refused() -> None:
    circuit = QuantumCircuit(2)
    circuit.swap(0, 1)
    with pytest.raises(ValueError, match="knows the gate 'swap'"):
        live.circuit_of(Circuit(circuit=circuit, inputs=[], weights=[], observables=pauli_on_each_qubit(2)))
    with pytest.raises(ValueError, match="one Pauli matrix on each qubit"):
        live.circuit_of(
            Circuit(circuit=QuantumCircuit(2), inputs=[], weights=[], observables=pauli_on_each_qubit(2)[:1])
        )


def test_pages_load_the_scripts_of_their_figures() -> None:
    page = new_document("page")
    page += nodes.raw("", '<div data-live="noise"></div><div data-live="late-start"></div>', format="html")
    page += nodes.raw("", '<div data-live="noise"></div>', format="html")
    assert live.figures_of(page) == ["noise", "late-start"]
    assert live.scripts_of(["circuit"]) == ["quantum", "page", "data-circuit", "circuit"]
    assert len(set(live.scripts_of(live.figures_of(page)))) == len(live.scripts_of(live.figures_of(page)))
    assert live.figures_of(None) == live.scripts_of([]) == []
    with pytest.raises(ValueError, match="no live figure 'nosuch'"):
        live.scripts_of(["nosuch"])


def test_scripts_are_small_classic_and_ask_no_host() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS.glob("*.js")}
    assert set(texts) == {f"{script}.js" for scripts in live.SCRIPTS.values() for script in scripts}
    for name, text in texts.items():
        assert len(text.encode()) < 16_000, name
        assert not re.search(
            r"^\s*(import|export)\b|\bfetch\(|XMLHttpRequest|https?://(?!www\.w3\.org/2000/svg)", text, re.M
        )

"""Show that two checkouts build equal models: `python -m tools.migration_proof OLD NEW`, folders of clones.

For every registered config at both scales: names, shapes, kinds and bits of all initial weights for one seed; which of
them are trained; every circuit gate by gate with its observables; the scores of two random images. The records of NEW
must hold as many parameters as its models have, and where they keep the weights of epoch 0, exactly those.
"""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

TOLERANCE = 1e-5
"""Of scores, which other evaluators of the same circuits may round differently."""


def builders() -> dict[str, Any]:
    """How the importable package, first edition or later, builds the model of each type of config."""
    try:
        from hqnn.papers.hqnn import parallel, quanv
        from hqnn.papers.lcqhnn import model as lcqhnn
        from hqnn.papers.transfer import features
        from hqnn.papers.transfer import model as transfer
    except ImportError:
        from hqnn.models import hqnn as parallel  # type: ignore[no-redef]
        from hqnn.models import lcqhnn, quanv, transfer  # type: ignore[no-redef]

        from hqnn import quantum_features as features  # type: ignore[no-redef]

    def classifier(config: Any) -> tuple[Any, tuple[int, ...], list[Any]]:
        reading = features.READINGS[config.reading]
        width = {
            "latents": config.encoder.n_latents,
            "encoded": reading.width,
            "measured": reading.n_circuits * (32 if config.outcome == "probabilities" else 5),
        }[config.inputs]
        circuits = [reading.circuit(entangle=config.entangle)] if config.inputs == "measured" else []
        return transfer.Classifier(config, width), (width,), circuits

    return {
        "LcqhnnConfig": lambda c: (lcqhnn.build(c), (1, 28, 28), []),
        "ParallelConfig": lambda c: (parallel.build(c), (c.in_channels, c.size, c.size), []),
        "QuanvConfig": lambda c: (quanv.build(c), (1, c.size, c.size), []),
        "AutoencoderConfig": lambda c: (transfer.Autoencoder(c), (784,), []),
        "TransferConfig": classifier,
    }


def gates(pc: Any) -> list[Any]:
    """A circuit gate by gate, and its observables."""
    found = [
        [i.operation.name, [str(p) for p in i.operation.params], [pc.circuit.find_bit(q).index for q in i.qubits]]
        for i in pc.circuit.data
    ]
    order = [str(p) for p in (*pc.inputs, *pc.weights)]
    return [found, order, [[[label, str(value)] for label, value in o.to_list()] for o in pc.observables]]


def dump() -> None:
    """Print one line of JSON for each registered config of the importable package."""
    from hqnn import experiments
    from hqnn.training import seed_epoch

    build = builders()
    torch.set_num_threads(1)
    for experiment in experiments.EXPERIMENTS.values():
        for scale, configs in (("paper", experiment.variants), ("quick", experiment.quick)):
            for variant, config in configs.items():
                seed_epoch(3, 0)
                model, shape, circuits = build[type(config).__name__](config)
                state = {
                    name: [list(t.shape), str(t.dtype), hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest()]
                    for name, t in model.state_dict().items()
                }
                layers = [m.pc for m in model.modules() if hasattr(m, "pc")]
                generator = torch.Generator().manual_seed(0)
                with torch.no_grad():
                    scores = model.eval()(torch.rand(2, *shape, generator=generator))
                line = {
                    "name": f"{scale}/{experiment.name}/{variant}",
                    "config": experiments.as_json(config),
                    "state": state,
                    "trained": [name for name, p in model.named_parameters() if p.requires_grad],
                    "circuits": [gates(pc) for pc in [*layers, *circuits]],
                    "scores": scores.flatten().tolist(),
                }
                sys.stdout.write(json.dumps(line) + "\n")


def check_records() -> None:
    """Compare what the records of the importable package hold with the models it builds."""
    from hqnn import experiments, records
    from hqnn.tasks import count_parameters
    from hqnn.training import seed_epoch

    build = builders()
    n_counted = n_kept = 0
    for series in records.all_series():
        experiment, variant = series.split("/")
        config = experiments.get(experiment).variants[variant]
        for record in records.load(series):
            if records.stale(record):
                raise SystemExit(f"{record.path} is stale")
            seed_epoch(record.seed, 0)
            model, *_ = build[type(config).__name__](config)
            if count_parameters(model) != record.result["n_parameters"]:
                raise SystemExit(f"{record.path} has another number of parameters than its model")
            n_counted += 1
            if 0 in config.snapshots:
                kept = record.snapshot(0)
                if not all(torch.equal(t, kept[name]) for name, t in model.state_dict().items()):
                    raise SystemExit(f"{record.path} began with other weights than its model")
                n_kept += 1
    sys.stdout.write(f"{n_counted} records have their models' numbers of parameters, {n_kept} their initial weights\n")


def main() -> None:
    """Compare two checkouts."""
    found = []
    for folder in map(Path, sys.argv[1:3]):
        environment = {**os.environ, "PYTHONPATH": str(folder / "lib"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, __file__, "--dump"],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
        found.append({line["name"]: line for line in map(json.loads, done.stdout.splitlines())})
    old, new = found
    if old.keys() != new.keys():
        raise SystemExit(f"other configs are registered: {sorted(old.keys() ^ new.keys())}")
    largest = 0.0
    for name, line in old.items():
        for part in ("config", "state", "trained", "circuits"):
            if line[part] != new[name][part]:
                raise SystemExit(f"{name}: {part} differs")
        gaps = [abs(a - b) for a, b in zip(line["scores"], new[name]["scores"], strict=True)]
        largest = max(largest, *gaps)
        if largest > TOLERANCE:
            raise SystemExit(f"{name}: scores differ by {largest:g}")
    n_circuits = sum(len(line["circuits"]) for line in new.values())
    sys.stdout.write(
        f"{len(new)} configs build equal models: the same initial weights bit by bit, {n_circuits} circuits the same "
        f"gate by gate, scores within {largest:.1g}\n"
    )
    subprocess.run([sys.executable, __file__, "--records"], env=environment, cwd=folder, check=True)


if __name__ == "__main__":
    {"--dump": dump, "--records": check_records}.get(sys.argv[1], main)()

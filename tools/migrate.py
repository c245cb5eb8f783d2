"""Give the first edition's records the fields that say what made them: `python -m tools.migrate`.

Runs and analyses of format 1 become records of format 2. Result, provenance, weights, config and its hash stay as they
are; added are the kind, the digest of the model that the code builds of the config today, and the sha256 of what a
record was built on. That today's code builds the same models as the code that made the records is what
`tools.migration_proof` shows. Benchmarks follow with `--benchmarks`, when the pages read them through records.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from hqnn import digests, experiments, record, records, storage, tasks

FIRST = 1


def main() -> None:
    """Rewrite every record of format 1."""
    runs = sorted(records.folder().rglob("*.json"))
    digests.models(config for one in experiments.EXPERIMENTS.values() for config in one.variants.values())
    changed = sum(_run(path) for path in runs)
    changed += sum(_analysis(path) for path in sorted((storage.DATA / "analyses").glob("*.json")))
    if "--benchmarks" in sys.argv:
        changed += sum(_benchmark(path) for path in sorted((storage.DATA / "benchmarks").glob("*.json")))
    sys.stdout.write(f"{changed} records rewritten\n")


def _stored(path: Path) -> dict[str, Any] | None:
    """A record of the first format, its checksum checked and taken off."""
    stored: dict[str, Any] = json.loads(path.read_bytes())
    if stored["schema"] != FIRST:
        return None
    checksum = stored.pop("checksum", None)
    if checksum is not None and checksum != storage.digest(stored):
        raise SystemExit(f"{path} is not as it was written")
    return stored


def _run(path: Path) -> bool:
    old = _stored(path)
    if old is None:
        return False
    config = experiments.get(old["experiment"]).variants[old["variant"]]
    if old["config_hash"] != experiments.config_hash(config):
        raise SystemExit(f"{path} is of another config than the registry's")
    if old["weights"]:
        found = hashlib.sha256(path.with_suffix(".safetensors").read_bytes()).hexdigest()
        if found != old["weights"]["sha256"]:
            raise SystemExit(f"the weights of {path} are not as they were written")
    built_on = {}
    if upstream := tasks.of(config).upstream(config):
        below = json.loads(records.path_of(upstream, old["seed"]).read_bytes())
        built_on[upstream] = below["weights"]["sha256"]
    added = {"kind": "run", "model": digests.model(config), "built_on": built_on, "data": {}}
    record.write(path, {**old, **added})
    return True


def _analysis(path: Path) -> bool:
    old = _stored(path)
    if old is None:
        return False
    for series, sha256 in old["inputs"].items():
        if records.fingerprint(series) != sha256:
            raise SystemExit(f"{path} was measured on other records of {series}")
    document = {
        **{name: old[name] for name in ("result", "data", "provenance")},
        **{"kind": "measurement", "experiment": old["name"], "variant": "", "scale": "paper", "seed": 0},
        **{"config": old["settings"], "config_hash": storage.digest(old["settings"]), "model": "", "weights": None},
        "built_on": old["inputs"],
    }
    record.write(path, document)
    return True


def _benchmark(path: Path) -> bool:
    old = _stored(path)
    if old is None:
        return False
    document = {
        "result": {name: value for name, value in old.items() if name not in ("schema", "provenance")},
        **{"kind": "benchmark", "experiment": path.stem, "variant": "", "scale": "paper", "seed": 0, "data": {}},
        **{"config": {}, "config_hash": storage.digest({}), "model": "", "built_on": {}, "weights": None},
        "provenance": old["provenance"],
    }
    record.write(path, document)
    return True


if __name__ == "__main__":
    main()

"""``python -m benchmarks``: measures this project on this machine, prints the report and writes it into docs/."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_facts, moment
from benchmarks.materials import Materials
from benchmarks.report import report
from benchmarks.sections import SECTIONS, Bench
from heygem.settings import PROJECT_DIR


def main() -> None:
    """Measure the sections that were asked for."""
    args = _parser().parse_args()
    chosen = args.only.split(",") if args.only else list(SECTIONS)
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        raise SystemExit(f"There is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}.")
    out: Path | None = args.out or (None if args.quick else PROJECT_DIR / "docs")
    began = time.monotonic()

    def say(step: str) -> None:
        print(f"[{time.monotonic() - began:6.0f} s] {step}", file=sys.stderr, flush=True)

    machine = machine_facts()
    sections = _kept(out, machine) if args.only else {}
    with tempfile.TemporaryDirectory() as folder:
        say("writing weights")
        materials = Materials(Path(folder), args.detector_file)
        bench = Bench(materials, 1 if args.quick else args.rounds, args.threads, args.quick, say)
        for name in chosen:
            before = moment()
            sections[name] = {"figures": SECTIONS[name](bench), "began": before, "ended": moment()}
    figures = {"machine": machine, "sections": sections}
    page = report(figures)
    print(page)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "benchmarks.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        (out / "benchmarks.md").write_text(page, encoding="utf-8")
        say(f"written: {out / 'benchmarks.md'}, {out / 'benchmarks.json'}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", help=f"some of: {','.join(SECTIONS)}; the others stay as they were measured before")
    parser.add_argument(
        "--quick", action="store_true", help="tiny amounts, to see that everything runs; writes nothing"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each measurement is repeated (3)")
    parser.add_argument("--threads", type=int, help="of torch; the machine's cores if left out")
    parser.add_argument("--detector-file", type=Path, help="official RetinaFace mobile0.25, used instead of Haar")
    parser.add_argument("--out", type=Path, help="folder for benchmarks.md and benchmarks.json (docs)")
    return parser


def _kept(out: Path | None, machine: dict[str, str]) -> dict[str, Any]:
    """The sections that were measured before on the same machine with the same versions."""
    if out is None or not (out / "benchmarks.json").exists():
        return {}
    figures = json.loads((out / "benchmarks.json").read_text(encoding="utf-8"))
    return dict(figures["sections"]) if figures["machine"] == machine else {}


if __name__ == "__main__":
    main()

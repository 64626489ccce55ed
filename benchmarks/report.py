"""The figures as Markdown. Measures nothing; shows what is there and says what is not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.spread import Spread

Json = Mapping[str, Any]

_INTRO = """# Benchmarks

`python -m benchmarks` makes this page and `benchmarks.json`, which has every figure, in about 25 minutes on 4 idle
cores; `--only SECTION,...` measures some sections anew, `--quick` shows in two minutes that everything runs.

- Core-seconds count all threads of the process and of its ffmpeg children. Wall times hold for the load below.
- Figures are medians; in brackets the least and the most of all rounds. What is compared is measured in turn.
- Weights are filled by a formula, in files of the official form and size: the speed of a network does not depend on the
  values. **No official weights were used**, so nothing here says what results look like. Their faces are noisier
  than real ones, which makes encoding dearer.
- Clips and speech are the bundled presenter's, at 25 fps, scaled. Models are loaded and weights hashed before where
  nothing else is said; files come from the system's page cache.
"""


def report(figures: Json) -> str:
    """The page.

    Args:
        figures: The machine under ``machine``; under ``sections`` those that were measured, by name: the figures that
            `benchmarks.sections` returned, and when they were measured.
    """
    parts = [_INTRO, _machine(figures["machine"])]
    sections: Json = figures["sections"]
    parts.append(goals_table(sections))
    for name, (title, show) in _SECTIONS.items():
        body = show(sections[name]["figures"]) if name in sections else "Not measured."
        parts.append(f"## {title}\n\n{body}\n")
        if name in sections:
            began, ended = sections[name]["began"], sections[name]["ended"]
            load = f"load average {began['load']} before, {ended['load']} after"
            parts.append(f"Measured {began['time']}, HeyGem {began['heygem']}; {load}.\n")
    return "\n".join(parts)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown, without a line break at its end."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _machine(machine: Json) -> str:
    return table(("machine", ""), machine.items()) + "\n"


def goals_table(sections: Json) -> str:
    """What was aimed at, and whether it was reached, as far as it was measured."""
    rows = []
    for goal, measured, is_met in _goals(sections):
        rows.append((goal, measured, "yes" if is_met else "**no**"))
    return "## Goals\n\n" + (table(("goal", "measured", "reached"), rows) if rows else "Not measured.") + "\n"


def _goals(sections: Json) -> Iterable[tuple[str, str, bool]]:
    got = {name: section["figures"] for name, section in sections.items()}
    if "stages" in got:
        yield from _goals_of_cells(got["stages"])
    if "overhead" in got:
        for job in got["overhead"]["jobs"][1:]:
            first_s = _spread(job["first_frame_s"])
            yield f"{job['kind']}: no model loaded", f"{job['loads']} loads, {job['hits']} hits", job["loads"] == 0
            yield f"{job['kind']}: first frame within 2 s", f"{first_s.shown(1)} s", first_s.median <= 2
    if "enhancer-off" in got:
        for lips in got["enhancer-off"]["lips"]:
            share = _spread(lips["new"]["wall_share"])
            yield f"enhancer off, {lips['name']}: faster than real time", f"{share.shown(2)} of it", share.median < 1
    if "scaling" in got:
        lengths = got["scaling"]["lengths"]
        growth = lengths[-1]["peak_rss_mb"] - lengths[0]["peak_rss_mb"]
        of = f"{_duration(lengths[0]['seconds'])} to {_duration(lengths[-1]['seconds'])}"
        yield f"memory grows by no more than 50 MB from {of}", f"{growth:+.0f} MB", growth <= 50


def _goals_of_cells(stages: Json) -> Iterable[tuple[str, str, bool]]:
    for cell in stages["cells"]:
        of, ratio = f"{cell['size']}, {cell['mode']} ({cell['placement']})", _spread(cell["yardstick"])
        wanted = _yardstick_wanted(cell["placement"])
        yield f"{of}: yardstick at most {wanted:.2f}", ratio.shown(2), ratio.median <= wanted
    most = max((_spread(cell["peak_rss_mb"]).most for cell in stages["cells"]), default=0.0)
    yield "memory at most 3 GB", f"{most:.0f} MB", most <= 3000
    for mode, (_, trained) in stages["face_psnr_db"].items():
        met = trained is None or trained >= 45
        yield f"{mode} against fp32, trained lips: at least 45 dB in the face", _db(trained), met


def _yardstick_wanted(placement: str) -> float:
    """Three goals: exact; without OpenVINO; with it, or on a GPU."""
    if "/fp32" in placement:
        return 1.45
    return 0.62 if placement == "cpu/bf16" else 1 / 3


def _stages(figures: Json) -> str:
    cells = figures["cells"]
    names = list(dict.fromkeys(stage for cell in cells for stage in cell["stages"]))
    heads = [f"{cell['size']}, {cell['mode']}" for cell in cells]
    jobs = table(
        ("", *heads),
        [
            ("ran on", *(f"{cell['placement']}, {cell['threads']} threads" for cell in cells)),
            ("core-seconds per frame, whole job", *(_spread(cell["core_s"]).shown(3) for cell in cells)),
            ("wall seconds per frame, whole job", *(_spread(cell["wall_s"]).shown(3) for cell in cells)),
            ("core-seconds of one fp32 eager GFPGAN forward", *(_spread(c["gfpgan_core_s"]).shown(3) for c in cells)),
            ("**yardstick: job per forward**", *(f"**{_spread(cell['yardstick']).shown(2)}**" for cell in cells)),
            ("most memory, MB", *(_spread(cell["peak_rss_mb"]).shown(0) for cell in cells)),
            ("its ffmpeg children, MB", *(_spread(cell["peak_children_mb"]).shown(0) for cell in cells)),
            ("most GPU memory, MB", *(_or_none(cell["peak_vram_mb"]) for cell in cells)),
        ],
    )
    costs = [
        f"### {title} milliseconds per frame, by stage\n\n"
        + table(
            ("stage", *heads), [(name, *(_stage(cell["stages"].get(name), kind) for cell in cells)) for name in names]
        )
        for title, kind in (("Core", "core_s"), ("Wall", "wall_s"))
    ]
    likeness = table(
        ("against fp32, in the face's rectangle", "embedded lips (trained), enhancer off", "formula-filled networks"),
        [(mode, _db(trained), _db(formula)) for mode, (formula, trained) in figures["face_psnr_db"].items()],
    )
    engines = "\n".join(f"- {head}: {cell['engines']}" for head, cell in zip(heads, cells, strict=True))
    return (
        f"Wav2Lip, then GFPGAN on every frame, {figures['frames']} frames, decode, detection and encode included; the "
        "second job of its process, of a clip that was not seen before. The reference flow's networks alone cost about "
        "4 of those forwards per 720p frame: 1/3 is 12 times less.\n\n"
        f"{jobs}\n\n"
        + "\n\n".join(costs)
        + "\n\nEach stage alone, on every thread. In a job they overlap: wall times do "
        "not add up. *mask* is ParseNet as often as the pipeline runs it; *cut and paste* is all that surrounds the "
        "networks, mouth and face.\n\n"
        f"### Finished videos\n\n{likeness}\n\nPSNR over all samples, Y, U and V. Formula-filled networks draw noise, "
        "which the encoder cannot keep, and a formula-filled parser decides by a hair: they say little of real faces."
        f"\n\nWhat ran:\n\n{engines}"
    )


def _overhead(figures: Json) -> str:
    rows = [
        (
            job["kind"],
            _spread(job["until_models_s"]).shown(2),
            _spread(job["first_frame_s"]).shown(2),
            str(job["loads"]),
            str(job["hits"]),
        )
        for job in figures["jobs"]
    ]
    return (
        f"Once on a machine, weights are hashed and, for OpenVINO, networks converted: the first job of all had its "
        f"models after {figures['preparing_s']:.1f} s. Start of Python and imports: "
        f"{_spread(figures['ready_s']).shown(2)} s. Then jobs with GFPGAN, clips of {figures['seconds']:g} s, 720p, "
        f"on {figures['placement']}; before the first frame is drawn, all of the clip that is shown is checked and "
        "searched for faces, unless the page has done so: it does after an upload, while no job runs. Seconds from the "
        "job's start:\n\n" + table(("", "models there", "first frame with the encoder", "loads", "hits"), rows)
    )


def _enhancer_off(figures: Json) -> str:
    rows = []
    for lips in figures["lips"]:
        for kind, title in (("new", "new clip"), ("again", "the same clip again")):
            share, core_s = _spread(lips[kind]["wall_share"]), _spread(lips[kind]["core_s"])
            rate = figures["fps"] / share.median
            known = "cache" if lips[kind]["was_tracked_before"] else "search"
            rows.append((f"{lips['name']}, {title}", share.shown(2), f"{rate:.0f}", core_s.shown(1, 1e3), known))
    return (
        f"Whole jobs of {figures['seconds']:g} s, 720p, 25 fps, models loaded, on {figures['lips'][0]['placement']}. "
        "Below 1 is faster than real time.\n\n"
        + table(("", "time over length", "frames per second", "core-ms per frame", "faces from"), rows)
    )


def _batch(figures: Json) -> str:
    clips, one, many = figures["clips"], figures["batch"], figures["single"]
    rows = [
        (name, f"{of['core_s']:.1f}", f"{of['wall_s']:.1f}", str(of["loads"]))
        for name, of in ((f"one batch of {clips}", one), (f"{clips} processes", many))
    ]
    return (
        f"{clips} clips of {figures['seconds']:g} s with one speech, 720p, Wav2Lip, enhancer off, on "
        f"{figures['placement']}, start of Python counted in; one run each.\n\n"
        + table(("", "core-seconds", "wall seconds", "model loads"), rows)
        + f"\n\nThe batch takes {one['wall_s'] / many['wall_s']:.2f} of the time."
    )


def _scaling(figures: Json) -> str:
    rows = [
        (
            _duration(one["seconds"]),
            str(one["frames"]),
            f"{1e3 * one['core_s'] / one['frames']:.1f}",
            f"{1e3 * one['wall_s'] / one['frames']:.1f}",
            f"{one['peak_rss_mb']:.0f}",
            f"{one['peak_children_mb']:.0f}",
        )
        for one in figures["lengths"]
    ]
    return (
        "720p, enhancer off, and **a stub in place of the lip engine** that paints grey; all else is real, Haar "
        "included. One run each, in a process of its own.\n\n"
        + table(("length", "frames", "core-ms per frame", "ms per frame", "most memory, MB", "children, MB"), rows)
    )


def _gpu(figures: Json) -> str:
    if "why_not" in figures:
        return f"Not measured: {figures['why_not']}."
    rows = [
        ("frames per second, whole job", _spread(figures["fps"]).shown(1)),
        ("share of the time the GPU computed", _spread(figures["gpu_busy"]).shown(2)),
        ("most GPU memory in tensors, MB", _spread(figures["peak_vram_mb"]).shown(0)),
        ("one fp32 eager GFPGAN forward, ms", _spread(figures["gfpgan_wall_s"]).shown(1, 1e3)),
    ]
    return f"720p, GFPGAN on every frame, second job of its process, on {figures['placement']}.\n\n" + table(
        ("", ""), rows
    )


_SECTIONS = {
    "stages": ("Stages and yardstick", _stages),
    "overhead": ("First and later jobs", _overhead),
    "enhancer-off": ("Enhancer off, and a clip that comes again", _enhancer_off),
    "batch": ("A batch with one speech", _batch),
    "scaling": ("Length of the clip", _scaling),
    "gpu": ("GPU", _gpu),
}


def _spread(raw: dict[str, Any]) -> Spread:
    return Spread(**raw)


def _stage(cost: dict[str, Any] | None, kind: str) -> str:
    return "" if cost is None else _spread(cost[kind]).shown(1, 1e3)


def _db(psnr: float | None) -> str:
    return "the same" if psnr is None else f"{psnr:.1f} dB"


def _or_none(number: float | None) -> str:
    return "no GPU" if number is None else f"{number:.0f}"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"

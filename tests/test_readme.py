"""What the README says of the code is so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from heygem.pipeline.options import RenderOptions
from heygem.settings import Settings

ROOT = Path(__file__).parents[1]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def modules_in_the_tree() -> set[str]:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    tree = text.partition("<!-- tree")[2].split("```")[1]
    found, folder = set(), ""
    for line in tree.strip().splitlines():
        name = line.split()[0]
        if name.endswith("/"):
            folder = name
        else:
            found.add(folder + name if line.startswith(" ") else name)
    return {name for name in found if name.endswith(".py")}


def test_the_tree_names_every_module_and_no_other() -> None:
    paths = [*(ROOT / "heygem").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py"), ROOT / "app.py"]
    modules = {str(path.relative_to(ROOT)) for path in paths if not path.name.startswith("__")}
    assert modules_in_the_tree() == modules


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_setting_is_explained_and_exists(readme: Path) -> None:
    named = set(re.findall(r"HEYGEM_[A-Z0-9_]+", readme.read_text(encoding="utf-8")))
    assert named == {f"HEYGEM_{field.name.upper()}" for field in fields(Settings)}


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_option_that_is_named_exists(readme: Path) -> None:
    text = readme.read_text(encoding="utf-8")
    named = {name.removeprefix("--").replace("-", "_") for name in re.findall(r"`(--[a-z-]+)", text)}
    options = {field.name for field in fields(RenderOptions)}
    assert len(named) > 8
    assert named <= options | {"device", "help", "precision", "preview"}


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_pictures_and_links_are_there(readme: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme.read_text(encoding="utf-8"))
    assert len(links) >= 4
    missing = [link for link in links if not (ROOT / link).exists()]
    assert missing == []

"""Versions of what bertshape stands on, against what it and transformers ask for. Nothing is imported for that."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from bertshape.pipelines.doctor.fact import Fact
from bertshape.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.requirements import Requirement

AREA = "versions"
_ROLES = {
    "torch": "Runs the models; predictions do without it",
    "transformers": "Builds the models and loads their weights",
    "tokenizers": "Turns texts into token ids",
    "huggingface_hub": "Fetches checkpoints from the Hub",
    "safetensors": "Loads the weights that are run",
    "numpy": "Carries the values of weights and vectors",
    "msgspec": "Makes the JSON Schema of what is printed",
    "typer": "Reads the command line",
    "rich": "Draws the tables",
}
# transformers refuses to be imported beside packages outside its own ranges, which are narrower than ours.
_ASKING = ("bertshape", "transformers")
_NOT_INSTALLED = "The ranges of its packages are not known: install bertshape with pip"


def version_facts() -> Iterator[Fact]:
    """Versions of bertshape, Python and each package."""
    if _installed("bertshape"):
        yield Fact(AREA, "bertshape", __version__, "ok", "This program")
    else:
        yield Fact(AREA, "bertshape", __version__, "warning", _NOT_INSTALLED)
    yield _python()
    for name, role in _ROLES.items():
        yield _package(name, role)


def torch_build() -> str | None:
    """What the torch that Python would import was built for, from a file of it; None where that is not known."""
    place = _found("torch")
    try:
        text = (place / "version.py").read_text(encoding="utf-8") if place else ""
    except (OSError, UnicodeDecodeError):
        return None
    built = dict(re.findall(r"^(cuda|hip|xpu)\b[^=\n]*=\s*['\"]([^'\"\n]+)['\"]", text, flags=re.MULTILINE))
    labels = {"cuda": "CUDA", "hip": "ROCm", "xpu": "XPU"}
    return " and ".join(f"{labels[kind]} {built[kind]}" for kind in labels if kind in built) or (
        "CPU" if text else None
    )


def _python() -> Fact:
    version = platform.python_version()
    about = f"{version}, {platform.system()} {platform.machine()}"
    wanted: str | None = metadata.metadata("bertshape")["Requires-Python"] if _installed("bertshape") else None
    if wanted and _inside(version, wanted) is False:
        return Fact(
            AREA, "Python", about, "error", f"bertshape needs {wanted}: make a new environment with one of them"
        )
    return Fact(AREA, "Python", about, "ok", f"Runs bertshape, from {sys.executable}")


def _package(name: str, role: str) -> Fact:
    requirements = _requirements(name)
    version = _installed(name)
    if version is None:
        problem = f"bertshape needs it: {_pip(name, requirements)}"
        return Fact(AREA, name, "not installed", "error", problem)
    build = torch_build() if name == "torch" else None
    value = f"{version}, {build} build" if build else version
    for asking, requirement in requirements:
        if _inside(version, str(requirement.specifier)) is False:
            problem = f"{asking} needs {_specifier([(asking, requirement)])}: {_pip(name, requirements)}"
            return Fact(AREA, name, value, "error", problem)
    shadow = _shadow(name)
    if shadow:
        return Fact(AREA, name, value, "warning", f"Python imports {shadow} in its place: check PYTHONPATH")
    # Ours where there is one; that of transformers holds too, and is in the range of most.
    ranges = _specifier(requirements[:1])
    return Fact(AREA, name, value, "ok", f"{role}; {ranges} is needed" if ranges else role)


def _installed(name: str) -> str | None:
    """Version by the metadata of the installed package; None where there is none, or it is broken."""
    try:
        found: str | None = metadata.version(name)
    except (metadata.PackageNotFoundError, KeyError):
        return None
    return found


def _requirements(name: str) -> list[tuple[str, Requirement]]:
    """Who asks for which versions of a package; empty where `packaging`, which transformers brings, is absent."""
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        return []
    wanted, found = _normalized(name), []
    for asking in _ASKING:
        for line in (metadata.requires(asking) or []) if _installed(asking) else []:
            # Before it is parsed: transformers lists some hundred requirements of its extras.
            if not _normalized(line).startswith(wanted):
                continue
            try:
                requirement = Requirement(line)
            except InvalidRequirement:
                continue
            applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if applies and _normalized(requirement.name) == wanted:
                found.append((asking, requirement))
    return found


def _inside(version: str, specifier: str) -> bool | None:
    """Whether a version is in a range; None where that is not known."""
    try:
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
        from packaging.version import InvalidVersion
    except ImportError:
        return None
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None


def _pip(name: str, requirements: list[tuple[str, Requirement]]) -> str:
    return f'pip install "{_normalized(name)}{_specifier(requirements)}"'


def _specifier(requirements: list[tuple[str, Requirement]]) -> str:
    """All ranges in one, lower bounds first."""
    parts = {str(part) for _, requirement in requirements for part in requirement.specifier}
    return ",".join(sorted(parts, reverse=True))


def _shadow(name: str) -> str | None:
    """Where Python finds a package, if it is not where it was installed."""
    found = _found(name)
    owner = Path(str(metadata.distribution(name).locate_file(name)))
    # An editable install has nothing there: its place cannot be compared.
    if found is None or not owner.exists() or found.resolve() == owner.resolve():
        return None
    return str(found)


def _found(name: str) -> Path | None:
    """Folder, or file, from which Python would import a package."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    origin = Path(spec.origin)
    return origin.parent if origin.name.startswith("__init__.") else origin


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

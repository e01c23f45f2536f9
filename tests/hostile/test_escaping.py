"""Nothing from a checkpoint, a text or a contract is obeyed by what reads the output, whatever the format."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from bertshape.cli.main import run
from bertshape.render.escape import visible
from tests.hostile.formats import CHECK, INSPECT, hold_github, hold_junit, hold_markdown, hold_text
from tests.hostile.model import CONFIG, VOCABULARY, shapes, sound, tokenizer_json, weights_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Format = tuple[str, ...]

# ANSI escapes of seven and eight bits, Rich's markup, line ends of four kinds, commands of GitHub's workflows, HTML,
# XML, Markdown, and characters that turn the order of the others round.
EVIL = (
    "\x1b[31m[red]x[/red]\x9b5m\n::error::boo%0A::stop-commands::x\r\u2028\u0085<img src=x onerror=y>&lt;]]>"
    "|`a`*b*__c__~~d~~[e](javascript:f)![g](h)\"'<!--\u202e\u2066\x07\\|"
)
SHORT = "\x1b[m\u202e::x%0A\n"
"""As much as fits the model."""
PLAIN = re.sub("[=<>!]", "", EVIL)
"""As much of it as may stand in the name of an expectation."""


def put(path: Path, value: object) -> None:
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def named(here: Path) -> tuple[Path, list[str]]:
    name = EVIL.replace("/", "")
    sound(here).rename(here / name)
    return here / name, []


def tokens(here: Path) -> tuple[Path, list[str]]:
    """A token of the vocabulary, in the text too, and a special one."""
    folder = sound(here)
    tokenizer = json.loads(tokenizer_json((*VOCABULARY[:5], "x", "evil", *VOCABULARY[5:10])))
    content = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    tokenizer["added_tokens"].append({"id": 12, "content": EVIL, **content})
    put(folder / "tokenizer.json", tokenizer)
    put(folder / "tokenizer_config.json", {"mask_token": f"<{EVIL}>", "pad_token": EVIL, "tokenizer_class": EVIL})
    put(folder / "config.json", dict(CONFIG) | {"vocab_size": 13, "pad_token_id": 12})
    return folder, []


def labels(here: Path) -> tuple[Path, list[str]]:
    folder = sound(here)
    put(folder / "config.json", dict(CONFIG) | {"id2label": {"0": EVIL, "1": "<img src=x onerror=y>"}})
    return folder, ["--task", "sequence-classification"]


def family(here: Path) -> tuple[Path, list[str]]:
    folder = sound(here)
    put(folder / "config.json", dict(CONFIG) | {"model_type": EVIL, "architectures": [EVIL]})
    return folder, []


def broken(here: Path) -> tuple[Path, list[str]]:
    """A value that goes into the message of an error."""
    folder = sound(here)
    put(folder / "config.json", dict(CONFIG) | {"hidden_size": EVIL[:50]})
    return folder, []


def key_twice(here: Path) -> tuple[Path, list[str]]:
    folder = sound(here)
    put(folder / "config.json", f"{{{json.dumps(EVIL)}: 1, {json.dumps(EVIL)}: 2}}")
    return folder, []


def tensor(here: Path) -> tuple[Path, list[str]]:
    """Names of tensors that nobody expects, in and beside the backbone."""
    folder = sound(here)
    names = {f"encoder.layer.0.{EVIL}": (2,), EVIL: (2,), f"encoder.{EVIL}": (3,)}
    (folder / "model.safetensors").write_bytes(weights_of({**shapes(), **names}))
    return folder, []


def shard(here: Path) -> tuple[Path, list[str]]:
    folder = sound(here)
    (folder / "model.safetensors").unlink()
    put(folder / "model.safetensors.index.json", {"weight_map": {EVIL: EVIL}})
    return folder, []


def chain(here: Path) -> tuple[Path, list[str]]:
    """Steps of sentence-transformers: class, folder, activation."""
    folder = sound(here)
    (folder / "p").mkdir()
    kinds = ("sentence_transformers.models.Transformer", ""), ("x.Pooling", "p"), (EVIL.replace(".", ""), "p")
    put(
        folder / "modules.json",
        [{"name": str(index), "type": kind, "path": path} for index, (kind, path) in enumerate(kinds)],
    )
    put(folder / "p" / "config.json", {"pooling_mode": "mean", "activation_function": EVIL})
    return folder, []


CHANNELS = (named, tokens, labels, family, broken, key_twice, tensor, shard, chain)


@pytest.mark.parametrize("output", INSPECT)
@pytest.mark.parametrize("make", CHANNELS, ids=lambda make: make.__name__)
def test_inspect(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    make: Callable[[Path], tuple[Path, list[str]]],
    output: str,
) -> None:
    folder, more = make(tmp_path)
    options = ["--weights", "none", "--words", "--layers", "--all-tokens", "--explain", *more]
    code = run(
        [
            "inspect",
            f"a {EVIL} text",
            "--pair",
            EVIL,
            "--format",
            output,
            "--model",
            str(folder),
            *options,
            "--max-length",
            "16",
        ]
    )
    said = capfd.readouterr()
    assert code in (0, 1, 3), said
    if said.out:
        INSPECT[output](said.out)
        assert code == 3 or "x" in said.out
    hold_text(said.err)
    assert len(said.err.splitlines()) == (2 if code == 3 else 0)


@pytest.mark.parametrize("output", CHECK)
@pytest.mark.parametrize("make", CHANNELS, ids=lambda make: make.__name__)
def test_check(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], tuple[Path, list[str]]],
    output: str,
) -> None:
    """With a text and an expectation that fails in every way; GitHub's summary too."""
    folder, _ = make(tmp_path)
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    wanted = [
        "--text",
        SHORT,
        "-e",
        f"model_type={EVIL}",
        "-e",
        f"tensor:{PLAIN}=[2, 3]",
        "-e",
        "input_ids=[7, 7, 7]",
    ]
    code = run(["check", str(folder), "--format", output, *wanted])
    said = capfd.readouterr()
    assert (code in (1, 3), said.err) == (True, ""), said
    CHECK[output](said.out)
    if output == "github":
        hold_markdown(summary.read_text())


COMMANDS: dict[str, list[str]] = {
    "wrong command": [EVIL],
    "wrong option": ["inspect", f"--{EVIL}"],
    "wrong value": ["inspect", "x", "--weights", EVIL],
    "wrong number": ["inspect", "x", "--max-length", EVIL],
    "wrong device": ["inspect", "x", "--device", EVIL],
    "wrong pooling": ["inspect", "x", "--pooling", EVIL],
    "wrong task": ["inspect", "x", "--task", EVIL],
    "wrong file": ["inspect", "-i", EVIL],
    "wrong save": ["inspect", "x", "--save", EVIL],
    "wrong model": ["inspect", "x", "--model", f"./{EVIL}"],
    "wrong embedded": ["inspect", "x", "--model", f"embedded:{EVIL}"],
    "wrong hub id": ["inspect", "x", "--model", EVIL.replace("/", "").replace("\\", "")],
    "wrong revision": ["inspect", "x", "--model", "org/name", "--revision", EVIL],
    "wrong expectation": ["check", "embedded:bert-tiny-uncased", "-e", EVIL],
    "wrong name": ["check", "embedded:bert-tiny-uncased", "-e", f"{PLAIN}=1"],
    "wrong contract": ["check", "--contract", EVIL],
    "wrong side": ["diff", f"./{EVIL}", "m"],
    "wrong output": ["snapshot", "embedded:bert-tiny-uncased", "-o", f"nowhere/{EVIL}"],
    "wrong corpus": ["profile", EVIL],
    "wrong column": ["profile", "x.csv", "--text-column", EVIL],
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS.keys())
def test_what_was_typed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.csv").write_text("text\na\n")
    code = run(arguments)
    said = capfd.readouterr()
    assert (code in (2, 3, 4, 74), said.out) == (True, ""), said
    hold_text(said.err)
    assert len(said.err.splitlines()) == 2
    assert "internal" not in said.err


def test_other_commands(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Differences, contracts and counts of checkpoints and files with such names."""
    monkeypatch.chdir(tmp_path)
    folder, _ = named(tmp_path)
    other, _ = tensor(tmp_path)
    texts = tmp_path / f"texts {EVIL.replace('/', '')}"
    texts.write_text(f"a text\n{EVIL}\n")
    for arguments in (
        ["diff", str(folder), str(other)],
        ["snapshot", str(other), "--text", SHORT],
        ["profile", str(texts), "--model", str(folder)],
        ["inspect", "-i", str(texts), "--format", "jsonl", "--truncation", "--weights", "none", "--model", str(folder)],
    ):
        assert run(arguments) in (0, 1)
        said = capfd.readouterr()
        hold_text(said.out + said.err)
    monkeypatch.setattr("sys.argv", ["bertshape"])
    (tmp_path / "bertshape.toml").write_text("")
    assert run(["snapshot", str(other), "--text", SHORT, "-o", "bertshape.toml", "--force"]) == 0
    assert run(["check"]) == 1, "the tensors are there, and nobody expects them"
    hold_text("".join(capfd.readouterr()))


def test_the_rules_can_fail() -> None:
    """Each of them takes what is harmless, and not what is not."""
    for rule, good, bad in (
        (hold_text, "[red]\n", "\x1b"),
        (hold_markdown, "| a | b |\n| - | - |\n| x\\|y | &lt;img |\n", "| a | b |\n| x | y | z |\n"),
        (hold_markdown, "", "<img src=x>"),
        (hold_github, "::error title=a::b%250A\n", "::error title=a::b%0Ac\n"),
        (hold_github, "::notice title=::\n", "a\n::error::b\n"),
        (INSPECT["html"], "<html><body><script></script>&lt;img&gt;</body></html>", "<html><img></html>"),
        (hold_junit, "<testsuites/>", "<testsuites><script/></testsuites>"),
    ):
        rule(good)
        with pytest.raises(AssertionError):
            rule(bad)


def test_the_formula_of_a_step(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The activation is named in the row of a Dense step that can be followed."""
    folder = sound(tmp_path)
    chained = ("sentence_transformers.models.Transformer", ""), ("x.Pooling", "p"), ("x.Dense", "d")
    put(folder / "modules.json", [{"name": path + "0", "type": kind, "path": path} for kind, path in chained])
    for name in ("p", "d"):
        (folder / name).mkdir()
    hidden_size = CONFIG["hidden_size"]
    put(folder / "p" / "config.json", {"pooling_mode_mean_tokens": True, "word_embedding_dimension": hidden_size})
    dense = {"in_features": hidden_size, "out_features": 2, "bias": True, "activation_function": f"torch.{SHORT}"}
    put(folder / "d" / "config.json", dense)
    weights = weights_of({"linear.weight": (2, hidden_size), "linear.bias": (2,)})
    (folder / "d" / "model.safetensors").write_bytes(weights)
    for output in ("table", "svg"):
        code = run(["inspect", "a", "--weights", "none", "--model", str(folder), "--format", output])
        said = capfd.readouterr()
        assert (code in (0, 1), said.err) == (True, "")
        assert "Dense" in said.out
        INSPECT[output](said.out)


def test_a_traceback(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--debug shows names as the message does; after `--` it is a text."""
    monkeypatch.chdir(tmp_path)
    assert run(["inspect", "a", "--model", f"./{SHORT}", "--debug"]) == 3
    said = capfd.readouterr()
    assert "Traceback" in said.err
    hold_text(said.err)
    assert run(["inspect", "--model", "./no", "--", "--debug"]) == 3
    assert "Traceback" not in capfd.readouterr().err


def test_characters_that_no_xml_may_hold(capfd: pytest.CaptureFixture[str]) -> None:
    run(["check", "./x\uffff\ufffe", "--format", "junit"])
    hold_junit(capfd.readouterr().out)


def test_names_that_look_alike_are_told_apart(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One is composed, the other not; alone, each is shown as it is."""
    both = [str(tmp_path / name) for name in ("caf\u00e9", "cafe\u0301")]
    for name in both:
        sound(tmp_path).rename(name)
    assert run(["check", *both]) == 0
    said = capfd.readouterr().out
    assert all(written in said for written in ("caf\\xe9", "cafe\\u0301"))
    assert run(["check", both[1]]) == 0
    assert "cafe\u0301" in capfd.readouterr().out


@pytest.mark.parametrize("blank", "\u200b\u034f\u115f\u2060\u2800\u3164\ufe0f\uffa0\ufeff\U000e0041\U000e0101")
def test_what_shows_nothing_is_shown(blank: str) -> None:
    assert visible(f"a{blank}b") == f"a{blank.encode('unicode_escape').decode()}b"
    assert visible("\u2764\ufe0f") == "\u2764\ufe0f", "it makes a heart red"


def test_no_name_is_a_command_of_a_workflow(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """GitHub takes any line that begins so for one, whatever the format."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    sound(tmp_path).rename(tmp_path / "::error::x")
    assert run(["check", "::error::x", "./nowhere", "-e", "hidden_size=9"]) == 3
    lines = capfd.readouterr().out.splitlines()
    assert "\\x3a:error::x" in lines
    assert not [line for line in lines if line.strip().startswith("::")]

"""Checkpoints from a Hub: a real server on the loopback address, the real huggingface_hub, the real command line."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from bertshape.cli.main import run
from tests.support.loopback_hub import COMMIT, TOKEN, LoopbackHub, User, hub_settings, report_of, serve

MODEL = "org/tiny"
FIRST_READ = 100_000
_INSPECT = ("inspect", "a text", "--json", "--model")

Tiny = Callable[[str], Path]
Document = dict[str, object]


@pytest.fixture(scope="module")
def sentence(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence-transformers checkpoint: config.json at the root, and a pooling step."""
    folder = tmp_path_factory.mktemp("sentence") / "checkpoint"
    shutil.copytree(tiny("bert"), folder)
    _add_steps(folder, transformer="")
    return folder


@pytest.fixture(scope="module")
def old_layout(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as sentence-transformers 1 wrote it: config.json and weights in a subfolder."""
    folder = tmp_path_factory.mktemp("old") / "checkpoint"
    shutil.copytree(tiny("bert"), folder / "0_Transformer")
    _add_steps(folder, transformer="0_Transformer")
    return folder


@pytest.fixture(scope="module")
def sharded(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint whose weights are several files and an index."""
    import transformers

    folder = tmp_path_factory.mktemp("sharded") / "checkpoint"
    shutil.copytree(tiny("bert"), folder, ignore=shutil.ignore_patterns("model.safetensors"))
    transformers.AutoModel.from_pretrained(tiny("bert")).save_pretrained(folder, max_shard_size="150KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1
    return folder


@pytest.fixture
def hub(tiny: Tiny, minilm: Path, sentence: Path, old_layout: Path, sharded: Path) -> Iterator[LoopbackHub]:
    folders = {"tiny": tiny("bert"), "minilm": minilm, "sentence": sentence, "old": old_layout, "sharded": sharded}
    with serve({f"org/{name}": folder for name, folder in folders.items()}) as server:
        yield server


@pytest.fixture
def user(hub: LoopbackHub, tmp_path: Path) -> User:
    return User(tmp_path / "home", hub.endpoint)


def _add_steps(folder: Path, *, transformer: str) -> None:
    kinds = {transformer: "Transformer", "1_Pooling": "Pooling"}
    steps = [
        {"idx": 0, "name": kind, "path": path, "type": f"sentence_transformers.models.{kind}"}
        for path, kind in kinds.items()
    ]
    (folder / "modules.json").write_text(json.dumps(steps))
    (folder / transformer / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 48, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))


def _anywhere(report: Document) -> Document:
    """A report without what tells where the checkpoint came from."""
    facts = report["checkpoint"]
    assert isinstance(facts, dict)
    place = ("model", "source", "revision")
    named = json.dumps(report | {"checkpoint": {name: value for name, value in facts.items() if name not in place}})
    anywhere: Document = json.loads(named.replace(json.dumps(facts["model"])[1:-1], "MODEL"))
    return anywhere


@pytest.mark.parametrize("name", ["minilm", "old", "sharded"])
def test_report_is_that_of_the_folder(hub: LoopbackHub, user: User, name: str) -> None:
    """A run on stored weights; nothing but the origin may differ, and stderr stays empty."""
    report = user.report(f"org/{name}")
    if name == "minilm":
        assert report_of(User(user.home / "own", hub.endpoint).process(*_INSPECT, f"org/{name}")) == report
    assert _anywhere(report) == _anywhere(user.report(str(hub.repositories[f"org/{name}"])))
    facts = report["checkpoint"]
    assert (facts["model"], facts["source"], facts["revision"]) == (f"org/{name}", "hub", COMMIT)
    assert report["run"]["executed"] is True


def test_second_run_reads_the_cache_and_a_third_needs_no_hub(hub: LoopbackHub, user: User) -> None:
    first = user.report("org/sharded")
    # A branch may move while it is read; after its first file, all is asked for by commit.
    assert {request.path for request in hub.requests if "/resolve/main/" in request.path} == {
        "/org/sharded/resolve/main/config.json"
    }
    hub.requests.clear()
    assert user.report("org/sharded") == first
    assert [request for request in hub.requests if request.method == "GET" and "/resolve/" in request.path] == []
    hub.requests.clear()
    assert user.report("org/sharded", "--offline") == first
    assert user.report("org/sharded", HF_HUB_OFFLINE="1") == first
    assert hub.requests == []


@pytest.mark.parametrize("name", ["tiny", "sentence", "old", "sharded"])
def test_offline_prediction_needs_the_small_files_alone(hub: LoopbackHub, user: User, name: str) -> None:
    """Without weights in the cache nothing is known about them, and nothing is made up."""
    online = user.report(f"org/{name}", "--weights", "none")
    hub.shutdown()
    offline = user.report(f"org/{name}", "--weights", "none", "--offline")
    assert (online["checkpoint"].pop("pooler"), offline["checkpoint"].pop("pooler")) == ("trained", None)
    assert offline["checkpoint"] == online["checkpoint"]
    assert offline["outputs"] == online["outputs"]


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_revision(hub: LoopbackHub, user: User, revision: str) -> None:
    report = user.report(MODEL, "--revision", revision, "--weights", "none")
    assert report["checkpoint"]["revision"] == COMMIT
    again = user.report(MODEL, "--revision", revision, "--weights", "none", "--offline")
    assert again["checkpoint"]["revision"] == COMMIT


@pytest.mark.parametrize(
    ("name", "weights"),
    [("minilm", "none"), ("tiny", "none"), ("tiny", "random"), ("old", "none"), ("sharded", "none")],
)
def test_without_stored_weights_only_headers_are_read(hub: LoopbackHub, user: User, name: str, weights: str) -> None:
    """One range a file, in which the header is; that tells of the pooler, about which a config says nothing."""
    report = user.report(f"org/{name}", "--weights", weights)
    requests = hub.weight_requests()
    assert len(requests) == len({request.path for request in requests}) > 0
    assert all(request.range and request.range.startswith("bytes=0-") for request in requests)
    assert hub.weight_bytes <= FIRST_READ * len(requests)
    assert not list(user.home.rglob("*.safetensors"))
    assert report["checkpoint"]["pooler"] == ("trained" if weights == "none" else "random")
    folder = str(hub.repositories[f"org/{name}"])
    assert _anywhere(report) == _anywhere(user.report(folder, "--weights", weights))


@pytest.mark.parametrize("ignore_ranges", [False, True])
def test_header_longer_than_the_first_range(hub: LoopbackHub, user: User, tmp_path: Path, ignore_ranges: bool) -> None:
    """The rest is a second request; a server may answer both with the whole file."""
    import safetensors.torch

    folder = tmp_path / "long"
    shutil.copytree(hub.repositories[MODEL], folder)
    weights = folder / "model.safetensors"
    metadata = {"format": "pt", "note": "x" * FIRST_READ}
    safetensors.torch.save_file(safetensors.torch.load_file(weights), weights, metadata)
    hub.repositories["org/long"] = folder
    hub.ignore_ranges = ignore_ranges
    assert user.report("org/long", "--weights", "none")["checkpoint"]["pooler"] == "trained"
    starts = [(request.range or "").removeprefix("bytes=").split("-")[0] for request in hub.weight_requests()]
    assert starts == ["0", str(FIRST_READ)]


def test_server_that_ignores_ranges_is_not_read_to_the_end(hub: LoopbackHub, user: User) -> None:
    hub.ignore_ranges = True
    assert user.report("org/minilm", "--weights", "none")["checkpoint"]["pooler"] == "trained"
    assert hub.weight_bytes == 0, "no file was sent whole"


def test_only_needed_small_files_are_fetched(hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    """Repositories carry copies for other runtimes, tokenizers of many megabytes among them."""
    folder = tmp_path / "crowded"
    shutil.copytree(hub.repositories["org/sentence"], folder)
    shutil.copytree(hub.repositories[MODEL], folder / "onnx")
    (folder / "vocab.txt").write_text("[PAD]\n")
    (folder / "README.md").write_text("# Card\n")
    hub.repositories["org/crowded"] = folder
    user.report("org/crowded", "--weights", "none")
    fetched = {request.path.split(f"/{COMMIT}/")[-1] for request in hub.requests if request.method == "GET"}
    assert {"tokenizer.json", "modules.json", "1_Pooling/config.json"} <= fetched
    assert not {"onnx/tokenizer.json", "onnx/model.safetensors", "vocab.txt", "README.md"} & fetched


def test_pickled_weights_are_fetched_when_they_are_run(hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    import safetensors.torch
    import torch

    folder = tmp_path / "pickled"
    shutil.copytree(hub.repositories[MODEL], folder)
    stored = folder / "model.safetensors"
    torch.save(safetensors.torch.load_file(stored), folder / "pytorch_model.bin")
    stored.unlink()
    hub.repositories["org/pickled"] = folder
    user.report("org/pickled", "--weights", "none")
    assert hub.weight_requests() == []
    user.report("org/pickled")  # It fetches them; from then on their names are known before a run.
    assert _anywhere(user.report("org/pickled")) == _anywhere(user.report(str(folder)))


def test_token_stays_with_the_hub(hub: LoopbackHub, user: User) -> None:
    """Weights lie on another server, which must not see the token."""
    with serve(hub.repositories) as hub.cdn:
        user.report(MODEL, "--weights", "none")
        user.report(MODEL)
        assert {request.token for request in hub.model_requests()} == {f"Bearer {TOKEN}"}
        assert {request.range for request in hub.cdn.weight_requests()} == {f"bytes=0-{FIRST_READ - 1}", None}
        assert {request.token for request in hub.cdn.requests} == {None}


class _Terminal(io.StringIO):
    """Takes what is written, as a terminal does."""

    def isatty(self) -> bool:
        return True


def _stderr_of(user: User, *arguments: str) -> str:
    """What a run writes to a terminal on stderr, its stdout being a pipe."""
    terminal = _Terminal()
    with hub_settings(user.environment()), redirect_stdout(io.StringIO()), redirect_stderr(terminal):
        assert run(["inspect", "a text", *arguments]) == 0
    return terminal.getvalue()


def test_progress_bar_on_a_terminal_alone(hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    assert "model.safetensors" in _stderr_of(user, "--model", MODEL)
    assert _stderr_of(user, "--model", MODEL) == "", "nothing to download"
    for number, options in enumerate((["--weights", "none"], ["--json"], ["--quiet"])):
        another = User(tmp_path / str(number), hub.endpoint)
        assert _stderr_of(another, "--model", MODEL, *options) == ""
    done = User(tmp_path / "pipe", hub.endpoint).run("--model", MODEL)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "model", ["./org/tiny", "/org/tiny", "org/tiny/", "~/org/tiny", "org/tiny/main", "..", "file.txt", r"org\tiny"]
)
def test_what_looks_like_a_path_is_never_asked_for(hub: LoopbackHub, user: User, tmp_path: Path, model: str) -> None:
    (tmp_path / "file.txt").touch()
    done = user.run("--model", model, "--json", cwd=tmp_path)
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"].startswith(("folder-", "not-a-folder", "config-missing"))
    assert hub.requests == []


def test_folder_goes_before_a_repository_of_its_name(hub: LoopbackHub, user: User, tmp_path: Path) -> None:
    shutil.copytree(hub.repositories[MODEL], tmp_path / MODEL)
    report = user.report(MODEL, "--weights", "none", cwd=tmp_path)
    assert (report["checkpoint"]["source"], report["checkpoint"]["revision"]) == ("directory", None)
    assert hub.requests == []

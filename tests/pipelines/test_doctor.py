"""`doctor`: every fact has a state and a meaning, nothing breaks it, and no token leaves with it."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import sys
import tempfile
import threading
from collections import Counter
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from bertshape.checkpoint import locate
from bertshape.pipelines.doctor import usable
from bertshape.pipelines.doctor.cache import cache_facts, measure_folder
from bertshape.pipelines.doctor.fact import STATES, Fact, gather
from bertshape.pipelines.doctor.machine import read_memory
from bertshape.pipelines.doctor.secrets import is_secret
from bertshape.pipelines.doctor.surroundings import VARIABLES, embedded_facts
from bertshape.pipelines.doctor.versions import version_facts
from bertshape.run import devices
from tests.support.checkpoints import minilm_folder
from tests.support.imports import imported_by
from tests.support.loopback_hub import TOKEN, LoopbackHub, User, serve
from tests.support.terminal import run_in_terminal

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

AREAS = ["versions", "devices", "cache folder", "Hub", "terminal", "environment", "embedded checkpoints"]
QUICK = ("doctor", "--no-torch")
Found = dict[tuple[str, str], dict[str, Any]]


def found(done: subprocess.CompletedProcess[str]) -> Found:
    """The facts of a JSON run, by area and name."""
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert document["ok"] is (done.returncode == 0)
    return {(fact["area"], fact["name"]): fact for fact in document["facts"]}


@pytest.fixture
def user(tmp_path: Path) -> User:
    """Somebody whose Hub is a port where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return User(tmp_path / "home", f"http://127.0.0.1:{closed.getsockname()[1]}")


def ask(user: User, *arguments: str, **variables: str) -> Found:
    return found(user.command(*QUICK, "--json", *arguments, cwd=None, **variables))


def test_every_fact_is_whole_and_the_table_says_the_same(user: User) -> None:
    """What JSON says is in the table too: values and meanings, word for word, at a width where nothing folds."""
    variables = {"COLUMNS": "400", "HF_HUB_OFFLINE": "1"}
    facts = ask(user, **variables)
    table = user.command(*QUICK, cwd=None, **variables)
    assert list(dict.fromkeys(area for area, _ in facts)) == AREAS
    for fact in facts.values():
        assert set(fact) == {"area", "name", "value", "state", "meaning", "numbers"}
        assert fact["state"] in STATES
        assert all(fact[key] for key in ("name", "value", "meaning"))
        if fact["name"] not in ("memory", "free space"):  # these change from one run to the next
            row = f"{fact['state']:8}{fact['name']:23}{fact['value']}"
            (line,) = (line for line in table.stdout.splitlines() if line.startswith(f"{row} "))
            assert line.endswith(f" {fact['meaning']}")
    assert table.returncode == 0
    assert "bertshape works here" in table.stdout


@pytest.mark.parametrize(("columns", "cell"), [(40, slice(8, None)), (80, slice(31, None)), (160, slice(31, 101))])
def test_the_table_keeps_to_its_columns(user: User, columns: int, cell: slice) -> None:
    """Long paths fold; none is cut."""
    home = user.home / ("long" * 30)
    done = user.command(*QUICK, COLUMNS=str(columns), HF_HOME=str(home))
    assert max(map(len, done.stdout.splitlines())) <= columns
    assert str(home) in "".join(line[cell].strip() for line in done.stdout.splitlines())
    assert "…" not in done.stdout


def test_a_meaning_is_beside_its_value_only_where_it_fits(user: User) -> None:
    """In 80 columns a meaning stands on the line of the value as a whole, or begins below it."""
    variables = {"COLUMNS": "80", "HF_HUB_OFFLINE": "1"}
    facts = ask(user, **variables)
    lines = user.command(*QUICK, cwd=None, **variables).stdout.splitlines()
    beside = 0
    for fact in facts.values():
        row = f"{fact['state']:8}{fact['name']:23}{fact['value']}"
        if len(row) < 80 and fact["name"] not in ("memory", "free space"):
            (rest,) = (line.removeprefix(row) for line in lines if line == row or line.startswith(f"{row}  "))
            assert rest in ("", f"  {fact['meaning']}")
            assert bool(rest) is (len(f"{row}  {fact['meaning']}") <= 80)
            beside += bool(rest)
    assert beside > 5


def test_foreign_text_cannot_move_the_cursor(user: User) -> None:
    done = user.command(*QUICK, "--offline", HF_HOME="/tmp/[red]\x1b[31m", COLUMNS="160")
    assert "\x1b" not in done.stdout
    assert r"/tmp/[red]\x1b[31m" in done.stdout


def test_without_torch_nothing_heavy_is_imported() -> None:
    """Its settings come from huggingface_hub, which imports little for that."""
    assert imported_by(*QUICK, "--offline") <= {"huggingface_hub"}


def test_with_torch_it_is_imported_and_the_devices_are_tried(bertshape: Callable[..., Any]) -> None:
    """Also shows that the test above can fail."""
    facts = found(bertshape("doctor", "--offline", "--json"))
    assert facts["devices", "torch"]["value"].startswith("imported in")
    assert facts["devices", "transformers"]["state"] == "ok"
    import torch

    accelerators = [name for area, name in facts if area == "devices" and name.startswith(("cuda", "mps"))]
    assert facts["devices", "--device auto"]["value"] == (
        "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    )
    assert len(accelerators) == max(1, torch.cuda.device_count()) + 1
    assert {"torch", "transformers"} <= imported_by("doctor", "--offline")


BROKEN_TORCH = {
    "import error": "raise ImportError('libtorch_made_up.so: cannot open shared object file')",
    "system error": "raise OSError('libtorch_made_up.so is gone')",
    "half a package": "import torch.libtorch_made_up",
}


@pytest.mark.parametrize("code", BROKEN_TORCH.values(), ids=BROKEN_TORCH.keys())
def test_a_broken_torch_is_a_line(user: User, tmp_path: Path, code: str) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text(code)
    done = user.command("doctor", "--offline", "--json", PYTHONPATH=str(tmp_path))
    facts = found(done)
    assert done.returncode == 1
    assert facts["devices", "torch"]["state"] == "error"
    assert "libtorch_made_up" in facts["devices", "torch"]["meaning"]
    assert facts["versions", "torch"]["state"] == "warning"
    assert str(tmp_path / "torch") in facts["versions", "torch"]["meaning"]
    assert list(dict.fromkeys(area for area, _ in facts)) == AREAS
    table = user.command("doctor", "--offline", PYTHONPATH=str(tmp_path))
    assert table.returncode == 1
    assert "Traceback" not in table.stdout + table.stderr
    verdict = table.stdout.splitlines()[-3:]
    assert verdict[:2] == ["bertshape does not work here as it should", "error devices torch"]
    assert verdict[2].startswith("warning versions torch")


def test_a_broken_transformers_is_a_line(user: User, tmp_path: Path) -> None:
    """The package itself imports nothing: what is broken in it shows in its parts alone."""
    (tmp_path / "transformers").mkdir()
    (tmp_path / "transformers" / "__init__.py").write_text("")
    facts = found(user.command("doctor", "--offline", "--json", PYTHONPATH=str(tmp_path)))
    assert facts["devices", "torch"]["state"] == "ok"
    assert facts["devices", "transformers"]["state"] == "error"
    assert "--weights none" in facts["devices", "transformers"]["meaning"]


def install(folder: Path, name: str, version: str) -> dict[str, str]:
    """Metadata of another version, found before the real one."""
    (folder / f"{name}-{version}.dist-info").mkdir(parents=True)
    text = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    (folder / f"{name}-{version}.dist-info" / "METADATA").write_text(text)
    return {"PYTHONPATH": str(folder)}


@pytest.mark.parametrize(
    ("name", "version", "says"),
    [
        ("transformers", "4.57.1", 'bertshape needs >=5.8,<6: pip install "transformers>=5.8,<6"'),
        ("typer", "0.29.0", 'bertshape needs >=0.26,<0.29: pip install "typer>=0.26,<0.29"'),
        # In bertshape's own range, yet transformers would refuse to be imported beside it.
        ("tokenizers", "0.22.2", "transformers needs >=0.23.1,<0.24.0: pip install"),
        ("safetensors", "0.3.0", "transformers needs >=0.8.0: pip install"),
    ],
)
def test_versions_outside_the_ranges_fail(user: User, tmp_path: Path, name: str, version: str, says: str) -> None:
    facts = ask(user, "--offline", **install(tmp_path / "site", name, version))
    fact = facts["versions", name]
    assert (fact["state"], fact["value"]) == ("error", version)
    assert fact["meaning"].startswith(says)
    others = [fact["state"] for key, fact in facts.items() if key[0] == "versions" and key[1] != name]
    assert set(others) <= {"ok", "warning"}


def test_versions_inside_the_ranges_pass(user: User, tmp_path: Path) -> None:
    """Local builds and release candidates of what comes next are inside too."""
    facts = ask(user, "--offline", **install(tmp_path / "site", "torch", "99.1.0rc1+cu999"))
    assert facts["versions", "torch"]["value"].startswith("99.1.0rc1+cu999")
    assert facts["versions", "torch"]["state"] == "ok"


def test_what_is_not_installed_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "safetensors":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(platform, "python_version", lambda: "3.9.18")
    facts = {fact.name: fact for fact in version_facts()}
    assert (facts["safetensors"].value, facts["safetensors"].state) == ("not installed", "error")
    assert 'pip install "safetensors>=' in facts["safetensors"].meaning
    assert facts["Python"].state == "error"
    assert ">=3.11" in facts["Python"].meaning
    assert not usable(facts.values())


@pytest.mark.parametrize(
    ("lines", "build"),
    [
        ("cuda: Optional[str] = '12.8'\nhip: Optional[str] = None", "CUDA 12.8"),
        ("cuda = None\nhip: Optional[str] = '6.4.1'", "ROCm 6.4.1"),
        ("cuda: Optional[str] = None\nhip: Optional[str] = None", "CPU"),
    ],
)
def test_the_build_of_torch_is_told_without_importing_it(user: User, tmp_path: Path, lines: str, build: str) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "torch" / "version.py").write_text(f"from typing import Optional\n{lines}\ngit_version = 'cuda'\n")
    facts = ask(user, "--offline", PYTHONPATH=str(tmp_path))
    assert facts["versions", "torch"]["value"].endswith(f", {build} build")


def reachable(user: User, endpoint: str, *arguments: str, **variables: str) -> dict[str, Any]:
    return ask(User(user.home, endpoint), *arguments, **variables)["Hub", "reachable"]


def test_a_hub_that_answers(user: User) -> None:
    """One request, without the token; a mirror that lacks the checkpoint asked for is a Hub as well."""
    for repositories, status in (({"google-bert/bert-base-uncased": minilm_folder()}, 200), ({}, 404)):
        with serve(repositories) as hub:
            fact = reachable(user, hub.endpoint)
        assert (fact["state"], fact["numbers"]["status"]) == ("ok", status)
        assert [request.token for request in hub.requests] == [None]


@pytest.mark.parametrize(
    ("status", "says"), [(500, "It fails"), (503, "It fails"), (429, "slow down"), (404, "HF_ENDPOINT"), (200, "proxy")]
)
def test_a_hub_that_does_not(user: User, status: int, says: str) -> None:
    """A login page of a proxy answers 200, and some other server 404: neither is a Hub. None of it is an error."""
    with serve({}) as hub:
        hub.fail(status)
        fact = reachable(user, hub.endpoint)
    assert fact["state"] == "warning"
    assert fact["numbers"]["status"] == status
    assert says in fact["meaning"]
    assert len(hub.requests) == 1


def test_a_port_where_nobody_listens_and_addresses_that_are_none(user: User) -> None:
    refused = reachable(user, user.endpoint)
    assert (refused["state"], refused["value"]) == ("warning", "no")
    assert "Connect" in refused["meaning"]
    assert "folders, embedded and cached checkpoints work" in refused["meaning"]
    for endpoint in ("not an address", "ftp://127.0.0.1"):
        assert reachable(user, endpoint)["state"] == "warning"
    # huggingface_hub itself cannot be imported with this one.
    assert ask(User(user.home, "http://[::1"))["Hub", "examination"]["state"] == "warning"
    assert reachable(user, user.endpoint, HTTP_PROXY="made-up://127.0.0.1")["state"] == "warning"


@contextmanager
def silent_server(*, drip: bool) -> Iterator[str]:
    """A server that accepts and never answers; or sends headers without end, a line every 50 ms."""
    listening, over = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\n" if drip else b"")
                while not over.wait(0.05):
                    connection.sendall(b"X-More: to come\r\n" if drip else b"")
            except OSError:
                return

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        listening.close()


@pytest.mark.parametrize("drip", [False, True], ids=["silent", "dripping"])
def test_a_hub_that_hangs_is_left_alone_in_time(user: User, drip: bool) -> None:
    """The dripping one never exceeds the HTTP library's own timeouts, which bound each step: the run would not end."""
    with silent_server(drip=drip) as endpoint:
        fact = reachable(user, endpoint, "--timeout", "0.4")
    assert (fact["state"], fact["value"]) == ("warning", "no")
    assert "within 0.4 s" in fact["meaning"] or "Timeout" in fact["meaning"]


@pytest.mark.parametrize(
    ("arguments", "variables", "reason"),
    [(["--offline"], {}, "--offline"), ([], {"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE")],
)
def test_offline_nothing_is_asked(user: User, arguments: list[str], variables: dict[str, str], reason: str) -> None:
    with serve({}) as hub:
        fact = reachable(user, hub.endpoint, *arguments, **variables)
    assert (fact["value"], fact["state"]) == ("not asked", "note")
    assert fact["meaning"].startswith(reason)
    assert hub.requests == []


def leaks(user: User, hub: LoopbackHub, **variables: str) -> list[str]:
    """Every output that a run can make."""
    place = User(user.home, hub.endpoint)
    runs = [place.command(*QUICK, COLUMNS=columns, cwd=None, **variables) for columns in ("40", "80", "1000")]
    runs.append(place.command(*QUICK, "--json", "--debug", cwd=None, **variables))
    return [done.stdout + done.stderr for done in runs]


def test_no_output_holds_a_token_or_a_part_of_it(user: User, tmp_path: Path) -> None:
    """Wherever it stands: in its variable, its file, an address, a proxy, a path; whole, and folded over lines."""
    token_file = tmp_path / "token"
    token_file.write_text("hf_anotherTokenFromTheFile\n")
    with serve({}) as hub:
        inside = hub.endpoint.replace("//", f"//user:{TOKEN}@")
        cases = [
            {},
            {"HF_TOKEN_PATH": str(token_file)},
            {"HF_ENDPOINT": inside},
            {"HTTPS_PROXY": f"http://somebody:{TOKEN}@127.0.0.1:9", "HTTP_PROXY": f"odd://me:{TOKEN}@127.0.0.1:9"},
            {"HF_HOME": str(tmp_path / TOKEN), "HUGGING_FACE_HUB_TOKEN": "hf_anotherTokenFromTheFile"},
            {"HF_TOKEN": f"{TOKEN}\n"},
        ]
        for variables in cases:
            for output in leaks(user, hub, **variables):
                packed = "".join(output.split())
                for token in (TOKEN, "hf_anotherTokenFromTheFile"):
                    assert token[:9] not in packed, variables
                    assert token[-9:] not in packed, variables


def test_credentials_in_addresses_are_left_out(user: User) -> None:
    """They need not be Hub tokens to be secret."""
    variables = {"HF_ENDPOINT": "http://me:hunter2@127.0.0.1:9", "HTTPS_PROXY": "http://me:hunter2@127.0.0.1:9"}
    facts = ask(user, **variables)
    assert facts["Hub", "endpoint"]["value"] == "http://***@127.0.0.1:9"
    assert facts["environment", "HTTPS_PROXY"]["value"] == "http://***@127.0.0.1:9"
    assert "hunter2" not in json.dumps(list(facts.values()))


def test_where_a_token_comes_from_is_told(user: User) -> None:
    assert ask(user, "--offline")["Hub", "token"]["value"] == "set by HF_TOKEN"
    assert ask(user, "--offline", HF_TOKEN="")["Hub", "token"]["value"] == "none"
    user.home.mkdir()
    (user.home / "token").write_text(TOKEN)
    assert ask(user, "--offline", HF_TOKEN="")["Hub", "token"]["value"] == "set by the token file"
    odd = ask(user, "--offline", HF_TOKEN="hf_typed with ü and spaces")["Hub", "token"]
    assert odd["state"] == "warning"


def make_cache(home: Path) -> Path:
    """Two models and a data set; 3,500 bytes in four blobs, each linked to by name."""
    hub = home / "hub"
    for repository, sizes in (("models--a--b", (1000, 500)), ("models--c", (1500,)), ("datasets--d", (500,))):
        blobs, names = hub / repository / "blobs", hub / repository / "snapshots" / "0123"
        blobs.mkdir(parents=True)
        names.mkdir(parents=True)
        for number, size in enumerate(sizes):
            (blobs / str(number)).write_bytes(b"x" * size)
            (names / f"file{number}").symlink_to(blobs / str(number))
    os.link(hub / "models--c" / "blobs" / "0", hub / "models--c" / "again")
    (hub / "models--loop").symlink_to(hub)
    return hub


def test_the_cache_is_measured_without_its_links(user: User) -> None:
    """Symbolic links lead to blobs that are there already, hard links are the same file, and a loop ends."""
    hub = make_cache(user.home)
    facts = ask(user, "--offline")
    assert facts["cache folder", "path"]["value"] == str(hub)
    assert facts["cache folder", "path"]["state"] == "ok"
    assert "by HF_HOME" in facts["cache folder", "path"]["meaning"]
    numbers = {"bytes": 3500, "files": 4, "repositories": 2, "unreadable": 0}
    assert facts["cache folder", "content"]["numbers"] == numbers
    assert facts["cache folder", "free space"]["numbers"]["free_bytes"] > 0


@contextmanager
def nobody() -> Iterator[Path]:
    """An empty folder, and a user without special rights where the tests run as root."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    root = os.geteuid() == 0
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)


def lose_rights() -> None:
    if os.geteuid() == 0:
        os.seteuid(65534)


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of POSIX")
def test_unreadable_folders_are_counted_not_fatal(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    with nobody() as home:
        hub = make_cache(home)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
        (hub / "models--a--b").chmod(0)
        lose_rights()
        size = measure_folder(hub)
        facts = {fact.name: fact for fact in cache_facts()}
    assert (size.bytes, size.files, size.repositories, size.unreadable) == (2000, 2, 2, 1)
    assert facts["content"].state == "warning"


@pytest.mark.skipif(sys.platform == "win32", reason="rights are those of POSIX")
@pytest.mark.parametrize("there", [True, False])
def test_a_cache_that_cannot_be_written_is_a_warning(monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    from huggingface_hub import constants

    with nobody() as home:
        hub = make_cache(home) if there else home / "hub"
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))
        (hub if there else home).chmod(0o555)
        lose_rights()
        facts = {fact.name: fact for fact in cache_facts()}
    assert facts["path"].state == "warning"
    assert "fetched" in facts["path"].meaning


def test_a_cache_that_is_not_there_or_no_folder(user: User, tmp_path: Path) -> None:
    missing = ask(user, "--offline")["cache folder", "path"]
    assert missing["state"] == "note"
    assert not user.home.exists(), "looking must not make it"
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        fact = ask(user, "--offline", HF_HUB_CACHE=str(tmp_path / place))["cache folder", "path"]
        assert fact["state"] == "warning"
        assert "not a folder" in fact["meaning"]


def test_memory_is_the_least_of_machine_and_container(tmp_path: Path) -> None:
    """In a container the kernel's table shows the memory of the whole machine."""
    table = tmp_path / "meminfo"
    table.write_text("MemTotal: 8000 kB\nMemFree: 10 kB\nMemAvailable: 6000 kB\nHugePages_Total: 0\n")
    assert read_memory(table, tmp_path) == (8_192_000, 6_144_000)
    (tmp_path / "memory.max").write_text("4096000\n")
    (tmp_path / "memory.current").write_text("4000000\n")
    assert read_memory(table, tmp_path) == (4_096_000, 96_000)
    (tmp_path / "memory.max").write_text("max\n")
    assert read_memory(table, tmp_path) == (8_192_000, 6_144_000)
    total, free = read_memory(tmp_path / "missing", tmp_path)
    assert total is not None
    assert free is None


def fake_cuda(**parts: Any) -> SimpleNamespace:
    """A torch with one CUDA device, for machines that have none."""

    def ones(count: int, device: str) -> SimpleNamespace:
        return SimpleNamespace(sum=lambda: count)

    cuda = SimpleNamespace(
        get_device_properties=lambda _: SimpleNamespace(name="Test GPU", total_memory=80),
        mem_get_info=lambda _: (30, 80),
    )
    return SimpleNamespace(**({"cuda": cuda, "ones": ones} | parts))


def no_kernel(count: int, device: str) -> None:
    raise RuntimeError("no kernel image is available for execution on the device")


def test_a_gpu_is_usable_only_if_it_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chip too old or too new for this torch is listed, has memory, and fails at the first kernel."""
    monkeypatch.setattr(devices, "torch", fake_cuda())
    good = devices._cuda_device(1)
    assert (good.name, good.model, good.total_bytes, good.free_bytes) == ("cuda:1", "Test GPU", 80, 30)
    assert good.usable
    monkeypatch.setattr(devices, "torch", fake_cuda(ones=no_kernel))
    bad = devices._cuda_device(0)
    assert not bad.usable
    assert "no kernel image" in bad.why
    monkeypatch.setattr(devices, "torch", fake_cuda(ones=lambda *_, **__: SimpleNamespace(sum=lambda: 7)))
    wrong = devices._cuda_device(0)
    assert not wrong.usable


@pytest.mark.cuda
def test_a_real_gpu(bertshape: Callable[..., Any]) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    facts = found(bertshape("doctor", "--offline", "--json"))
    fact = facts["devices", "cuda:0"]
    assert fact["state"] == "ok"
    assert 0 < fact["numbers"]["free_bytes"] <= fact["numbers"]["total_bytes"]
    assert torch.cuda.get_device_name(0) in fact["value"]


def test_variables_are_a_fixed_list_and_secrets_are_hidden(user: User) -> None:
    variables = {
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1",
        "MY_OWN": "unlisted",
        "https_proxy": "http://p",
    }
    facts = ask(user, "--offline", **variables)
    shown = {name: fact["value"] for (area, name), fact in facts.items() if area == "environment"}
    assert shown["TOKENIZERS_PARALLELISM"] == "false"
    assert shown["OMP_NUM_THREADS"] == "1"
    assert shown["https_proxy"] == "http://p"
    assert shown["HF_TOKEN"] == "set, value hidden"
    assert "MY_OWN" not in shown
    assert {name for name in VARIABLES if is_secret(name)} == {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"}
    assert is_secret("AWS_SECRET_ACCESS_KEY")


def test_the_terminal_is_described_as_it_is() -> None:
    def rows(screen: list[str]) -> dict[str, str]:
        return {words[1]: words[2] for line in screen if len(words := line.split()) > 2 and words[0] in STATES}

    coloured = run_in_terminal(*QUICK, "--offline", columns=72)
    shown = rows(coloured.screen)
    assert (shown["stdout"], shown["stderr"], shown["columns"]) == ("terminal", "terminal", "72")
    assert shown["colours"] in ("standard", "256", "truecolor")
    assert "\x1b[32m" in coloured.raw
    plain = run_in_terminal(*QUICK, "--offline", columns=72, NO_COLOR="1")
    assert rows(plain.screen)["NO_COLOR"] == "1"
    assert "\x1b[32m" not in plain.raw


def test_pipes_and_plain_characters_are_told(user: User) -> None:
    facts = ask(user, "--offline", PYTHONIOENCODING="ascii", COLUMNS="50")
    assert facts["terminal", "stdout"]["value"] == "no terminal"
    assert facts["terminal", "columns"]["numbers"] == {"columns": 50}
    assert facts["terminal", "characters"]["state"] == "note"
    assert facts["terminal", "colours"]["value"] == "none"
    assert ask(user, "--offline")["terminal", "characters"]["state"] == "ok"


def test_a_damaged_package_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert [fact.state for fact in embedded_facts()] == ["ok"]
    shutil.copytree(locate._EMBEDDED, tmp_path / "embedded")
    monkeypatch.setattr(locate, "_EMBEDDED", tmp_path / "embedded")
    (tmp_path / "embedded" / "bert-mini-uncased" / "config.json").write_text("{")
    (fact,) = embedded_facts()
    assert (fact.state, fact.value) == ("error", "1 of 6 broken")
    assert "bert-mini-uncased" in fact.meaning
    assert "pip install --force-reinstall" in fact.meaning


def test_an_area_that_fails_keeps_what_it_found() -> None:
    def examine() -> Iterator[Fact]:
        yield Fact("odd", "first", "1", "ok", "found")
        raise RuntimeError("the disk\nis on fire")

    area = gather("odd", examine)
    assert [fact.name for fact in area.facts] == ["first", "examination"]
    assert area.facts[1].state == "warning"
    assert "RuntimeError: the disk is on fire" in area.facts[1].meaning


def test_a_broken_huggingface_hub_stops_nothing_else(user: User, tmp_path: Path) -> None:
    (tmp_path / "huggingface_hub").mkdir()
    (tmp_path / "huggingface_hub" / "__init__.py").write_text(f"raise ImportError('no {TOKEN} here')")
    done = user.command(*QUICK, "--json", PYTHONPATH=str(tmp_path))
    facts = found(done)
    assert Counter(name for _, name in facts)["examination"] == 2
    assert list(dict.fromkeys(area for area, _ in facts)) == AREAS


@pytest.mark.parametrize("timeout", ["0", "61", "soon"])
def test_timeouts_that_are_none_are_refused(user: User, timeout: str) -> None:
    done = user.command(*QUICK, "--timeout", timeout)
    assert done.returncode == 2
    assert "--timeout" in done.stderr

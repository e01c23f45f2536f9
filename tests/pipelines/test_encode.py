"""`embed` gives what `SentenceTransformer(folder).encode` gives by the folder, or stops with the reason."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense

from bertshape import check_checkpoint, embed_texts, inspect_texts
from bertshape.errors import UsageError
from tests.differential import encode
from tests.differential.area import run
from tests.predict.test_sentence_chain import edit, save_chain
from tests.support.small_cases import sentence_files, set_fields, tiny_bert

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bertshape.report.embed import EmbedReport
    from tests.conftest import Run

TEXTS = ["one", "Two words in Paris.", "Sentence embeddings average the vectors of tokens. " * 3, "[MASK] me", ""]
LONG = [" ".join(["sentence", "of", "words"][index % 3] for index in range(count)) for count in (5, 60, 300, 520, 900)]


def encoded(folder: Path, texts: list[str], **options: Any) -> torch.Tensor:
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    vectors: torch.Tensor = model.encode(texts, convert_to_tensor=True, show_progress_bar=False, **options)
    return vectors


def embedded(folder: Path, texts: list[str], **options: Any) -> tuple[EmbedReport, torch.Tensor]:
    report = embed_texts(texts, folder / "own.safetensors", model=folder, device="cpu", **options)
    assert report.written, [finding.message for finding in report.findings]
    return report, load_file(folder / "own.safetensors")["sentence_embedding"]


def codes(report: Any) -> set[str]:
    return {finding.code for finding in report.findings}


def reasons(report: EmbedReport) -> str:
    return "\n".join(finding.message for finding in report.findings if finding.severity == "error")


def test_without_a_padding_token_there_is_no_encode(tmp_path: Path) -> None:
    """It asks to pad whatever the texts are: one text alone fails too."""
    folder = sentence_files(tiny_bert(tmp_path / "m"))
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        set_fields(folder, name, pad_token=None)
    document = json.loads((folder / "tokenizer.json").read_text()) | {"padding": None}
    (folder / "tokenizer.json").write_text(json.dumps(document))
    set_fields(folder, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    with pytest.raises(ValueError, match="padding token"):
        encoded(folder, ["one"])
    report = embed_texts(["one"], folder / "own.safetensors", model=folder, device="cpu")
    assert (report.written, "no padding token" in reasons(report)) == (False, True)
    assert "pad-token-missing" in codes(check_checkpoint(folder))


def _prompted(folder: Path) -> None:
    edit(folder, "config_sentence_transformers.json", prompts={"query": "Query: "}, default_prompt_name="query")


def _prompt_left_out(folder: Path) -> None:
    _prompted(folder)
    edit(folder, "1_Pooling/config.json", include_prompt=False)


def _prompt_padded(folder: Path, side: str, **padding: object) -> None:
    """Tokens of padding count as the prompt's."""
    _prompt_left_out(folder)
    edit(folder, "tokenizer_config.json", padding_side=side)
    edit(folder, "sentence_bert_config.json", processing_kwargs={"text": padding})


MINILM_CHANGES: dict[str, Callable[[Path], object]] = {
    "as it is": lambda _: None,
    "default prompt": _prompted,
    "prompt that Pooling leaves out": _prompt_left_out,
    "prompt padded": lambda folder: _prompt_padded(folder, "right", padding="max_length", max_length=8),
    "prompt padded to a multiple": lambda folder: _prompt_padded(folder, "right", pad_to_multiple_of=8),
    "prompt padded on the left": lambda folder: _prompt_padded(folder, "left", padding="max_length", max_length=8),
    "max_seq_length 16": lambda folder: edit(folder, "sentence_bert_config.json", max_seq_length=16),
    "truncation_side left": lambda folder: edit(folder, "tokenizer_config.json", truncation_side="left"),
    "truncate_dim": lambda folder: edit(folder, "config_sentence_transformers.json", truncate_dim=64),
}


@pytest.mark.parametrize("name", MINILM_CHANGES)
def test_minilm_gives_the_vectors_of_encode(name: str, minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "m", minilm)
    MINILM_CHANGES[name](folder)
    # Where a text is cut, or whole, is seen at the lengths around the limits.
    texts = [*TEXTS, *LONG] if name in ("as it is", "max_seq_length 16", "truncation_side left") else TEXTS
    torch.testing.assert_close(embedded(folder, texts)[1], encoded(folder, texts), atol=1e-5, rtol=0)


def test_a_dense_before_pooling(minilm: Path, tmp_path: Path) -> None:
    folder = save_chain(tmp_path / "m", minilm, Dense(384, 384, module_input_name="token_embeddings"))
    modules = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps([modules[0], modules[2], modules[1]]))
    torch.testing.assert_close(embedded(folder, TEXTS)[1], encoded(folder, TEXTS), atol=1e-5, rtol=0)
    assert [step.name for step in inspect_texts(TEXTS, model=folder).embedding] == ["Transformer", "Dense", "Pooling"]


@pytest.mark.parametrize("mode", ["mean", "cls", "max", "lasttoken", "weightedmean", "mean_sqrt_len_tokens"])
def test_a_text_without_tokens(mode: str, tmp_path: Path) -> None:
    """Of no token at all sentence-transformers' max is -inf: that stops; every other mode gives numbers."""
    folder = sentence_files(tiny_bert(tmp_path / "m"))
    set_fields(folder, "tokenizer.json", post_processor=None)
    set_fields(folder, "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    (folder / "1_Pooling/config.json").write_text(json.dumps({"embedding_dimension": 32, "pooling_mode": mode}))
    texts = ["Two words in Paris.", ""]
    theirs = encoded(folder, texts)
    if mode == "max":
        assert not theirs.isfinite().all()
        report = embed_texts(texts, folder / "own.safetensors", model=folder, device="cpu")
        assert (report.written, "non-finite-outputs" in codes(report)) == (False, True)
        return
    torch.testing.assert_close(embedded(folder, texts)[1], theirs, atol=1e-5, rtol=0)


def test_of_steps_of_one_name_the_last_is_taken(minilm: Path, tmp_path: Path) -> None:
    """sentence-transformers keeps steps by their names: the Dense is lost, and its place is the Pooling's."""
    folder = save_chain(tmp_path / "m", minilm, Dense(384, 48))
    modules = json.loads((folder / "modules.json").read_text())
    modules[2]["name"] = modules[1]["name"]
    (folder / "modules.json").write_text(json.dumps([modules[0], modules[2], modules[1]]))
    report, vectors = embedded(folder, TEXTS)
    torch.testing.assert_close(vectors, encoded(folder, TEXTS), atol=1e-5, rtol=0)
    assert vectors.shape == (len(TEXTS), 384)
    assert "step-name-repeated" in codes(report)


def test_prompts_are_chosen(tmp_path: Path) -> None:
    folder = sentence_files(tiny_bert(tmp_path / "m"))
    prompts = {"query": "query: ", "passage": "passage: "}
    edit(folder, "config_sentence_transformers.json", prompts=prompts, default_prompt_name="query")
    for own, theirs in (
        ({"prompt_name": "passage"}, {"prompt_name": "passage"}),
        ({"prompt": "find: "}, {"prompt": "find: "}),
        ({"prompt": ""}, {"prompt": ""}),
    ):
        torch.testing.assert_close(embedded(folder, TEXTS, **own)[1], encoded(folder, TEXTS, **theirs))
    with pytest.raises(UsageError, match="no prompt of that name"):
        embedded(folder, TEXTS, prompt_name="nosuch")
    with pytest.raises(UsageError, match="exclude each other"):
        embedded(folder, TEXTS, prompt_name="query", prompt="a")


def test_inspect_takes_a_prompt_where_it_is_named(tmp_path: Path) -> None:
    folder = sentence_files(tiny_bert(tmp_path / "m"))
    edit(folder, "config_sentence_transformers.json", prompts={"query": "query: "}, default_prompt_name="query")
    edit(folder, "1_Pooling/config.json", include_prompt=False)
    plain = inspect_texts("a", model=folder)
    assert [token.token for token in plain.tokenization.rows[0].tokens] == ["[CLS]", "a", "[SEP]"]
    assert "default-prompt" in codes(plain)
    path = tmp_path / "out.safetensors"
    report = inspect_texts("a", model=folder, prompt_name="query", save=path)
    assert [token.token for token in report.tokenization.rows[0].tokens] == ["[CLS]", "query", ":", "a", "[SEP]"]
    torch.testing.assert_close(load_file(path)["sentence_embedding"], encoded(folder, ["a"]))


def _case_28(folder: Path) -> None:
    """do_lower_case over a cased tokenizer."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "Paris", "paris"]
    sentence_files(tiny_bert(folder))
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join([*words, *(f"x{index}" for index in range(30515))]))
    (folder / "tokenizer_config.json").unlink()
    set_fields(folder, "tokenizer_config.json", tokenizer_class="BertTokenizer", do_lower_case=False)
    set_fields(folder, "sentence_bert_config.json", do_lower_case=True)


def _case_44(folder: Path) -> None:
    """truncate_dim after Normalize."""
    sentence_files(tiny_bert(folder), normalize=True, truncate_dim=16)


def _case_68(folder: Path) -> None:
    """Texts cut on the left."""
    sentence_files(tiny_bert(folder), max_seq_length=8)
    set_fields(folder, "tokenizer_config.json", truncation_side="left")


@pytest.mark.parametrize(("make", "code"), [(_case_28, "lower-case"), (_case_44, "truncate-dim"), (_case_68, "cut")])
def test_cases_that_are_followed(make: Callable[[Path], None], code: str, tmp_path: Path) -> None:
    make(tmp_path)
    report, vectors = embedded(tmp_path, TEXTS)
    torch.testing.assert_close(vectors, encoded(tmp_path, TEXTS), atol=1e-5, rtol=0)
    assert code in codes(report)


def test_case_43_a_model_of_token_vectors_is_named(tmp_path: Path) -> None:
    """PyLate's Dense is code that sentence-transformers does not run unasked, and it gives no vector per text."""
    folder = sentence_files(tiny_bert(tmp_path / "m"))
    modules = json.loads((folder / "modules.json").read_text())
    modules[1] |= {"path": "1_Dense", "type": "pylate.models.Dense.Dense"}
    (folder / "modules.json").write_text(json.dumps(modules))
    set_fields(folder, "1_Dense/config.json", in_features=32, out_features=16, bias=False)
    save_file({"linear.weight": torch.ones(16, 32)}, folder / "1_Dense/model.safetensors")
    report = embed_texts(TEXTS, tmp_path / "v.npz", model=folder)
    assert not report.written
    assert "pylate.models.Dense.Dense is code outside sentence-transformers" in reasons(report)
    for other in (report, inspect_texts("a", model=folder, weights="none"), check_checkpoint(folder)):
        assert "late-interaction" in codes(other)


@pytest.mark.parametrize(
    ("config", "outer", "code"),
    [
        ({"sentence_transformers": {"activation_fn": "torch.nn.Identity", "version": "4.1.0"}}, {}, "cross-encoder"),
        ({"architectures": ["HF_ColBERT"]}, {}, "late-interaction"),
        ({}, {"model_type": "SparseEncoder"}, "sparse-encoder"),
        ({}, {}, "pooling-undeclared"),
    ],
)
def test_what_was_not_made_for_it_is_named(
    config: dict[str, object], outer: dict[str, object], code: str, tmp_path: Path
) -> None:
    """sentence-transformers makes up mean pooling; so does embed, and says so."""
    folder = tiny_bert(tmp_path / "m")
    set_fields(folder, "config.json", **config)
    set_fields(folder, "config_sentence_transformers.json", **outer)
    report, vectors = embedded(folder, TEXTS)
    torch.testing.assert_close(vectors, encoded(folder, TEXTS), atol=1e-5, rtol=0)
    assert {finding.severity for finding in report.findings if finding.code == code} == {"warning"}
    for other in (inspect_texts("a", model=folder, weights="none"), check_checkpoint(folder)):
        assert {finding.severity for finding in other.findings if finding.code == code} == {"note"}
    assert check_checkpoint(folder).passed


def test_a_stored_projection_is_that_of_colbert(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "m")
    state = load_file(folder / "model.safetensors") | {"linear.weight": torch.ones(16, 32)}
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    assert "late-interaction" in codes(inspect_texts("a", model=folder, weights="none"))


UNFOLLOWED: dict[str, tuple[dict[str, object], str]] = {
    "a head": ({"transformer_task": "fill-mask"}, "runs the head for fill-mask"),
    "an unknown key": ({"nosuch": 1}, "nosuch, which SentenceTransformer refuses"),
    "another tokenizer": ({"tokenizer_name_or_path": "x"}, "its tokenizer is that of x"),
    "no special tokens": ({"processing_kwargs": {"text": {"add_special_tokens": False}}}, "add_special_tokens"),
    "chat messages": (
        {"modality_config": {"message": {}, "text": {}}, "module_output_name": "token_embeddings"},
        "chat messages",
    ),
    "another method": (
        {
            "modality_config": {"text": {"method": "get_text_features", "method_output_name": None}},
            "module_output_name": "sentence_embedding",
        },
        "get_text_features",
    ),
}


@pytest.mark.parametrize("name", UNFOLLOWED)
def test_what_is_not_followed_stops_with_the_reason(name: str, tmp_path: Path) -> None:
    settings, words = UNFOLLOWED[name]
    folder = sentence_files(tiny_bert(tmp_path / "m"))
    set_fields(folder, "sentence_bert_config.json", **settings)
    report = embed_texts(["a"], tmp_path / "v.npz", model=folder)
    assert not report.written
    assert words in reasons(report)
    shown = inspect_texts("a", model=folder, weights="none").embedding[0]
    assert shown.shape is None
    assert words in (shown.reason or "")


def test_a_default_prompt_that_is_not_there_stops(tmp_path: Path) -> None:
    folder = sentence_files(tiny_bert(tmp_path / "m"))
    edit(folder, "config_sentence_transformers.json", default_prompt_name="query5")
    assert "has no prompt 'query5'" in reasons(embed_texts(["a"], tmp_path / "v.npz", model=folder))


def test_check_speaks_of_the_recipe(tmp_path: Path) -> None:
    folder = sentence_files(tiny_bert(tmp_path / "m"), max_seq_length=256, truncate_dim=16)
    edit(folder, "config_sentence_transformers.json", prompts={"query": "query: "}, default_prompt_name="query")
    good = ("prompts.query=query: ", "default_prompt_name=query", "max_seq_length=256", "truncate_dim=16")
    assert check_checkpoint(folder, *good, "embedding_dimension=16", "do_lower_case=false").passed
    for wrong in (
        "prompts.query=query:",
        "prompts.passage=query: ",
        "max_seq_length=128",
        "default_prompt_name=passage",
    ):
        assert not check_checkpoint(folder, wrong).passed


def test_verify_compares_with_sentence_transformers(
    tmp_path: Path, bertshape: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = sentence_files(tiny_bert(tmp_path / "m"), normalize=True)
    edit(folder, "config_sentence_transformers.json", prompts={"query": "query: "}, default_prompt_name="query")
    texts, path = tmp_path / "t.txt", tmp_path / "v.npz"
    texts.write_text("".join(f"{text}\n" for text in TEXTS[:4] * 5))
    command = ("embed", str(texts), "-o", str(path), "-m", str(folder), "--device", "cpu", "--verify", "7")
    assert "compared with sentence-transformers on 7 texts: largest difference" in bertshape(*command).stdout
    for options in (("--no-prompt",), ("--prompt", "find: "), ("--max-length", "6"), ("--truncate-dim", "5")):
        document = json.loads(bertshape(*command, *options, "--json").stdout)
        assert document["ok"]
        assert document["verified"]["texts"] == 7
        assert document["verified"]["difference"] < 1e-5
    monkeypatch.setattr("bertshape.pipelines.vector_maker.settle_prompt", lambda *_, **__: "another: ")
    found = bertshape(*command, "--json")
    assert found.returncode == 1
    document = json.loads(found.stdout)
    assert (document["ok"], document["verified"]["passed"]) == (False, False)
    assert any(finding["code"] == "not-as-encode" for finding in document["findings"])


def test_verify_needs_something_to_compare(tmp_path: Path) -> None:
    given: list[dict[str, Any]] = [{"pooling": "mean"}, {"weights": "random"}]
    for options in given:
        with pytest.raises(UsageError, match="--verify compares"):
            embed_texts(["a"], tmp_path / "v.npz", model="x", verify=3, **options)


@pytest.mark.slow
def test_generated_folders(tmp_path: Path) -> None:
    outcome = run(encode, tmp_path / "cases", first=0, seconds=600, most=60)
    print(f"encode: {outcome.cases} cases, {len(outcome.differing)} differ")
    assert outcome.differing == {}
    assert outcome.cases == 60

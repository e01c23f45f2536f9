"""What is at the path is no checkpoint, or one of something else."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from tests.hostile.case import Case, nothing
from tests.hostile.model import CHECK, INSPECT, sound, with_config, with_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _empty(here: Path) -> None:
    (here / "m").mkdir()


def _a_file(here: Path) -> None:
    (here / "m").write_text("{}")


def _loop(here: Path) -> None:
    (here / "m").symlink_to("m")


def _two_links(here: Path) -> None:
    (here / "m").symlink_to("n")
    (here / "n").symlink_to("m")


def _link_to_itself_inside(here: Path) -> None:
    (sound(here) / "again").symlink_to("..")


def _broken_link(here: Path) -> None:
    (here / "m").symlink_to("nowhere")


def _pipe(here: Path) -> None:
    os.mkfifo(here / "m")


def _link_to_a_sound_one(here: Path) -> None:
    sound(here).rename(here / "real")
    (here / "m").symlink_to("real")


def _special(name: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    """A maker of the sound checkpoint in which one file is something else."""

    def build(here: Path) -> None:
        path = sound(here) / name
        path.unlink()
        make(path)

    return build


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _link_loop(path: Path) -> None:
    path.symlink_to(path.name)


def _other(**config: object) -> Callable[[Path], None]:
    return with_file("config.json", json.dumps(config))


def _diffusers(here: Path) -> None:
    _empty(here)
    (here / "m" / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')


CASES = (
    Case("folder missing", nothing, ("inspect", "x", "--model", "./m"), 3, ("./m does not exist",)),
    Case("folder missing, checked", nothing, ("check", "./m"), 3, ("./m does not exist",)),
    Case("folder missing, below a file", _a_file, ("check", "./m/below"), 3, ("m/below",)),
    Case("folder missing, name of 5,000 letters", nothing, ("check", "./" + "m" * 5000), 3, ("File name too long",)),
    Case("folder missing, below a user that is not there", nothing, ("check", "~nobody7/m"), 3, ("~nobody7/m",)),
    Case("folder empty", _empty, CHECK, 3, ("m is empty",)),
    Case("folder is a file", _a_file, INSPECT, 3, ("m is not a folder",)),
    Case("folder is a pipe", _pipe, CHECK, 3, ("m is not a folder",)),
    Case("folder is a device", nothing, ("check", "/dev/null"), 3, ("/dev/null is not a folder",)),
    Case("folder is a link to itself", _loop, CHECK, 3, ("m",)),
    Case("folder is one of two links in a circle", _two_links, INSPECT, 3, ("m",)),
    Case("folder is a link to nothing", _broken_link, CHECK, 3, ("m",)),
    Case("folder holds a link that leads up", _link_to_itself_inside, CHECK, 0, ("ok", "sound")),
    Case("folder is a link to a sound one", _link_to_a_sound_one, INSPECT, 0, (), shape=(1, 4, 8)),
    Case("folder of a pipeline", _diffusers, CHECK, 3, ("no config.json in m",)),
    Case("config.json is absent", with_file("config.json", None), INSPECT, 3, ("no config.json in m",)),
    Case("config.json is a folder", _special("config.json", _folder), CHECK, 3, ("config.json", "directory")),
    Case("config.json is a link to itself", _special("config.json", _link_loop), CHECK, 3, ("config.json",)),
    Case("config.json is a pipe", _special("config.json", _fifo), CHECK, 3, ("config.json", "not a regular file")),
    Case("tokenizer.json is a pipe", _special("tokenizer.json", _fifo), CHECK, 3, ("tokenizer.json", "regular file")),
    Case("tokenizer.json is a folder", _special("tokenizer.json", _folder), INSPECT, 3, ("tokenizer.json",)),
    Case("weights are a pipe", _special("model.safetensors", _fifo), INSPECT, 1, ("not a regular file",)),
    Case("weights are a link to themselves", _special("model.safetensors", _link_loop), CHECK, 1, ("symbolic links",)),
    Case("gpt2", _other(model_type="gpt2", n_embd=8, n_layer=2), CHECK, 1, ("gpt2, whose names 0 of 39",)),
    Case(
        "t5", _other(model_type="t5", d_model=8, is_encoder_decoder=True), INSPECT, 1, ("says t5, whose names 0 of 39",)
    ),
    Case("clip", _other(model_type="clip", text_config={}, vision_config={}), CHECK, 3, ("a clip model",)),
    Case("whisper", _other(model_type="whisper", d_model=8), INSPECT, 3, ("lacks num_hidden_layers",)),
    Case("llama", _other(model_type="llama", hidden_size=8), CHECK, 1, ("says llama, whose names 0 of 39",)),
    Case("vit", _other(model_type="vit", hidden_size=8), CHECK, 3, ("lacks num_hidden_layers",)),
    Case("clip text tower", _other(model_type="clip_text_model", hidden_size=8), CHECK, 1, ("says clip_text_model",)),
    Case("a family that nobody knows", with_config(model_type="nosuch"), INSPECT, 1, ("nosuch",)),
    Case("a repository on the Hub, offline", nothing, ("check", "org/name", "--offline"), 4, ("org/name", "offline")),
    Case("a name that no repository has", nothing, ("check", "a b c"), 2, ("neither a folder nor a Hub name",)),
    Case(
        "an embedded name that is not there", nothing, ("check", "embedded:../../etc"), 3, ("no embedded checkpoint",)
    ),
    Case("an embedded name that is empty", nothing, ("inspect", "x", "--model", "embedded:"), 3, ("no embedded",)),
)

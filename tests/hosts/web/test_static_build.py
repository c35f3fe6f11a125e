"""The page without a server: its files, and its numbers against Stemdock's own."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import tarfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile

from stemdock import GrowingPicture, load_plugins
from stemdock.cli.main import run
from stemdock.dsp.downmix import full_downmix, usual_speakers
from stemdock.dsp.panning import panned
from stemdock.engine.spleeter import make_engine
from stemdock.errors import OutputError
from stemdock_web.errors import RuntimePackageError
from stemdock_web.static_build import write_static
from support.small_model import SmallSession, small_card

if TYPE_CHECKING:
    from numpy.typing import NDArray

RUNTIME = {
    "dist/ort.wasm.min.mjs": b"runtime",
    "dist/ort-wasm-simd-threaded.mjs": b"threads",
    "dist/ort-wasm-simd-threaded.wasm": b"wasm",
    "dist/ort.webgpu.min.mjs": b"not needed",
}


def npm_package(path: Path, name: str = "onnxruntime-web", members: dict[str, bytes] = RUNTIME) -> Path:
    contents = {"package.json": json.dumps({"name": name}).encode(), **members}
    with tarfile.open(path, "w:gz") as package:
        for member, content in contents.items():
            entry = tarfile.TarInfo(f"package/{member}")
            entry.size = len(content)
            package.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture
def built(tmp_path: Path) -> Path:
    write_static(tmp_path / "page", npm_package(tmp_path / "runtime.tgz"), load_plugins())
    return tmp_path / "page"


def test_it_has_all_that_the_page_loads(built: Path) -> None:
    static = built / "static"
    names = {path.name for path in static.iterdir()}
    html = (built / "index.html").read_text()
    assert "never leaves this device" in html
    assert "connect-src 'self'" in html
    for text in (html, *(path.read_text() for path in static.glob("*.js"))):
        for line in text.split("\n"):
            for quoted in line.split('"')[1::2]:
                if quoted.startswith(("./", "static/")) and not quoted.endswith("/"):
                    assert quoted.rpartition("/")[2] in names, quoted
    needed = {"model.onnx", "card.json", "colours.json", "worker.js"}
    assert needed | {Path(name).name for name in RUNTIME if "webgpu" not in name} <= names
    assert "ort.webgpu.min.mjs" not in names
    assert "/api/" not in (static / "backend.js").read_text()
    card = json.loads((static / "card.json").read_text())
    assert card["stems"] == ["vocals", "accompaniment"]
    assert (static / "model.onnx").stat().st_size > 1_000_000


def test_both_backends_offer_the_same(built: Path) -> None:
    ours = files("stemdock_web").joinpath("page", "backend.js").read_text()
    local = (built / "static" / "backend.js").read_text()
    pattern = r"^export (?:async )?(?:function|const) (\w+)"
    offered = set(re.findall(pattern, local, re.MULTILINE))
    assert offered == set(re.findall(pattern, ours, re.MULTILINE))
    modules = "\n".join(path.read_text() for path in (built / "static").glob("*.js"))
    used = re.findall(r'import \{ (.*) \} from "./backend.js"', modules)
    assert offered == {name.split(" as ")[0] for names in used for name in names.split(", ")}


def test_an_existing_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    with pytest.raises(OutputError, match="already exists") as caught:
        write_static(tmp_path / "page", npm_package(tmp_path / "runtime.tgz"), load_plugins())
    # The command has no --overwrite.
    assert caught.value.remedy == "Delete it to write the page again, or name another folder."


@pytest.mark.parametrize(
    ("name", "members"),
    [("left-pad", RUNTIME), ("onnxruntime-web", {}), ("onnxruntime-web", {"dist/ort.wasm.min.mjs": b"x"})],
)
def test_another_package_is_refused_and_nothing_is_left(
    tmp_path: Path, name: str, members: dict[str, bytes]
) -> None:
    package = npm_package(tmp_path / "runtime.tgz", name, members)
    with pytest.raises(RuntimePackageError, match=r"runtime\.tgz: is not"):
        write_static(tmp_path / "page", package, load_plugins())
    assert list(tmp_path.iterdir()) == [package]


def test_damaged_packages_are_refused(tmp_path: Path) -> None:
    package = tmp_path / "runtime.tgz"
    package.write_bytes(b"not an archive")
    with pytest.raises(RuntimePackageError):
        write_static(tmp_path / "page", package, load_plugins())
    with pytest.raises(RuntimePackageError):
        write_static(tmp_path / "page", tmp_path / "missing.tgz", load_plugins())


def test_the_command_prints_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = npm_package(tmp_path / "runtime.tgz")
    assert run(["web", "--static", str(tmp_path / "page"), "--runtime", str(package)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'page'}\n"
    assert run(["web", "--static", str(tmp_path / "other")]) == 2
    assert "npm pack onnxruntime-web" in capsys.readouterr().err


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs a script beside the page's modules, and gives what it prints as JSON."""
    program = shutil.which("node")
    if not program:
        pytest.skip("node, which runs the page's modules without a browser, is not installed")
    folder = tmp_path_factory.mktemp("modules")
    for part in (("stemdock_web", "page", "local"), ("stemdock", "preview")):
        for entry in files(part[0]).joinpath(*part[1:]).iterdir():
            if entry.name.endswith(".js"):
                (folder / entry.name).write_bytes(entry.read_bytes())
    (folder / "package.json").write_text('{"type": "module"}')

    def run_script(script: str, **arrays: NDArray[Any]) -> Any:
        for name, array in arrays.items():
            array.tofile(folder / name)
        (folder / "script.js").write_text(PRELUDE + script)
        done = subprocess.run([program, "script.js"], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run_script


PRELUDE = """
    import { readFileSync, writeFileSync } from "node:fs";
    const floats = (name) => {
      const file = readFileSync(name);
      return new Float32Array(file.buffer, file.byteOffset, file.length / 4);
    };
"""
SEPARATE = """
    import { Engine } from "./engine.js";
    const samples = floats("mixture");
    const length = samples.length / 2;
    const card = { nFrames: 64, nBins: 64, frameLength: 256, extension: EXTENSION, stems: ["low", "high"] };
    const estimate = async (magnitude) => {
      // As SmallSession.
      const means = [0, 0];
      magnitude.forEach((value, i) => (means[i % 2] += value / (magnitude.length / 2)));
      const high = magnitude.map((value, i) => {
        const slope = (Math.floor(i / 2) % card.nBins) / (card.nBins - 1);
        return value * Math.min(1, Math.max(0, (slope * value) / (means[i % 2] + 1e-3)));
      });
      return [magnitude.map((value, i) => value - high[i]), high];
    };
    const parts = [[[], []], [[], []]];
    const [left, right] = [samples.subarray(0, length), samples.subarray(length)];
    for await (const stems of new Engine(card, estimate).separate(left, right)) {
      stems.forEach((channels, s) => channels.forEach((values, c) => parts[s][c].push(...values)));
    }
    console.log(JSON.stringify(parts));
"""


@pytest.mark.parametrize("extension", ["average", "zeros"])
@pytest.mark.parametrize("length", [100, 4096, 9001])
def test_its_engine_gives_the_stems_of_ours(node: Any, extension: str, length: int) -> None:
    mixture = np.random.default_rng(1).uniform(-0.5, 0.5, (length, 2)).astype(np.float32)
    stems = np.array(node(SEPARATE.replace("EXTENSION", json.dumps(extension)), mixture=mixture.T.copy()))
    card = small_card(mask_extension=extension)
    engine = make_engine(card, SmallSession(card), mwf=False)
    expected = np.concatenate(list(engine.separate([mixture], lambda _: None)), axis=1).transpose(0, 2, 1)
    assert stems.shape == expected.shape
    error = np.sum((stems - expected) ** 2) / np.sum(expected**2)
    assert 10 * np.log10(error) < -100


def test_its_pictures_are_those_of_ours(node: Any) -> None:
    time = np.arange(40_000) / 44100
    samples = np.random.default_rng(1).uniform(-0.01, 0.01, (len(time), 2)).astype(np.float32)
    samples[:, 0] += 0.4 * np.sin(2 * np.pi * 440 * time).astype(np.float32)
    script = """
        import { GrowingPicture } from "./growing.js";
        const samples = floats("samples");
        const [left, right] = [samples.subarray(0, samples.length / 2), samples.subarray(samples.length / 2)];
        const picture = new GrowingPicture(44100);
        const cut = 12345;
        const parts = [picture.add(left.subarray(0, cut), right.subarray(0, cut)),
          picture.add(left.subarray(cut), right.subarray(cut)), picture.finish()];
        console.log(JSON.stringify(parts.flatMap((part) => [...part])));
    """
    columns = np.array(node(script, samples=samples.T.copy())).reshape(-1, 130)
    picture = GrowingPicture(44100)
    expected = np.concatenate([picture.add(samples), picture.finish()]).astype(int)
    assert columns.shape == expected.shape
    assert np.abs(columns - expected).max() <= 1  # rounding


def test_its_mixes_are_those_of_the_server(node: Any) -> None:
    frames = np.random.default_rng(2).uniform(-0.3, 0.3, (300_000, 2, 2)).astype(np.float32)
    script = """
        import { exportedWav } from "./exporting.js";
        const live = new Blob([floats("frames")]);
        const mix = { a: { gain: 0.5, pan: 0.25 }, b: { gain: 1.5, pan: -1 } };
        const shown = { length: 300000, sampleRate: 44100 };
        const { signal } = new AbortController();
        const file = await exportedWav(live, ["a", "b"], { stem: null, mix }, shown, () => {}, signal);
        writeFileSync("mix.wav", Buffer.from(await file.arrayBuffer()));
        console.log(JSON.stringify(readFileSync("mix.wav").toString("base64")));
    """
    mix, sample_rate = soundfile.read(io.BytesIO(base64.b64decode(node(script, frames=frames))))
    expected = panned(frames[:, 0], 20 * np.log10(0.5), 0.25) + panned(frames[:, 1], 20 * np.log10(1.5), -1)
    assert sample_rate == 44100
    assert np.abs(mix - expected).max() < 1e-6


IN_A_PAGE = """
    // What a browser has, with the worker in the same thread and a network that halves the mixture.
    writeFileSync("ort.wasm.min.mjs", `
      export const env = { wasm: {} };
      export class Tensor { constructor(type, data, shape) { Object.assign(this, { data, shape }); } }
      export const InferenceSession = {
        create: async () => ({
          run: async ({ magnitudes }) => {
            if (globalThis.isBroken) throw new Error("no memory");
            const data = magnitudes.data.map((value) => value / 2);
            return { vocals: { data }, accompaniment: { data } };
          },
        }),
      };
    `);
    const card = {
      name: "small", stems: ["vocals", "accompaniment"], sampleRate: 8000, bandwidth: 2000, licence: "",
      input: "magnitudes", frameLength: 256, nFrames: 64, nBins: 64, extension: "average",
      columnLength: 256, edges: Array(129).fill(1),
    };
    const answers = { "static/card.json": card, "static/colours.json": "00ff00" };
    globalThis.fetch = async (address) => ({
      ok: true, json: async () => answers[address], arrayBuffer: async () => new ArrayBuffer(8),
    });
    const samples = floats("mixture");
    const channels = [samples.subarray(0, samples.length / 2), samples.subarray(samples.length / 2)];
    let nRefused = 0; // bytes of the file that cannot be decoded
    globalThis.OfflineAudioContext = class {
      async decodeAudioData(bytes) {
        if (bytes.byteLength === nRefused) throw new Error("nothing");
        return { numberOfChannels: 2, getChannelData: (number) => channels[number] };
      }
    };
    globalThis.self = globalThis;
    globalThis.onmessage = null;
    const threads = [];
    globalThis.Worker = class {
      constructor() {
        threads.push(this);
        globalThis.postMessage = (data) => queueMicrotask(() => this.onmessage({ data }));
        this.ready = import("./worker.js");
      }
      async postMessage(data) {
        await this.ready;
        if (!this.isOver) globalThis.onmessage({ data });
      }
      terminate() {
        this.isOver = true;
      }
    };
    const backend = await import("./backend.js");
    const offered = await backend.connect();
    let songs = [];
    backend.listen((news) => (songs = news.map((song) => ({ ...song }))));
    const until = async (condition) => {
      while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    const signal = new AbortController().signal;
    const add = (name, content, stems) => backend.add(new File([content], name), "small", stems, signal);
    const state = (id) => songs.find((song) => song.id === id)?.state;
"""
USE = """
    const first = await add("First.song.wav", "sound", ["vocals", "accompaniment"]);
    const second = await add("second.wav", "sound", ["accompaniment"]);
    const empty = await add("empty.wav", "", ["vocals"]);
    const gone = await add("gone.wav", "sound", ["vocals"]);
    await backend.remove(gone);
    await until(() => state(empty) === "failed");
    const shown = songs;
    const frames = await backend.samples(first, 10, 20);
    const rest = await backend.samples(second, 0, channels[0].length);
    const columns = await backend.columns(first, 1, 3);
    const order = { choice: "wav", stem: null, mix: { vocals: { gain: 0.5, pan: 0 } } };
    const seen = [];
    const exported = await backend.exported(first, order, (fraction) => seen.push(fraction), signal);
    const stopped = new AbortController();
    const stop = () => stopped.abort();
    const reason = await backend.exported(first, order, stop, stopped.signal).catch((error) => error.name);
    nRefused = -1;
    await backend.retry(empty);
    await until(() => state(empty) === "done");
    const third = await add("third.wav", "sound", ["vocals"]);
    await until(() => state(third) === "separating");
    await backend.remove(third);
    const fourth = await add("fourth.wav", "sound", ["vocals"]);
    await until(() => state(fourth) === "done");
    console.log(JSON.stringify({
      shown, frames: [...frames], rest: [...rest], nColumns: columns.length, offered, exported, seen, reason,
    }));
"""


def test_its_backend_separates_songs_as_the_page_expects(node: Any) -> None:
    mixture = np.random.default_rng(1).uniform(-0.5, 0.5, (20_000, 2)).astype(np.float32)
    found = node(IN_A_PAGE + USE, mixture=mixture.T.copy())
    first, second, empty = found["shown"]
    assert [song["state"] for song in (first, second, empty)] == ["done", "done", "failed"]
    assert "empty.wav" in empty["text"]
    assert (first["stems"], second["stems"]) == (
        ["vocals", "accompaniment"],
        ["accompaniment", "everything else"],
    )
    assert (first["length"], first["duration"], first["sampleRate"]) == (20_000, 2.5, 8000)
    # The network halves the mixture, so each stem is half of it, and so is the rest.
    expected = np.concatenate([mixture, mixture], axis=1) / 2
    assert np.array(found["frames"]).reshape(-1, 4) == pytest.approx(expected[10:20], abs=1e-6)
    assert np.array(found["rest"]).reshape(-1, 4) == pytest.approx(expected, abs=1e-6)
    assert found["nColumns"] == 2 * 2 * 130
    assert (found["exported"]["name"], found["exported"]["notes"]) == ("First.song (mix).wav", [])
    assert (found["seen"][-1], found["reason"]) == (1, "AbortError")
    assert [model["name"] for model in found["offered"]["models"]] == ["small"]


def test_it_folds_surround_sound_as_ours(node: Any) -> None:
    script = """
        import { foldOf } from "./folding.js";
        console.log(JSON.stringify(Array.from({ length: 10 }, (_, nChannels) => foldOf(nChannels))));
    """
    folds = node(script)
    assert folds[1] == [[1, 1]]
    for n_channels in range(3, 9):
        expected = full_downmix(usual_speakers(n_channels, ogg=False)).matrix
        assert np.array(folds[n_channels]) == pytest.approx(np.array(expected))
    assert folds[2] == [[1, 0], [0, 1]]
    assert folds[9] is None


SURROUND = """
    const every = floats("all");
    const all = Array.from({ length: 9 }, (_, i) => every.subarray(20000 * i, 20000 * (i + 1)));
    let numberOfChannels;
    globalThis.OfflineAudioContext = class {
      decodeAudioData = async () => ({ numberOfChannels, getChannelData: (number) => all[number] });
    };
    const parts = [];
    for (numberOfChannels of [1, 6]) {
      const id = await add("surround.wav", "sound", ["vocals"]);
      await until(() => state(id) === "done");
      parts.push([...(await backend.samples(id, 0, 20000))]);
    }
    numberOfChannels = 9;
    const strange = await add("strange.wav", "sound", ["vocals"]);
    await until(() => ["failed", "done"].includes(state(strange)));
    console.log(JSON.stringify({ parts, text: songs.at(-1).text }));
"""


def test_all_channels_of_surround_sound_are_separated(node: Any) -> None:
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, (20_000, 9)).astype(np.float32)
    found = node(IN_A_PAGE + SURROUND, mixture=samples[:, :2].T.copy(), all=samples.T.copy())
    mono, surround = (np.array(part).reshape(-1, 2, 2).sum(axis=1) for part in found["parts"])
    # The parts add up to what was separated.
    assert mono == pytest.approx(samples[:, [0, 0]], abs=1e-6)
    matrix = np.array(full_downmix(usual_speakers(6, ogg=False)).matrix)
    assert surround == pytest.approx(samples[:, :6] @ matrix, abs=1e-6)
    assert found["text"].startswith("strange.wav: it has 9 channels")


BREAK = """
    globalThis.isBroken = true;
    const song = await add("A song.wav", "sound", ["vocals"]);
    await until(() => state(song) === "failed");
    const [{ text }] = songs;
    globalThis.isBroken = false;
    await backend.retry(song);
    await until(() => state(song) === "done");
    console.log(JSON.stringify({ text, threads: threads.map((thread) => Boolean(thread.isOver)) }));
"""


def test_a_thread_that_fails_is_replaced(node: Any) -> None:
    mixture = np.random.default_rng(1).uniform(-0.5, 0.5, (20_000, 2)).astype(np.float32)
    found = node(IN_A_PAGE + BREAK, mixture=mixture.T.copy())
    assert found == {"text": "A song.wav: no memory", "threads": [True, False]}

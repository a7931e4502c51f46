"""Files that are no weights are told for what they are, whatever their name says."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archdsl.weights.error import WeightsError
from archdsl.weights.file import open_weights


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, b"\x80\x02}.")
    return content.getvalue()


FOREIGN: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "page": (b"\n <!DOCTYPE html><html></html>", "is a web page"),
    "page with a mark": (b"\xef\xbb\xbf<html lang=en>", "is a web page"),
    "an error of a store": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "is a web page"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "pointer of Git LFS"),
    "onnx": (b"\x08\x0a\x12\x07pytorch\x1a\x052.1.0:\x00", "is an ONNX model"),
    "hdf5": (b"\x89HDF\r\n\x1a\n\x00", "is an HDF5 file"),
    "tflite": (b"\x1c\x00\x00\x00TFL3", "is a TensorFlow Lite model"),
    "saved model": (b"\x08\x01\x12\xa4\x03\x0a\x10", "is the graph of a TensorFlow SavedModel"),
    "core ml": (b"\x08\x05\x12\x3a\x0a\x10\x0a\x05image", "is a Core ML model"),
    "core ml, longer": (b"\x08\x05\x12\xba\x01\x0a\x10\x0a\x05image", "is a Core ML model"),
    "executorch": (b"\x1c\x00\x00\x00ET12", "is an ExecuTorch program"),
    "ggml": (b"lmgg\x03\x00\x00\x00", "GGUF file, or one of the formats before"),
    "matlab": (b"MATLAB 5.0 MAT-file, Platform", "is a file of MATLAB"),
    "darknet": (b"\0\0\0\0\x02\0\0\0\x05\0\0\0\0\x12", "is a file of Darknet"),
    "flax": (b"\x81\xa6params\x82\xa5Dense", "is a msgpack file"),
    "openvino": (b'<?xml version="1.0"?>\n<net name="a" version="10">', "is the graph of an OpenVINO model"),
    "zeros": (bytes(4096), "nothing but zeros"),
    "picture": (b"\x89PNG\r\n\x1a\n", "is a picture"),
    "list of tensorflow": (b'model_checkpoint_path: "model.ckpt-9"', "TensorFlow checkpoint"),
    "tar": (b"a.txt".ljust(257, b"\0") + b"ustar\x0000", "is an archive"),
    "old tar": (b"sys_info".ljust(257, b"\0") + b"ustar\x0000", "as PyTorch wrote before"),
    "pickle": (pickle.dumps({"a": 1}, 2), "is a pickle that `torch.save` did not write"),
    "newer pickle": (pickle.dumps({"a": list(range(99))}, 5), "is a pickle that `torch.save` did not write"),
    "text": (b"404: Not Found\n", "a text that begins with `404: Not Found`"),
    "bytes": (b"\xfe\xed\xfa\xce" * 9, "begins with fe ed fa ce"),
    "gguf": (b"GGUF\x03\x00\x00\x00", "is a GGUF file"),
    "npy": (b"\x93NUMPY\x01\x00", "is a single NumPy array"),
    "gzip": (b"\x1f\x8b\x08\x00", "or compressed"),
    "json": (b'{"a": 1}', "is JSON"),
    "script": (archive("w/data.pkl", "w/constants.pkl", "w/code/x.py"), "is a TorchScript archive"),
    "exported": (archive("w/archive_format", "w/models/model.json", "w/data/weights/data.pkl"), "of torch.export"),
    "keras": (archive("metadata.json", "config.json", "model.weights.h5"), "is a Keras model"),
    "npz": (archive("a.npy", "b.npy"), "archive of NumPy arrays"),
    "archive": (archive("readme.txt"), "`torch.save` did not write"),
    "cut": (archive("w/data.pkl", "w/data/0")[:-30], "is cut short"),
}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ""])
@pytest.mark.parametrize("kind", FOREIGN)
def test_a_file_is_told_for_what_it_is(kind: str, suffix: str, tmp_path: Path) -> None:
    content, message = FOREIGN[kind]
    path = tmp_path / f"w{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=message) as caught:
        open_weights(path)
    assert (caught.value.code, "\n" in caught.value.message, bool(caught.value.help)) == ("E301", False, True)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("model.ckpt-9.data-00000-of-00001", "a part of a TensorFlow checkpoint"),
        ("model.ckpt.index", "a part of a TensorFlow checkpoint"),
        ("net.caffemodel", "a Caffe model"),
        ("frozen.pb", "a TensorFlow graph"),
    ],
)
def test_a_file_whose_beginning_says_nothing_is_told_by_its_name(name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\xfe\xed\xfa\xce" * 9)
    with pytest.raises(WeightsError, match=f"is {kind}"):
        open_weights(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("saved_model.pb", "TensorFlow SavedModel"),
        (".metadata", "distributed checkpoint of PyTorch"),
        ("_CHECKPOINT_METADATA", "checkpoint of Orbax"),
        ("Manifest.json", "Core ML package"),
    ],
)
def test_a_folder_of_another_kind_is_told_for_what_it_is(name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    with pytest.raises(WeightsError, match=kind) as caught:
        open_weights(tmp_path)
    assert caught.value.help


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("kind", ["script", "onnx", "export"])
def test_what_torch_itself_writes_for_others_is_told(kind: str, tmp_path: Path) -> None:
    import torch

    layer, example = torch.nn.Linear(2, 2), (torch.zeros(1, 2),)
    path = tmp_path / "w.pth"

    def export() -> None:
        torch.export.save(torch.export.export(layer, example), path)

    def to_onnx() -> None:
        onnx = pytest.importorskip("onnx")
        node = onnx.helper.make_node("Relu", ["x"], ["y"])
        values = [onnx.helper.make_tensor_value_info(name, 1, [2]) for name in "xy"]
        onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", values[:1], values[1:])), str(path))

    makers: dict[str, Callable[[], None]] = {
        "script": lambda: torch.jit.save(torch.jit.trace(layer, example), str(path)),
        "onnx": to_onnx,
        "export": export,
    }
    makers[kind]()
    with pytest.raises(WeightsError, match={"script": "TorchScript", "onnx": "ONNX", "export": "torch.export"}[kind]):
        open_weights(path)

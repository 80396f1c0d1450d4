"""Models as ONNX, for other programs to run: written only.

Inputs: `ids`, int64 (batch, sequence); `h` and `c`, float32 (n_layers, batch, n_hidden), zeros before the first
character. Outputs: `logits`, float32 (batch, sequence, tokens), at t of the character after ids[:, t]; `h_out` and
`c_out`, the state to go on from. Batch and sequence are of any size.
"""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from charrnn_tui.checkpoint.checkpoint import Checkpoint
from charrnn_tui.checkpoint.safetensors_file import metadata_of

if TYPE_CHECKING:  # an extra: imported where a model is written
    from onnx import NodeProto

OPSET: Final = 17  # of 2022: LSTM is there since 14, and runtimes of any age know it
IR_VERSION: Final = 8


def onnx_model(checkpoint: Checkpoint) -> bytes:
    """The contents of an ONNX file: the model with its weights as float32, its alphabet and facts in the metadata.

    The metadata are those of a .safetensors file: `tokens` is a JSON list of the characters in the order of their ids.
    Raises ImportError without the package onnx.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    V, H, L = len(checkpoint.vocabulary), checkpoint.n_hidden, checkpoint.n_layers
    constants: list[TensorProto] = []
    nodes: list[NodeProto] = []

    def constant(name: str, values: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(kind: str, inputs: list[str], *outputs: str, **attributes: Any) -> None:
        nodes.append(helper.make_node(kind, inputs, list(outputs), name=outputs[0], **attributes))

    weights = {name: tensor.astype(np.float32) for name, tensor in checkpoint.weights.items()}
    layers = constant("layers", np.ones(L, np.int64))
    node(
        "OneHot",
        ["ids", constant("tokens", np.array(V, np.int64)), constant("off_on", np.array([0, 1], np.float32))],
        "one_hot",
    )
    node("Transpose", ["one_hot"], "x_0", perm=[1, 0, 2])  # (T, B, V)
    for state in ("h", "c"):  # each (1, B, H)
        node("Split", [state, layers], *(f"{state}_{k}" for k in range(L)), axis=0)
    for k in range(L):
        w, r = (_gates(weights[f"lstm.weight_{part}_l{k}"])[np.newaxis] for part in ("ih", "hh"))  # (1, 4H, V or H)
        b = np.concatenate([_gates(weights[f"lstm.bias_{part}_l{k}"]) for part in ("ih", "hh")])[np.newaxis]  # (1, 8H)
        arrays = [constant(f"{name}_{k}", array) for name, array in (("W", w), ("R", r), ("B", b))]
        # (T, 1, B, H), (1, B, H), (1, B, H); the empty name: all sequences are of the same length
        outputs = f"y_{k}", f"h_out_{k}", f"c_out_{k}"
        node("LSTM", [f"x_{k}", *arrays, "", f"h_{k}", f"c_{k}"], *outputs, hidden_size=H)
        node("Squeeze", [f"y_{k}", constant(f"direction_{k}", np.array([1], np.int64))], f"x_{k + 1}")  # (T, B, H)
    for state in ("h", "c"):
        node("Concat", [f"{state}_out_{k}" for k in range(L)], f"{state}_out", axis=0)
    node("MatMul", [f"x_{L}", constant("fc_weight", weights["fc.weight"].T)], "products")
    node("Add", ["products", constant("fc_bias", weights["fc.bias"])], "logits_by_time")  # (T, B, V)
    node("Transpose", ["logits_by_time"], "logits", perm=[1, 0, 2])
    shapes: dict[str, list[int | str]] = {"ids": ["batch", "sequence"], "logits": ["batch", "sequence", V]}

    def value(name: str) -> Any:
        kind = TensorProto.INT64 if name == "ids" else TensorProto.FLOAT
        return helper.make_tensor_value_info(name, kind, shapes.get(name, [L, "batch", H]))

    inputs, results = map(value, ("ids", "h", "c")), map(value, ("logits", "h_out", "c_out"))
    graph = helper.make_graph(nodes, "CharRNN", list(inputs), list(results), constants)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="charrnn-tui",
        doc_string=__doc__,
    )
    helper.set_model_props(model, metadata_of(checkpoint))
    checker.check_model(model)
    return bytes(model.SerializeToString())


def _gates(tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """(4H, …) in torch's order i, f, g, o to ONNX's i, o, f, c, where c is g."""
    i, f, g, o = np.split(tensor, 4)
    return np.concatenate([i, o, f, g])

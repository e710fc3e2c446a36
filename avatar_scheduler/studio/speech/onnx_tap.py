"""ONNX models: opened, run, and an inner tensor shown as one more output, without the onnx package.

Protobuf messages merge when their bytes are joined, so a ModelProto that holds nothing but a graph output is appended.
"""

from pathlib import Path
from typing import Any

_MODEL_GRAPH = 7
_GRAPH_OUTPUT = 12
_VALUE_INFO_NAME = 1
_LENGTH_DELIMITED = 2


def tap(model: bytes, tensor: str) -> bytes:
    return model + tail(tensor)


def tail(tensor: str) -> bytes:
    """What to append to a model."""
    value_info = _field(_VALUE_INFO_NAME, tensor.encode())
    return _field(_MODEL_GRAPH, _field(_GRAPH_OUTPUT, value_info))


def session(model: bytes | Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Measured: a second thread makes it slower. Work is spread over jobs instead.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def failures() -> tuple[type[Exception], ...]:
    """What opening a file that is no model can raise; the library gives its errors no common name."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    kinds = (kind for kind in vars(state).values() if isinstance(kind, type))
    return tuple(kind for kind in kinds if issubclass(kind, Exception))


def run(model: Any, outputs: list[str] | None, given: dict[str, Any]) -> Any:
    """Gives its working memory back at once: the pictures that follow need it more, and it costs no time."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return model.run(outputs, given, options)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)

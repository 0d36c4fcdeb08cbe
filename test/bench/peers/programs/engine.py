"""The benchmark's model in onnxruntime, with the session options of Layercache's own engine; what to open stands in the environment."""

import os

import numpy
import onnxruntime

WORKERS = int(os.environ["ENGINE_WORKERS"])
PORT = int(os.environ["PORT"])
# Of one row, without the batch axis.
ROW_SHAPE = [int(extent) for extent in os.environ["ROW_SHAPE"].split(",")]


def open_session() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["ENGINE_THREADS"])
    options.inter_op_num_threads = 1
    # Callers and server share the cores: a thread that spins would take one from them.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        os.environ["MODEL"], options, providers=["CPUExecutionProvider"]
    )


def run(session: onnxruntime.InferenceSession, rows: numpy.ndarray) -> numpy.ndarray:
    return session.run(["logits"], {"image": rows})[0]


def row_from_bytes(body) -> numpy.ndarray:
    """One row of float32, least significant byte first."""
    return numpy.frombuffer(body, dtype="<f4").reshape(1, *ROW_SHAPE)

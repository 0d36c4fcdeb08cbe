"""Speaks to a server with NVIDIA's own client and prints what it saw as one JSON document. Arguments: host:port, model, folder of pictures."""

import json
import pathlib
import sys

import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

url, model, pictures = sys.argv[1:]
client = triton.InferenceServerClient(url, concurrency=4)
rows = np.arange(2 * 3 * 16 * 16, dtype=np.float32).reshape(2, 3, 16, 16) / 1000


def ask(values, datatype, binary_in=True, binary_out=True, **more):
    tensor = triton.InferInput("input", list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary_in)
    output = triton.InferRequestedOutput("logits", binary_data=binary_out)
    return client.infer(model, [tensor], outputs=[output], **more)


def scores(answer):
    return answer.as_numpy("logits").tolist()


def refused(call):
    try:
        call()
    except InferenceServerException as error:
        return [error.status(), error.message()]
    return None


def many():
    calls = []
    for _ in range(8):
        tensor = triton.InferInput("input", list(rows.shape), "FP32")
        tensor.set_data_from_numpy(rows)
        calls.append(client.async_infer(model, [tensor]))
    return [scores(call.get_result()) for call in calls]


named = ask(rows, "FP32", request_id="triton-1", model_version="1")
files = [pathlib.Path(pictures, name).read_bytes() for name in ("a.png", "b.png")]
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "model_ready": client.is_model_ready(model),
            "version_ready": client.is_model_ready(model, "1"),
            "other_ready": client.is_model_ready("other"),
            "server": client.get_server_metadata(),
            "model": client.get_model_metadata(model),
            "id": named.get_response()["id"],
            "exit": named.get_response()["parameters"]["layercache_exit"],
            "binary": scores(named),
            "json": scores(ask(rows, "FP32", binary_in=False, binary_out=False)),
            "mixed": [
                scores(ask(rows, "FP32", binary_in=False)),
                scores(ask(rows, "FP32", binary_out=False)),
            ],
            "halves": scores(ask(rows.astype(np.float16), "FP16")),
            "doubles": scores(ask(rows.astype(np.float64), "FP64")),
            "backbone": ask(rows, "FP32", parameters={"layercache_mode": "backbone"})
            .get_response()["parameters"]["layercache_exit"],
            "compressed": [
                scores(ask(rows, "FP32", request_compression_algorithm=name))
                for name in ("gzip", "deflate")
            ],
            "many": many(),
            "pictures": scores(ask(np.array(files, dtype=np.object_), "BYTES")),
            "errors": {
                "model": refused(lambda: client.get_model_metadata("other")),
                "version": refused(lambda: client.get_model_metadata(model, "7")),
                "shape": refused(lambda: ask(rows[:, :2], "FP32")),
                "datatype": refused(lambda: ask(rows.astype(np.int64), "INT64")),
                "mode": refused(
                    lambda: ask(rows, "FP32", parameters={"layercache_mode": "fast"})
                ),
            },
        }
    )
)

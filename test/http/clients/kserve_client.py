"""Speaks to a server with KServe's own client, both protocols, and prints what it saw as one JSON document. Arguments: base URL, model."""

import asyncio
import json
import sys

import httpx
import numpy as np
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

base, model = sys.argv[1:]
rows = np.arange(2 * 3 * 16 * 16, dtype=np.float32).reshape(2, 3, 16, 16) / 1000


def request(binary, datatype="FP32", values=rows, more=None):
    tensor = InferInput("input", list(values.shape), datatype)
    tensor.set_data_from_numpy(values, binary_data=binary)
    return InferRequest(
        model, [tensor], request_id="kserve-1", parameters={"binary_data_output": binary, **(more or {})}
    )


async def refused(call):
    try:
        await call
    except httpx.HTTPStatusError as error:
        return [error.response.status_code, str(error)]
    return None


async def second():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    headers = {}
    answers = {
        name: await client.infer(base, request(binary), model_name=model, response_headers=headers)
        for name, binary in (("json", False), ("binary", True))
    }
    return {
        "live": await client.is_server_live(base),
        "ready": await client.is_server_ready(base),
        "model_ready": await client.is_model_ready(base, model),
        "id": answers["json"].id,
        "exit_header": headers["layercache-exit"],
        "exit": answers["json"].parameters["layercache_exit"],
        **{name: answer.outputs[0].as_numpy().tolist() for name, answer in answers.items()},
        "errors": {
            "model": await refused(client.infer(base, request(False), model_name="other")),
            "shape": await refused(
                client.infer(base, request(True, values=rows[:, :2]), model_name=model)
            ),
            "mode": await refused(
                client.infer(base, request(False, more={"layercache_mode": "fast"}), model_name=model)
            ),
        },
    }


async def first():
    client = InferenceRESTClient(RESTConfig(protocol="v1"))
    headers = {}
    instances = rows.tolist()
    predicted = await client.infer(
        base, {"instances": instances}, model_name=model, response_headers=headers
    )
    columns = await client.infer(base, {"inputs": {"input": instances}}, model_name=model)
    return {
        "live": await client.is_server_live(base),
        "model_ready": await client.is_model_ready(base, model),
        "predictions": predicted["predictions"],
        "outputs": columns["outputs"],
        "exit_header": headers["layercache-exit"],
        "errors": {
            "model": await refused(client.is_model_ready(base, "other")),
            "rows": await refused(client.infer(base, {"instances": [1]}, model_name=model)),
            "explain": await refused(client.explain(base, model, {"instances": instances})),
        },
    }


async def main():
    print(json.dumps({"v2": await second(), "v1": await first()}))


asyncio.run(main())

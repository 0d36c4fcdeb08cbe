"""Ray Serve: a deployment of replicas that read the request's bytes."""

import os
import threading

import ray
from engine import PORT, WORKERS, open_session, row_from_bytes, run
from ray import serve
from starlette.requests import Request
from starlette.responses import Response


@serve.deployment(num_replicas=WORKERS, ray_actor_options={"num_cpus": 1})
class Onnx:
    def __init__(self):
        self.session = open_session()

    async def __call__(self, request: Request) -> Response:
        if request.method == "GET":
            return Response()
        logits = run(self.session, row_from_bytes(await request.body()))
        return Response(logits.tobytes(), media_type="application/octet-stream")


if __name__ == "__main__":
    ray.init(
        num_cpus=WORKERS,
        include_dashboard=False,
        object_store_memory=100 * 2**20,
        _temp_dir=os.environ["TMPDIR"],
        log_to_driver=False,
    )
    serve.start(
        http_options={"host": "127.0.0.1", "port": PORT},
        # A line per request would be much of what is measured.
        logging_config={"enable_access_log": False, "log_level": "ERROR"},
    )
    serve.run(Onnx.bind(), route_prefix="/infer")
    threading.Event().wait()

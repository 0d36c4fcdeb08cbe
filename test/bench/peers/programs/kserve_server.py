"""The benchmark's ONNX file behind KServe's Python server: kserve_server.py MODEL PORT"""

import logging
import os
import sys

import kserve
import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse
from kserve.utils.utils import generate_uuid


class OnnxModel(kserve.Model):
    def __init__(self, name: str, path: str):
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["ENGINE_THREADS"])
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"]
        )
        self.ready = True

    def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        tensor = payload.inputs[0]
        logits = self.session.run(["logits"], {tensor.name: tensor.as_numpy()})[0]
        output = InferOutput(name="logits", shape=list(logits.shape), datatype="FP32")
        output.set_data_from_numpy(logits, binary_data=payload.use_binary_outputs)
        return InferResponse(
            response_id=payload.id or generate_uuid(),
            model_name=self.name,
            infer_outputs=[output],
            use_binary_outputs=payload.use_binary_outputs,
        )


if __name__ == "__main__":
    server = kserve.ModelServer(
        http_port=int(sys.argv[2]),
        enable_grpc=False,
        enable_latency_logging=False,
        workers=1,
    )
    # A line per request would be most of what is measured.
    logging.disable(logging.INFO)
    server.start([OnnxModel("bench", sys.argv[1])])

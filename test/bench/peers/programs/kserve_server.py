"""KServe's Python server: a custom model (Open Inference Protocol v2, binary tensors)."""

import logging

import kserve
from engine import PORT, WORKERS, open_session, run
from kserve import InferOutput, InferRequest, InferResponse
from kserve.utils.utils import generate_uuid


class OnnxModel(kserve.Model):
    def load(self) -> bool:
        self.session = open_session()
        self.ready = True
        return True

    def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        logits = run(self.session, payload.inputs[0].as_numpy())
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
        http_port=PORT, enable_grpc=False, enable_latency_logging=False, workers=WORKERS
    )
    # A line per request would be most of what is measured.
    logging.disable(logging.INFO)
    model = OnnxModel("bench")
    model.load()
    server.start([model])

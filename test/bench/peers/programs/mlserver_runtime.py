"""MLServer: a custom runtime that decodes, runs and encodes (Open Inference Protocol v2 in JSON: it has no binary tensors)."""

from engine import open_session, run
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        self._session = open_session()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = self.decode(payload.inputs[0], default_codec=NumpyCodec)
        logits = run(self._session, rows.astype("float32", copy=False))
        return InferenceResponse(
            id=payload.id,
            model_name=self.name,
            outputs=[NumpyCodec.encode_output(name="logits", payload=logits)],
        )

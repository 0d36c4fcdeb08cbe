"""BentoML: a service whose argument and answer are arrays (JSON)."""

import bentoml
import numpy
from engine import WORKERS, open_session, run


@bentoml.service(workers=WORKERS, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Onnx:
    def __init__(self) -> None:
        self.session = open_session()

    @bentoml.api
    def infer(self, image: numpy.ndarray) -> numpy.ndarray:
        return run(self.session, image.astype("float32", copy=False))

"""pytriton: Triton in front of Python workers, one inference callable for each (Open Inference Protocol v2, binary tensors)."""

import numpy
from engine import PORT, ROW_SHAPE, WORKERS, open_session, run
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


def create_infer():
    session = open_session()

    @batch
    def infer(image):
        return [run(session, image)]

    return infer


# It starts processes that import this file again.
if __name__ == "__main__":
    config = TritonConfig(
        http_address="127.0.0.1", http_port=PORT, allow_grpc=False, allow_metrics=False
    )
    with Triton(config=config) as triton:
        triton.bind(
            model_name="bench",
            infer_func=[create_infer() for _ in range(WORKERS)],
            inputs=[Tensor(name="image", dtype=numpy.float32, shape=tuple(ROW_SHAPE))],
            outputs=[Tensor(name="logits", dtype=numpy.float32, shape=(-1,))],
            config=ModelConfig(max_batch_size=32),
        )
        triton.serve()

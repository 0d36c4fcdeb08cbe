"""LitServe: an API with decoding, prediction and encoding apart (JSON)."""

import litserve
import numpy
from engine import PORT, WORKERS, open_session, run


class OnnxApi(litserve.LitAPI):
    def setup(self, device):
        self.session = open_session()

    def decode_request(self, request):
        return numpy.asarray(request["input"], dtype="float32")

    def predict(self, rows):
        return run(self.session, rows)

    def encode_response(self, output):
        return {"output": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(OnnxApi(), accelerator="cpu", workers_per_device=WORKERS)
    # A line per request would be much of what is measured.
    server.run(host="127.0.0.1", port=PORT, log_level="error", generate_client_file=False)

"""TorchServe: a handler with an entry point of its own for an archive that holds the ONNX file (the bytes of a row)."""

from engine import open_session, row_from_bytes, run


class OnnxHandler:
    def initialize(self, context):
        self.session = open_session()

    def handle(self, requests, context):
        bodies = [request.get("body") or request.get("data") for request in requests]
        # Nothing is asked to learn whether a worker answers.
        return [run(self.session, row_from_bytes(body)).tobytes() if body else b"" for body in bodies]

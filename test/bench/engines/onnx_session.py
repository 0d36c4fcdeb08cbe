"""An ONNX model in an onnxruntime session of one thread. Each line "ROWS RUNS" is answered by CPU milliseconds of every run, as JSON."""

import json
import os
import sys
import time

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name
shape = [int(size) for size in sys.argv[2].split(",")]

for line in sys.stdin:
    rows, runs = map(int, line.split())
    batch = np.full([rows, *shape], 0.3, np.float32)
    took = []
    for _ in range(runs):
        start = time.process_time()
        session.run(None, {name: batch})
        took.append(1e3 * (time.process_time() - start))
    print(json.dumps(took), flush=True)

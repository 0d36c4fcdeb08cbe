"""The flat graph in a TensorFlow session of one thread. Each line "ROWS RUNS" is answered by CPU milliseconds of every run, as JSON."""

import json
import os
import sys
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

model = saved_model_pb2.SavedModel()
with open(sys.argv[1], "rb") as file:
    model.ParseFromString(file.read())
graph = tf.Graph()
with graph.as_default():
    tf.import_graph_def(model.meta_graphs[0].graph_def, name="")
config = tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
session = tf.compat.v1.Session(graph=graph, config=config)
answer = session.make_callable(sys.argv[3] + ":0", feed_list=[sys.argv[2] + ":0"])
shape = [int(size) for size in sys.argv[4].split(",")]

for line in sys.stdin:
    rows, runs = map(int, line.split())
    batch = np.full([rows, *shape], 0.3, np.float32)
    took = []
    for _ in range(runs):
        start = time.process_time()
        answer(batch)
        took.append(1e3 * (time.process_time() - start))
    print(json.dumps(took), flush=True)

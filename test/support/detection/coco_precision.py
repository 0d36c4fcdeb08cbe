"""Seeded boxes with what pycocotools says of them: `coco_precision.py > coco-precision.json` (pycocotools 2.0.11, numpy 2.4.6)."""
import contextlib
import io
import json
import random

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

CLASSES = 4
random.seed(20261126)


def a_box(class_index):
    left, top = round(random.uniform(0, 400), 2), round(random.uniform(0, 400), 2)
    width, height = round(random.uniform(8, 110), 2), round(random.uniform(8, 110), 2)
    return [left, top, left + width, top + height, class_index]


def moved(box):
    by = [random.gauss(0, random.choice([1, 4, 12])) for _ in range(4)]
    left, top, right, bottom = (round(corner + d, 2) for corner, d in zip(box, by))
    return [left, top, max(right, left + 1), max(bottom, top + 1), box[4]]


def image():
    marked = [a_box(random.randrange(CLASSES)) for _ in range(random.randrange(6))]
    found = [moved(box) for box in marked if random.random() < 0.8]
    found += [moved(box) for box in marked if random.random() < 0.2]
    found += [a_box(random.randrange(CLASSES)) for _ in range(random.randrange(3))]
    # All scores differ: the order of equal ones is nobody's business.
    return {"marked": marked, "found": [box + [round(random.random(), 6)] for box in found]}


images = [image() for _ in range(16)]


def corner_size(box):
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


truth = COCO()
annotations = [
    {"id": 1 + i, "image_id": n, "category_id": box[4], "bbox": corner_size(box), "iscrowd": 0,
     "area": corner_size(box)[2] * corner_size(box)[3]}
    for i, (n, box) in enumerate((n, box) for n, one in enumerate(images) for box in one["marked"])
]
with contextlib.redirect_stdout(io.StringIO()):
    truth.dataset = {"images": [{"id": n} for n in range(len(images))], "annotations": annotations,
                     "categories": [{"id": c} for c in range(CLASSES)]}
    truth.createIndex()
    found = truth.loadRes([
        {"image_id": n, "category_id": box[4], "bbox": corner_size(box), "score": box[5]}
        for n, one in enumerate(images) for box in one["found"]
    ])
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()

print(json.dumps({"at50": evaluation.stats[1], "mean": evaluation.stats[0], "images": images}))

// The engine `onnx` against onnxruntime in Python, on the same file: processor milliseconds per row of one thread.
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import { atMost, seen, type Figure } from '../figure.ts';
import { randomResNet, RESNET_18 } from '../models.ts';
import { ONNXRUNTIME } from '../peers/onnxruntime-package.ts';
import { writeModel } from '../served-model.ts';
import { ROW_SHAPE } from '../server/layercache-target.ts';
import { pythonEnvironment } from '../server/python-environment.ts';
import { engineRunner, measureInTurns, pythonRunner } from './runners.ts';

const SIZES = [1, 8, 32];
const RUNS = { native: 64, python: 64 };

export async function measureOnnxRuntime(): Promise<Figure[]> {
  const environment = pythonEnvironment('onnxruntime', [ONNXRUNTIME]);
  if (!environment.ok) {
    process.stdout.write(`onnxruntime is left out: ${environment.why}\n`);
    return [];
  }
  const model = writeModel(randomResNet(RESNET_18, 1));
  const python = pythonRunner(environment.python, 'onnx_session.py', [
    model.path,
    ROW_SHAPE.join(),
  ]);
  const engine = createOnnxEngine();
  try {
    const source = { path: model.path, outputName: null, digest: null };
    const native = await engineRunner(engine, source, ROW_SHAPE);
    const figures: Figure[] = [];
    for (const rows of SIZES) {
      const perRow = await measureInTurns({ native, python: python.run }, rows, RUNS);
      const place = (name: string, unit: string) => ({
        section: 'onnxruntime',
        name: `${name}, ResNet-18, ${rows} rows`,
        unit,
      });
      figures.push(
        seen(place('onnx, rows per processor second', '/s'), 1000 / perRow.native),
        atMost(place('onnx / onnxruntime in Python', ''), perRow.native / perRow.python, 1.05),
      );
    }
    return figures;
  } finally {
    python.stop();
    await engine.close();
    model.remove();
  }
}

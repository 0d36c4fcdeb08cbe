// Which engine runs a model, and why the others do not.
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { ServerState } from '../../crds/wire/state.ts';
import type { EngineSetting } from '../config.ts';
import { parseTfjsManifest } from '../core/tfjs/model-manifest.ts';
import { deviceOfProcess, enginesDir, type Device } from './config.ts';
import { EngineError } from './engine-error.ts';
import { installedTensorFlow } from './installed-tensorflow.ts';
import type { ModelSource } from './segment-engine.ts';

/** Engines of this build. */
export type EngineKind = 'onnx' | 'tfjs-gpu' | 'tfjs-node' | 'tfjs-wasm';

export interface SelectedEngine {
  readonly kind: EngineKind;
  readonly skipped: ServerState['engine']['skipped'];
}

interface Candidate {
  readonly engine: string;
  readonly setting: EngineSetting;
  /** Null: this build does not have it. */
  readonly kind: EngineKind | null;
  readonly reads: keyof typeof MODELS;
  readonly runsOn: readonly Device[];
}

/** By the endings of their files. */
const MODELS = {
  onnx: { endings: ['.onnx'], what: 'ONNX models (.onnx)' },
  tfjs: { endings: ['.json'], what: 'TensorFlow.js models (model.json)' },
  tensorflow: {
    endings: ['.json', '.pb'],
    what: 'graph models of TensorFlow.js (model.json) and flat SavedModels (saved_model.pb)',
  },
} as const satisfies Record<string, { endings: readonly string[]; what: string }>;

/** In the order of preference. */
const CANDIDATES: readonly Candidate[] = [
  { engine: 'onnx', setting: 'ONNX', kind: 'onnx', reads: 'onnx', runsOn: ['cpu', 'gpu'] },
  {
    engine: 'tfjs-gpu',
    setting: 'TFJSGPU',
    kind: 'tfjs-gpu',
    reads: 'tensorflow',
    runsOn: ['gpu'],
  },
  {
    engine: 'tfjs-node',
    setting: 'TFJSNode',
    kind: 'tfjs-node',
    reads: 'tensorflow',
    runsOn: ['cpu'],
  },
  { engine: 'tfjs-wasm', setting: 'TFJSWASM', kind: 'tfjs-wasm', reads: 'tfjs', runsOn: ['cpu'] },
  { engine: 'tfjs-cpu', setting: 'TFJSCPU', kind: null, reads: 'tfjs', runsOn: ['cpu'] },
];

interface EngineSurroundings {
  /** Where engines are installed that do not come with the program. */
  readonly engines: string;
  readonly device: Device;
}

/**
 * Every engine that does not run the model has its reason in `skipped`.
 * @param setting `Auto` takes the first that fits; a named engine must fit. Throws EngineError EngineUnavailable.
 */
export function selectEngine(
  setting: EngineSetting,
  { path }: ModelSource,
  surroundings: Partial<EngineSurroundings> = {},
): SelectedEngine {
  const { engines = enginesDir(), device = deviceOfProcess() } = surroundings;
  const asked: Asked = { setting, path, device };
  const reasons = CANDIDATES.map(
    (candidate) =>
      whyNot(candidate, asked) ??
      (candidate.reads === 'tensorflow' ? whyNotTensorFlow(path, engines) : null),
  );
  const chosen = CANDIDATES.find(({ kind }, index) => kind !== null && reasons[index] === null);
  if (chosen === undefined || chosen.kind === null) throw unavailable(asked, reasons);
  const skipped = CANDIDATES.flatMap(({ engine }, index) =>
    engine === chosen.engine
      ? []
      : [{ engine, reason: reasons[index] ?? `${chosen.engine} is preferred` }],
  );
  return { kind: chosen.kind, skipped };
}

/** Whether the engine of this kind, which runs here already, reads the model too. */
export function readsModel(kind: EngineKind, { path }: Pick<ModelSource, 'path'>): boolean {
  const candidate = CANDIDATES.find((one) => one.kind === kind);
  if (candidate === undefined || !hasItsEnding(candidate, path)) return false;
  return candidate.reads !== 'tensorflow' || !isLayersModel(path);
}

function hasItsEnding({ reads }: Candidate, path: string): boolean {
  const ending = extname(path).toLowerCase();
  return MODELS[reads].endings.some((own) => own === ending);
}

interface Asked {
  readonly setting: EngineSetting;
  readonly path: string;
  readonly device: Device;
}

const NOT_HERE = 'is not part of this image';
const ON_PROCESSORS =
  'runs on processors, and LAYERCACHE_DEVICE is GPU: name it, or set LAYERCACHE_DEVICE to CPU';

function whyNot(candidate: Candidate, asked: Asked): string | null {
  const { setting, path, device } = asked;
  if (setting !== 'Auto' && candidate.setting !== setting) return `LAYERCACHE_ENGINE is ${setting}`;
  if (!isHere(candidate, device)) return NOT_HERE;
  if (!hasItsEnding(candidate, path)) {
    return `reads ${MODELS[candidate.reads].what}, and the model is ${path}`;
  }
  // One for processors is not what was asked for with a card; named, it is.
  const isAsked = setting !== 'Auto' || candidate.runsOn.includes(device);
  return isAsked ? null : ON_PROCESSORS;
}

function isHere({ kind, runsOn }: Candidate, device: Device): boolean {
  return kind !== null && (device === 'gpu' || runsOn.includes('cpu'));
}

function whyNotTensorFlow(path: string, engines: string): string | null {
  if (isLayersModel(path)) {
    return `reads graph models, and ${path} is a layers model: convert it to a graph model (tensorflowjs_converter)`;
  }
  return installedTensorFlow(engines) === null
    ? 'is not installed here: layercache engines install'
    : null;
}

/** A file that cannot be read is told by the engine that opens it. A SavedModel is never read for this, however large. */
function isLayersModel(path: string): boolean {
  if (extname(path).toLowerCase() !== '.json') return false;
  try {
    const manifest = parseTfjsManifest(readFileSync(path, 'utf8'));
    return manifest.ok && manifest.value.format === 'TFJSLayersModel';
  } catch {
    return false;
  }
}

const CONVERT =
  'it must be an .onnx file or the model.json of a TensorFlow.js model; convert it to one';
const FROM_TENSORFLOW =
  'pip install tf2onnx, then python -m tf2onnx.convert --saved-model FOLDER --output model.onnx';
const KERAS = `a model of Keras is exported first: model.export(FOLDER) in Python, then ${FROM_TENSORFLOW}`;
const PYTORCH =
  "PyTorch writes weights there and no graph: load the module in Python and torch.onnx.export(module.eval(), (example,), 'model.onnx', external_data=False)";
/** What to do with files that people have, by their endings. */
const NEEDED: Readonly<Record<string, string>> = {
  '.pb': `a SavedModel needs native TensorFlow (layercache engines install) and must be flat, or is converted to ONNX (${FROM_TENSORFLOW}) or to a graph model of TensorFlow.js`,
  '.keras': KERAS,
  '.h5': KERAS,
  '.hdf5': KERAS,
  '.pt': PYTORCH,
  '.pth': PYTORCH,
  '.pt2': PYTORCH,
  '.ckpt': PYTORCH,
  '.safetensors': PYTORCH,
  '.tflite':
    'convert it to ONNX: pip install tf2onnx, then python -m tf2onnx.convert --tflite FILE --output model.onnx',
  '.pkl':
    'a pickle holds Python objects: export the model to ONNX (scikit-learn: skl2onnx; PyTorch: torch.onnx.export)',
  '.joblib': 'a pickle holds Python objects: export the model to ONNX (scikit-learn: skl2onnx)',
};

function unavailable(
  { setting, path, device }: Asked,
  reasons: readonly (string | null)[],
): EngineError {
  const named = CANDIDATES.findIndex((candidate) => candidate.setting === setting);
  const own = CANDIDATES.filter((candidate) => isHere(candidate, device)).map(
    (candidate) => candidate.setting,
  );
  const message =
    named < 0
      ? whyNone(path, reasons)
      : `engine ${setting} ${reasons[named] ?? ''}; name one of Auto, ${own.join(', ')}, or a model that it reads`;
  return new EngineError('EngineUnavailable', message);
}

function whyNone(path: string, reasons: readonly (string | null)[]): string {
  const left = CANDIDATES[reasons.lastIndexOf(ON_PROCESSORS)];
  return left === undefined
    ? `no engine here reads ${path}: ${NEEDED[extname(path).toLowerCase()] ?? CONVERT}`
    : `no engine here runs ${path} on a card: ${left.engine} ${ON_PROCESSORS}`;
}

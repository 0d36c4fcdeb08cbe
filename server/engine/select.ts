// Which engine runs a model, and why the others do not.
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { ServerState } from '../../crds/wire/state.ts';
import type { EngineSetting } from '../config.ts';
import { parseTfjsManifest } from '../core/tfjs/model-manifest.ts';
import { enginesDir } from './config.ts';
import { EngineError } from './engine-error.ts';
import { installedTensorFlow } from './installed-tensorflow.ts';
import type { ModelSource } from './segment-engine.ts';

/** Engines of this build. */
export type EngineKind = 'onnx' | 'tfjs-node' | 'tfjs-wasm';

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
  { engine: 'onnx', setting: 'ONNX', kind: 'onnx', reads: 'onnx' },
  { engine: 'tfjs-gpu', setting: 'TFJSGPU', kind: null, reads: 'tensorflow' },
  { engine: 'tfjs-node', setting: 'TFJSNode', kind: 'tfjs-node', reads: 'tensorflow' },
  { engine: 'tfjs-wasm', setting: 'TFJSWASM', kind: 'tfjs-wasm', reads: 'tfjs' },
  { engine: 'tfjs-cpu', setting: 'TFJSCPU', kind: null, reads: 'tfjs' },
];

/**
 * Every engine that does not run the model has its reason in `skipped`.
 * @param setting `Auto` takes the first that fits; a named engine must fit. Throws EngineError EngineUnavailable.
 * @param engines where engines are installed that do not come with the program.
 */
export function selectEngine(
  setting: EngineSetting,
  { path }: ModelSource,
  engines = enginesDir(),
): SelectedEngine {
  const reasons = CANDIDATES.map(
    (candidate) =>
      whyNot(candidate, setting, path) ??
      (candidate.kind === 'tfjs-node' ? whyNotTensorFlow(path, engines) : null),
  );
  const chosen = CANDIDATES.find(({ kind }, index) => kind !== null && reasons[index] === null);
  if (chosen === undefined || chosen.kind === null) throw unavailable(setting, path, reasons);
  const skipped = CANDIDATES.flatMap(({ engine }, index) =>
    engine === chosen.engine
      ? []
      : [{ engine, reason: reasons[index] ?? `${chosen.engine} is preferred` }],
  );
  return { kind: chosen.kind, skipped };
}

function whyNot(candidate: Candidate, setting: EngineSetting, path: string): string | null {
  if (setting !== 'Auto' && candidate.setting !== setting) return `LAYERCACHE_ENGINE is ${setting}`;
  if (candidate.kind === null) return 'is not part of this image';
  const { endings, what } = MODELS[candidate.reads];
  if (endings.some((ending) => ending === extname(path).toLowerCase())) return null;
  return `reads ${what}, and the model is ${path}`;
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
const NEEDED: Readonly<Record<string, string>> = {
  '.pb':
    'a SavedModel needs native TensorFlow (layercache engines install), or is converted to ONNX or to a graph model of TensorFlow.js',
};

function unavailable(
  setting: EngineSetting,
  path: string,
  reasons: readonly (string | null)[],
): EngineError {
  const named = CANDIDATES.findIndex((candidate) => candidate.setting === setting);
  const own = CANDIDATES.filter(({ kind }) => kind !== null).map((candidate) => candidate.setting);
  const message =
    named < 0
      ? `no engine here reads ${path}: ${NEEDED[extname(path).toLowerCase()] ?? CONVERT}`
      : `engine ${setting} ${reasons[named] ?? ''}; name one of Auto, ${own.join(', ')}, or a model that it reads`;
  return new EngineError('EngineUnavailable', message);
}

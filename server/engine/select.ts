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
  readonly reads: '.onnx' | '.json';
}

/** In the order of preference. */
const CANDIDATES: readonly Candidate[] = [
  { engine: 'onnx', setting: 'ONNX', kind: 'onnx', reads: '.onnx' },
  { engine: 'tfjs-gpu', setting: 'TFJSGPU', kind: null, reads: '.json' },
  { engine: 'tfjs-node', setting: 'TFJSNode', kind: 'tfjs-node', reads: '.json' },
  { engine: 'tfjs-wasm', setting: 'TFJSWASM', kind: 'tfjs-wasm', reads: '.json' },
  { engine: 'tfjs-cpu', setting: 'TFJSCPU', kind: null, reads: '.json' },
];

const MODELS = {
  '.onnx': 'ONNX models (.onnx)',
  '.json': 'TensorFlow.js models (model.json)',
} as const;

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
  if (extname(path).toLowerCase() === candidate.reads) return null;
  return `reads ${MODELS[candidate.reads]}, and the model is ${path}`;
}

function whyNotTensorFlow(path: string, engines: string): string | null {
  if (isLayersModel(path)) {
    return `reads graph models, and ${path} is a layers model: convert it to a graph model (tensorflowjs_converter)`;
  }
  return installedTensorFlow(engines) === null
    ? 'is not installed here: layercache engines install'
    : null;
}

/** A file that cannot be read is told by the engine that opens it. */
function isLayersModel(path: string): boolean {
  try {
    const manifest = parseTfjsManifest(readFileSync(path, 'utf8'));
    return manifest.ok && manifest.value.format === 'TFJSLayersModel';
  } catch {
    return false;
  }
}

function unavailable(
  setting: EngineSetting,
  path: string,
  reasons: readonly (string | null)[],
): EngineError {
  const named = CANDIDATES.findIndex((candidate) => candidate.setting === setting);
  const own = CANDIDATES.filter(({ kind }) => kind !== null).map((candidate) => candidate.setting);
  const message =
    named < 0
      ? `no engine reads ${path}: it must be an .onnx file or the model.json of a TensorFlow.js model; convert it to one`
      : `engine ${setting} ${reasons[named] ?? ''}; name one of Auto, ${own.join(', ')}, or a model that it reads`;
  return new EngineError('EngineUnavailable', message);
}

// Which engine runs a model, and why the others do not.
import { extname } from 'node:path';
import type { ServerState } from '../../crds/wire/state.ts';
import { EngineError } from './engine-error.ts';
import type { ModelSource } from './segment-engine.ts';

export interface SelectedEngine {
  readonly kind: 'onnx';
  readonly skipped: ServerState['engine']['skipped'];
}

interface Candidate {
  readonly kind: 'onnx';
  readonly setting: string;
  /** Null: it takes the model. */
  readonly whyNot: (source: ModelSource) => string | null;
}

const CANDIDATES: readonly Candidate[] = [
  {
    kind: 'onnx',
    setting: 'ONNX',
    whyNot: ({ path }) =>
      extname(path).toLowerCase() === '.onnx'
        ? null
        : `reads .onnx files, and the model is ${path}`,
  },
];

/** @param setting `Auto` takes the first that fits; a named engine must fit. Throws EngineError EngineUnavailable. */
export function selectEngine(setting: 'Auto' | 'ONNX', source: ModelSource): SelectedEngine {
  const skipped: { engine: string; reason: string }[] = [];
  for (const candidate of CANDIDATES) {
    if (setting !== 'Auto' && candidate.setting !== setting) {
      skipped.push({ engine: candidate.kind, reason: `LAYERCACHE_ENGINE is ${setting}` });
      continue;
    }
    const reason = candidate.whyNot(source);
    if (reason === null) return { kind: candidate.kind, skipped };
    skipped.push({ engine: candidate.kind, reason });
  }
  throw new EngineError(
    'EngineUnavailable',
    `no engine takes ${source.path}: ${skipped.map(({ engine, reason }) => `${engine} ${reason}`).join('; ')}; convert the model to ONNX`,
  );
}

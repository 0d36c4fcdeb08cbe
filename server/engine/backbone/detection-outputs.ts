// Which outputs of a detector say where something is.
import type { TensorSpec } from '../../../crds/wire/state.ts';
import { BOX_NUMBERS, type DetectionMaps } from '../../core/task/detection.ts';
import { EngineError } from '../engine-error.ts';
import { MODEL_NOTES_FILE, type DetectionNotes } from '../model-notes.ts';
import { nearestNames } from '../nearest-names.ts';

/** What clients of a detector get, and exits supply. */
export const BOXES_OUTPUT = 'boxes';

export interface DetectorOutputs {
  readonly output: TensorSpec;
  readonly maps: DetectionMaps;
}

/**
 * The maps that the notes name among the model's outputs. Throws EngineError ModelNotesInvalid where one is not there or is of
 * another shape, OutputNotFound where another output is asked for than the boxes.
 */
export function describeDetector(
  path: string,
  notes: DetectionNotes,
  { outputs, wanted }: { readonly outputs: readonly TensorSpec[]; readonly wanted: string | null },
): DetectorOutputs {
  if (wanted !== null && wanted !== BOXES_OUTPUT) {
    throw new EngineError(
      'OutputNotFound',
      `${path} is a detector, whose exits supply its boxes, not ${wanted}: remove the name of the output`,
    );
  }
  const mapOf = (field: 'scores' | 'extents'): number => {
    const index = outputs.findIndex(({ name }) => name === notes[field]);
    if (index !== -1) return index;
    const names = outputs.map(({ name }) => name);
    throw invalid(
      path,
      `detection.${field} names ${notes[field]}, which is no output; the nearest are ${nearestNames(notes[field], names).join(', ')}`,
    );
  };
  const [scores, extents] = [mapOf('scores'), mapOf('extents')];
  const map = dimsOf(path, outputs[scores], 'scores');
  const [height, width, objectCount] = map;
  const expected = [height, width, 4].join(', ');
  if (dimsOf(path, outputs[extents], 'extents').join(', ') !== expected) {
    throw invalid(path, `detection.extents needs an output of [-1, ${expected}], as the scores go`);
  }
  const { stride, minScore, maxOverlap, maxBoxes } = notes;
  return {
    output: { name: BOXES_OUTPUT, datatype: 'FP32', shape: [-1, maxBoxes, BOX_NUMBERS] },
    maps: {
      ...{ scores, extents, height, width, objectCount, stride },
      ...{ cut: minScore, maxOverlap, maxBoxes },
    },
  };
}

function dimsOf(
  path: string,
  spec: TensorSpec | undefined,
  field: string,
): readonly [height: number, width: number, channels: number] {
  const [, height = 0, width = 0, channels = 0] = spec?.shape ?? [];
  if (spec !== undefined && isMap(spec)) return [height, width, channels];
  throw invalid(
    path,
    `detection.${field} needs a float32 output of [rows, height, width, channels]; this one is of another type or shape`,
  );
}

function isMap({ datatype, shape: [rows, ...dims] }: TensorSpec): boolean {
  return datatype === 'FP32' && rows === -1 && dims.length === 3 && dims.every((dim) => dim > 0);
}

function invalid(path: string, detail: string): EngineError {
  return new EngineError('ModelNotesInvalid', `${MODEL_NOTES_FILE} beside ${path}: ${detail}`);
}

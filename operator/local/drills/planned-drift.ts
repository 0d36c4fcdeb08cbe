import { CliError } from '../../errors.ts';
import type { PlannedDrift } from '../traffic/traffic-plan.ts';
import type { TrafficSource } from '../traffic/source.ts';
import { distortSource, valueRange } from './distorted-source.ts';
import { addNoise, blur, rotate, type Distortion } from './distortions.ts';
import { flagOf, type DriftDrill } from './drill-options.ts';
import { imageShape, type ImageShape } from './image-shape.ts';

export interface DriftSurroundings {
  readonly traffic: TrafficSource;
  /** A row as the model takes it, for sources whose rows are flat. */
  readonly modelRowShape: readonly number[];
  readonly labels: Int32Array | null;
  /** The class whose rows the backbone answers least often as labelled. */
  readonly hardestClass: () => number;
  readonly seed: number;
  readonly onBegin: () => void;
}

/** Makes the drift of a drill, or says why these rows cannot drift so. */
export function planDrift(drill: DriftDrill, around: DriftSurroundings): PlannedDrift {
  const { fromRequest } = drill;
  if (drill.kind === 'classes') return classDrift(drill, around);
  const distortion = distortionOf(drill, around);
  const sources = new Map<TrafficSource, TrafficSource[]>();
  return {
    fromRequest,
    onBegin: around.onBegin,
    heldBack: null,
    distort: (source, pass) => {
      const passes = sources.get(source) ?? [];
      sources.set(source, passes);
      return (passes[pass] ??= distortSource(source, distortion, pass));
    },
  };
}

function distortionOf(drill: DriftDrill, around: DriftSurroundings): Distortion {
  if (drill.kind === 'noise') {
    return addNoise(drill.strength * valueRange(around.traffic), around.seed);
  }
  const shape = imageShape(around.traffic.rowShape, around.modelRowShape);
  if (shape === null) {
    throw new CliError('UsageError', {
      where: flagOf.drift(drill),
      why: `only pictures can be distorted so, and a row here is (${around.traffic.rowShape.join(', ')}).`,
      nextStep: 'Write --drift noise@N, which takes any rows.',
    });
  }
  return drill.kind === 'blur' ? blurOf(shape, drill.strength) : rotate(shape, drill.strength);
}

function blurOf(shape: ImageShape, strength: number): Distortion {
  return blur(shape, strength * Math.min(shape.height, shape.width));
}

/** One class is held back, the one that the backbone knows least; then it takes its share. Heads learned without it. */
function classDrift(drill: DriftDrill, around: DriftSurroundings): PlannedDrift {
  const { labels, traffic, hardestClass } = around;
  if (labels === null) {
    throw new CliError('UsageError', {
      where: flagOf.drift(drill),
      why: 'a class is held back by its label, and --traffic comes without.',
      nextStep: 'Name labels with --labels, or write --drift noise@N.',
    });
  }
  if (labels.every((label) => label === labels[0])) {
    throw new CliError('UsageError', {
      where: flagOf.drift(drill),
      why: 'every row has the same label, so no class can be held back.',
      nextStep: 'Write --drift noise@N.',
    });
  }
  const labelsOf = (source: TrafficSource): Int32Array | null =>
    source === traffic ? labels : source.labels;
  return {
    fromRequest: drill.fromRequest,
    onBegin: around.onBegin,
    heldBack: {
      has: (source, index) => labelsOf(source)?.[index] === hardestClass(),
      share: drill.strength,
    },
    distort: (source) => source,
  };
}

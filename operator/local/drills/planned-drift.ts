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
  readonly seed: number;
  /** Classes by how often answers missed their label so far, worst first. */
  readonly hardestClasses: () => readonly number[];
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
    admits: () => true,
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

/** From the first drifted row on, only rows of the hardest classes come; which these are is asked then. */
function classDrift(drill: DriftDrill, around: DriftSurroundings): PlannedDrift {
  const { labels, traffic } = around;
  if (labels === null) {
    throw new CliError('UsageError', {
      where: flagOf.drift(drill),
      why: 'rows are chosen by their labels, and --traffic comes without.',
      nextStep: 'Name labels with --labels, or write --drift noise@N.',
    });
  }
  let kept: ReadonlySet<number> | null = null;
  return {
    fromRequest: drill.fromRequest,
    onBegin: () => {
      const classes = around.hardestClasses();
      kept = new Set(classes.slice(0, Math.max(1, Math.round(drill.strength * classes.length))));
      around.onBegin();
    },
    admits: (source, index) => source !== traffic || (kept?.has(labels[index] ?? -1) ?? true),
    distort: (source) => source,
  };
}

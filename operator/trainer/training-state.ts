import type { TrainingSummary } from '../training/train.ts';

/** Answer of GET /v1/state. */
export interface TrainerState {
  readonly state: 'Pulling' | 'Training' | 'Done' | 'Failed';
  /** 0..1 */
  readonly progress: number;
  readonly message: string;
  readonly outcome: 'Trained' | 'NotBetter' | 'TooFewRows' | null;
  /** `sha256:<64 hex>` of the bundle's file; null unless outcome is Trained. */
  readonly digest: string | null;
  readonly sizeBytes: number | null;
  readonly rows: number | null;
  readonly durationSeconds: number | null;
  readonly summary: TrainingSummary | null;
}

export const INITIAL_STATE: TrainerState = {
  state: 'Pulling',
  progress: 0,
  message: 'Pulling samples.',
  outcome: null,
  digest: null,
  sizeBytes: null,
  rows: null,
  durationSeconds: null,
  summary: null,
};

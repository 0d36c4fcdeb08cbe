import type { TrainingSummary } from '../training/train.ts';

/** Answer of GET /v1/state. */
export interface TrainerState {
  readonly state: 'Pulling' | 'Training' | 'Uploading' | 'Done' | 'Failed';
  /** 0..1 */
  readonly progress: number;
  readonly message: string;
  readonly outcome: 'Trained' | 'NotBetter' | 'TooFewRows' | null;
  /** `sha256:<64 hex>` of the bundle's file; null unless outcome is Trained. */
  readonly digest: string | null;
  readonly sizeBytes: number | null;
  /** Where the file lies in the service's store; null: in none, whoever wants it asks here. */
  readonly uri: string | null;
  /** What kind of failure state Failed is, where it matters; a training is repeated, an upload that was refused is not. */
  readonly failure: 'UploadFailed' | null;
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
  uri: null,
  failure: null,
  rows: null,
  durationSeconds: null,
  summary: null,
};

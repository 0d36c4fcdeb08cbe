import type { REASON_GROUPS } from '../../v1alpha1/reasons.ts';
import type { ReasonPage } from './reason-page.ts';

const WAITS = 'Trained=Unknown';
const FAILED = 'Trained=False';
const JOB =
  '`kubectl -n NAMESPACE get jobs -l layercache.io/service=NAME`, then the log of `NAME-train-N`; it is kept for an hour.';

export const TRAINING_PAGES = {
  Completed: { seen: ['Trained=True'], check: '`status.training` has rows and time.' },
  Running: { seen: [WAITS], check: `The message has the progress. Does it stand still? ${JOB}` },
  Cooldown: { seen: [WAITS], check: 'The message says how long.' },
  WaitingForSamples: {
    seen: [WAITS],
    check:
      'The message says how many rows are missing; see [CollectingSamples](#collectingsamples).',
  },
  RevisionPinned: {
    seen: [WAITS],
    check: '`spec.heads.revision` is set; remove it to train again.',
  },
  Failed: { seen: [FAILED, 'event'], check: JOB },
  TooFewRows: {
    seen: [FAILED, 'event'],
    check:
      'Rows are lost with the pods that hold them: were all of them replaced while rows were collected?',
  },
  DeadlineExceeded: { seen: [FAILED, 'event'], check: JOB },
  UploadFailed: {
    seen: [FAILED, 'event'],
    check: `The message has the answer of the store. ${JOB}`,
  },
  TrainingStarted: { seen: ['event'], check: 'Trained has the progress.' },
  TrainingSucceeded: {
    seen: ['event'],
    check: '`kubectl -n NAMESPACE get cacheheadrevisions` shows the new revision.',
  },
} as const satisfies Record<keyof typeof REASON_GROUPS.training, ReasonPage>;

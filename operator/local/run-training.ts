import { MAX_CONFIG_MAP_BUNDLE_BYTES } from '../../crds/v1alpha1/head-revision-rules.ts';
import { VERSION } from '../version.ts';
import { debugLine } from './fleet-start.ts';
import type { HeadStore } from './head-store.ts';
import { startTrainer, type TrainerJob } from './processes/trainer-process.ts';
import type { RunContext } from './run-context.ts';
import { createTrainingDesk, type TrainingDesk } from './training-desk.ts';
import type { TrainingRequest } from '../lifecycle/types.ts';
import type { VerifiedBundle } from '../fleet/pull-bundle.ts';
import type { HeadRevisionFacts } from '../lifecycle/types.ts';

export interface RunTrainingHooks {
  readonly factsOf: (bundle: VerifiedBundle) => HeadRevisionFacts;
  /** What is taken over in the place of a trained bundle. */
  readonly offer: (bundle: VerifiedBundle) => VerifiedBundle;
}

export function createRunTraining(
  context: RunContext,
  store: HeadStore,
  { factsOf, offer }: RunTrainingHooks,
): TrainingDesk {
  const { io, settings } = context;
  return createTrainingDesk({
    start: (request) =>
      startTrainer(jobOf(context, request), {
        bundleDir: io.bundleDir,
        environment: io.environment,
        onChild: io.onChild,
        onLine: io.debug ? debugLine(io) : undefined,
      }),
    accept: (trained) => {
      const bundle = offer(trained);
      store.add(bundle);
      return factsOf(bundle);
    },
  });

  function jobOf({ servers, options, service }: RunContext, request: TrainingRequest): TrainerJob {
    const { budget, maxActiveExits, minSaving, maxOverhead } = settings;
    return {
      servers: servers.map(({ server }) => server.admin.baseUrl),
      part: request.part,
      after: request.after,
      settings: {
        budget,
        maxActiveExits,
        minSaving,
        maxOverhead,
        // So that what is tried here is what ships.
        maxBundleBytes: MAX_CONFIG_MAP_BUNDLE_BYTES,
      },
      student: service.spec.heads.training.student === 'Auto',
      seed: options.seed,
      parent: null,
      trainerVersion: VERSION,
    };
  }
}

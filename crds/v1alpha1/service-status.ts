import { z } from 'zod';

import { AGREEMENT_NAMES } from '../wire/agreement.ts';
import { areUnique } from '../wire/shapes.ts';
import { conditions } from './conditions.ts';
import { digest, time } from './fields.ts';
import { keepSoundFields } from './sound-fields.ts';
import { count, shortText, shownPercent } from './status-fields.ts';

/** What the operator reports about a CachedModelService (api.md 5). One writer; every field may be absent. */

const backbone = z
  .strictObject({
    digest: digest({ description: 'Digest of the loaded backbone.' }).optional(),
    format: shortText('Format as detected.', 64).optional(),
    engine: shortText('Engine that runs it.', 64).optional(),
    device: shortText('Device that it runs on.').optional(),
    sizeBytes: count('Bytes of the model.').optional(),
    classCount: count('Classes of its output.').optional(),
    loadedReplicas: count('Pods that have loaded it.').optional(),
  })
  .optional()
  .meta({ description: 'The backbone as the pods report it.' });

const exit = z.strictObject({
  name: shortText('Name of the exit.', 32),
  tensor: shortText('Cut of the backbone.', 256).optional(),
  modelDigest: digest({ description: 'Digest of the companion model.' }).optional(),
  costShare: shownPercent('Share of plain time until this exit.').optional(),
  mode: shortText('Mode in force.', 32).optional(),
  exitedShare: shownPercent('Share of requests that leave here.').optional(),
  reason: shortText('Why it does not answer, in one word.', 64).optional(),
});

const exits = z
  .array(exit)
  .max(16)
  .refine((list) => areUnique(list.map(({ name }) => name)), 'an exit stands twice')
  .optional()
  .meta({
    description: 'Exits in force, named or discovered once per backbone digest.',
    bounds: 'at most 16',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });

const policy = z
  .strictObject({
    epoch: count('Count of operator leaderships; the policy is by the last of them.').optional(),
    revision: count('Count of policies in that leadership.').optional(),
    hash: shortText('Digest of the policy document.', 128).optional(),
    appliedReplicas: count('Ready pods that acknowledged it.').optional(),
    appliedTime: time('When the last ready pod acknowledged it.').optional(),
  })
  .optional()
  .meta({ description: 'The policy that was published last.' });

function headRevision(description: string): z.ZodOptional<
  z.ZodObject<{
    revision: z.ZodString;
    id: z.ZodOptional<z.ZodString>;
    since: z.ZodOptional<z.ZodISODateTime>;
  }>
> {
  return z
    .strictObject({
      revision: shortText('Name of the CacheHeadRevision.'),
      id: shortText('First 12 hexadecimal digits of the bundle digest.', 12).optional(),
      since: time('Since when it is in this place.').optional(),
    })
    .optional()
    .meta({ description });
}

const failedHead = z.strictObject({
  revision: shortText('Name of the CacheHeadRevision.'),
  digest: digest({ description: 'Digest of its bundle.' }).optional(),
  reason: shortText('Why it failed, in one word.', 64).optional(),
  time: time('When it failed.').optional(),
});

const heads = z
  .strictObject({
    stable: headRevision('Heads in force.'),
    candidate: headRevision('Heads under test.'),
    previous: headRevision('Heads that were replaced last and are still loaded.'),
    failed: z.array(failedHead).max(10).optional().meta({
      description: 'Heads that are not tried again without the request retry.',
      bounds: 'at most 10',
    }),
  })
  .optional()
  .meta({ description: 'The head revisions of the service.' });

const rolloutCheck = z.strictObject({
  type: shortText('What was compared.', 64),
  verdict: z
    .enum(['Pass', 'Fail', 'Inconclusive'])
    .optional()
    .meta({ description: 'Outcome; Inconclusive neither passes nor fails.' }),
  samples: count('Requests or audits that were compared.').optional(),
  value: shownPercent('Measured change.').optional(),
  limit: shownPercent('Largest change that passes.').optional(),
});

const rollout = z
  .strictObject({
    stage: z
      .enum(['Staging', 'Shadowing', 'Ramping'])
      .optional()
      .meta({ description: 'What happens to the candidate.' }),
    step: count('Step of the ramp, from 1.').optional(),
    steps: count('Steps in all.').optional(),
    share: shownPercent("Candidate's share of the traffic.").optional(),
    stepStartTime: time('When the step began.').optional(),
    loadedReplicas: count('Ready pods that have loaded the candidate.').optional(),
    checks: z
      .array(rolloutCheck)
      .max(8)
      .refine((list) => areUnique(list.map(({ type }) => type)), 'a check stands twice')
      .optional()
      .meta({
        description: 'Checks of the step.',
        bounds: 'at most 8',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      }),
    message: shortText('What the rollout waits for.', 1024).optional(),
  })
  .optional()
  .meta({ description: 'The rollout in progress.' });

const accuracy = z
  .strictObject({
    disagreement: shownPercent(
      'Audited answers unlike the backbone; where agreement is F1 their mean loss.',
    ).optional(),
    upperBound: shownPercent('Upper confidence bound of that share.').optional(),
    agreement: z.enum(AGREEMENT_NAMES).optional().meta({
      description: 'What was bounded, as in spec.accuracy.agreement; absent: Strict.',
    }),
    audits: count('Audited requests behind it.').optional(),
    exitedShare: shownPercent('Share of requests that leave early.').optional(),
    saving: shownPercent('Net saving of compute.').optional(),
    measuredTime: time('When this was measured.').optional(),
  })
  .optional()
  .meta({ description: 'What the audits say about the heads in force.' });

const tuning = z
  .strictObject({
    recommendedRevision: shortText('Revision to accept with heads.revision.').optional(),
    expectedSaving: shownPercent('Net saving that it promises.').optional(),
    lastDecision: shortText('What was decided last.', 1024).optional(),
    lastDecisionTime: time('When that was.').optional(),
    reason: shortText('Why, in one word.', 64).optional(),
  })
  .optional()
  .meta({ description: 'What the tuner decided.' });

const training = z
  .strictObject({
    attempt: count('Trainings so far.').optional(),
    jobName: shortText('Job of the last training.').optional(),
    lastStartTime: time('When it began.').optional(),
    lastSuccessTime: time('When a training last gave a revision.').optional(),
    rows: count('Rows that it was given.').optional(),
    nextEligibleTime: time('Earliest next training.').optional(),
    lastFailureReason: shortText('Why the last failed one failed.', 64).optional(),
  })
  .optional()
  .meta({ description: 'Training of heads.' });

const inputs = z
  .strictObject({
    pods: count('Pods that may hold input rows.').optional(),
    maxRows: count('Rows that one of them holds at most.').optional(),
    retention: shortText('Longest time that a row is held.', 64).optional(),
  })
  .optional()
  .meta({ description: 'Input rows that pods hold for a student; absent: none ever are.' });

const request = z
  .strictObject({
    value: shortText('The annotation layercache.io/request as it was read.', 1024),
    result: z
      .enum(['Done', 'NoOp', 'Refused'])
      .optional()
      .meta({ description: 'What became of it.' }),
    message: shortText('Why.', 1024).optional(),
    time: time('When it was answered.').optional(),
  })
  .optional()
  .meta({ description: 'The last request annotation; an equal one is ignored.' });

const lastFailure = z
  .strictObject({
    component: shortText('What failed.', 64).optional(),
    podName: shortText('Pod in which it failed.').optional(),
    reason: shortText('Why, in one word.', 64).optional(),
    message: shortText('What it said.', 1024).optional(),
    time: time('When it failed.').optional(),
  })
  .optional()
  .meta({ description: 'The last failure, kept after recovery.' });

export const serviceStatus = z
  .strictObject({
    observedGeneration: z.int().min(-1).max(Number.MAX_SAFE_INTEGER).optional().meta({
      description: 'Generation of the spec that this status is about; -1 before the first.',
    }),
    conditions,
    replicas: count('Pods of the service.').optional(),
    readyReplicas: count('Pods that are ready.').optional(),
    updatedReplicas: count('Pods of the newest template.').optional(),
    availableReplicas: count('Pods that have been ready for long enough.').optional(),
    selector: shortText('Label selector of the pods, for the scale subresource.', 512).optional(),
    url: shortText('Address of the endpoint inside the cluster.', 1024).optional(),
    templateVersion: count('Version of the pod template that is rendered.').optional(),
    adminGeneration: count('Generation of the admin keys.').optional(),
    backbone,
    exits,
    policy,
    heads,
    rollout,
    accuracy,
    tuning,
    training,
    inputs,
    request,
    lastFailure,
  })
  .meta({ description: 'What the operator reports; written by it alone.' });

export type ServiceStatus = z.infer<typeof serviceStatus>;

/** The status of an object, without the top-level fields that this version cannot read. Never throws. */
export function readServiceStatus(value: unknown): ServiceStatus {
  return keepSoundFields(serviceStatus, value);
}

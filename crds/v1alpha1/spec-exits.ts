import { z } from 'zod';

import { AGREEMENT_NAMES } from '../wire/agreement.ts';
import { TASKS } from '../wire/task.ts';
import { areUnique } from '../wire/shapes.ts';
import * as f from './fields.ts';
import { resources } from './resources.ts';

/** Backbone, accuracy, exits, tuning, heads and rollout: what decides which request may leave early. */

const FORMATS = ['ONNX', 'TFJSGraphModel', 'TFJSLayersModel', 'SavedModel'] as const;
const EXIT_MODES = ['Active', 'Shadow', 'Disabled'] as const;

const modelFields = {
  format: z.enum(FORMATS).optional().meta({
    description: 'Format of the model; a declared value is checked.',
    computed: 'detected',
  }),
  digest: f
    .digest({
      description:
        'Checked before the load. A file: its sha256; a folder: sha256 of the sorted lines `<sha256>  <path>`.',
      computed: 'reported',
    })
    .optional(),
  outputName: f
    .text(256, {
      description: 'Output with the class scores, in a model that has several outputs.',
      computed: 'the only output',
    })
    .optional(),
  credentialsSecretName: f
    .objectName('Secret with token, or username and password, sent to the host of the URI alone.')
    .optional(),
};

export const backbone = z
  .strictObject({
    uri: f.modelUri(
      'Where the pretrained backbone lies; fetched by the pods. `pvc://CLAIM/PATH`; `file:` is baked into the image.',
    ),
    ...modelFields,
    task: z.enum(TASKS).optional().meta({
      description:
        'What the backbone does; a declared value is checked. A detector needs `layercache.json` beside it, which says how its outputs become boxes.',
      computed: '`layercache.json`, else Classification',
    }),
    caBundleConfigMapName: f
      .objectName('ConfigMap with the CA that signed the host of the URI.')
      .optional(),
  })
  .meta({ description: 'The frozen pretrained network that is served.' });

export const accuracy = z
  .strictObject({
    maxDisagreement: f.percent(['0%', '20%', '1%'], {
      description:
        'Budget: largest share of all requests that may be answered unlike the backbone, or where agreement is F1 largest mean loss; `0%` never exits.',
    }),
    confidence: f.percentOr('95%', ['80%', '99.9%', '95%'], {
      description: 'Confidence of the certificate that the budget holds.',
    }),
    agreement: z.enum(AGREEMENT_NAMES).default('Strict').meta({
      description:
        "What the budget bounds. Strict: the share of answers unlike the backbone. F1, of a detector: the mean of 1 - F1 of the early boxes against the backbone's, for exits whose boxes can be partly right; F1 takes more audits than Strict for answers that are right or wrong.",
    }),
    auditRate: f.percentOr('2%', ['0.1%', '100%', '2%'], {
      description:
        'Base share of requests that run to the end for evidence; the lifecycle only raises it.',
    }),
    minAudits: f
      .wholeNumber(100, 1_000_000, {
        description: 'Audited rows at the first look of the certificate.',
        computed: '10 / maxDisagreement, between 300 and 30000',
      })
      .optional(),
  })
  .meta({ description: 'The accuracy budget and how it is proved.' });

export const exitMode = z.enum(EXIT_MODES).default('Active').meta({
  description:
    'The switch: Active lets certified exits answer, Shadow runs heads on audits only, Disabled runs none.',
});

const HEADER_NAME = /^[A-Za-z0-9-]{1,64}$/;
const headerName = (description: string, more: { readonly example?: string } = {}) =>
  z
    .string()
    .regex(HEADER_NAME, "write a header name: at most 64 letters, digits and '-'")
    .optional()
    .meta({ description, bounds: '1 to 64 of A-Z a-z 0-9 -', maxLength: 64, ...more });

const companion = z
  .strictObject({
    uri: f.modelUri('Where the companion model lies.'),
    ...modelFields,
  })
  .meta({
    description:
      'Companion: a small whole model with the same classes, run before the backbone on the same input.',
  });

const exit = z.strictObject({
  name: f.label(32, {
    description: 'Name of the exit in answers, metrics and status.',
    example: 'early',
  }),
  tensor: f
    .text(256, {
      description: 'Cut of the backbone; `layercache inspect MODEL` lists them.',
      example: 'layer2_out',
    })
    .optional(),
  model: companion.optional(),
  sourceHeader: headerName(
    'Of a detector: the exit compares frames of a source, which this header of a request names, and answers with the last answer of the backbone, at most 5 frames old. Requests without the header pass it by.',
    { example: 'x-camera' },
  ),
  mode: z
    .enum(EXIT_MODES)
    .default('Active')
    .meta({ description: 'As spec.exitMode, for this exit alone.' }),
});

export const exits = z
  .array(exit)
  .max(16)
  .refine(
    (list) => areUnique(list.map(({ name }) => name)),
    'two exits have the same name: rename one',
  )
  .optional()
  .meta({
    description:
      'Candidate exits; absent: up to 8 are discovered; an empty list serves the plain backbone.',
    bounds: '0 to 16 exits',
    computed: 'discovered',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });

export const tuning = z
  .strictObject({
    mode: z.enum(['Auto', 'Recommend', 'Off']).default('Auto').meta({
      description:
        'Auto trains, certifies and rolls out; Recommend rolls nothing out; Off does none of it, while audits and alarm stay on.',
    }),
    maxActiveExits: f
      .wholeNumber(1, 16, {
        description: 'Most exits that a head set may use.',
        computed: '2 on a GPU, 3 on CPU',
      })
      .optional(),
    minSaving: f.percentOr('3%', ['0%', '50%', '3%'], {
      description:
        'Exits stay off while they save less of the plain engine time than this, net of heads and audits.',
    }),
    maxOverhead: f.percentOr('5%', ['0%', '50%', '5%'], {
      description: 'Share of the plain engine time that heads may add to rows that do not exit.',
    }),
  })
  .prefault({})
  .meta({ description: 'How heads are chosen.' });

const TRIGGERS = ['Alarm', 'SavingLoss', 'NewData'] as const;

const training = z
  .strictObject({
    mode: z.enum(['Auto', 'Off']).default('Auto').meta({
      description: 'Auto trains when heads are missing and by the triggers; Off never trains.',
    }),
    triggers: z
      .array(z.enum(TRIGGERS))
      .max(3)
      .refine(areUnique, 'a trigger stands twice: remove one')
      .default([...TRIGGERS])
      .meta({
        description:
          'What starts a training besides missing heads: an alarm, a lost saving, many new rows.',
        'x-kubernetes-list-type': 'set',
      }),
    student: z.enum(['Off', 'Auto']).default('Off').meta({
      description:
        'Auto: servers hold input rows as inputs says, and a training may make a small network of them that answers before the backbone.',
    }),
    inputs: z
      .strictObject({
        maxSize: f.byteSizeOr('64Mi', {
          description: 'Memory of each server for input rows; the oldest make room.',
          bounds: 'at most 1024Mi',
          example: '128Mi',
        }),
        retention: f.durationOr('1h', ['1m', '24h', '1h'], {
          description: 'Longest time that a server holds an input row.',
        }),
      })
      .prefault({})
      .meta({
        description: 'How much and how long servers hold input rows for a student.',
      }),
    cooldown: f.durationOr('15m', ['1m', '168h', '15m'], {
      description: 'Least time between two trainings.',
    }),
    deadline: f.durationOr('30m', ['1m', '24h', '30m'], {
      description: 'Longest time of one training.',
    }),
    resources: resources('Resources of the training Job.').optional(),
    podTemplate: f.raw('Pod template of the training Job, merged last.').optional(),
    serviceAccountName: f
      .objectName('Account of the training Job for cloud identity; its API token is never mounted.')
      .optional(),
  })
  .prefault({})
  .meta({ description: 'Training of heads from live traffic.' });

/** `keys` is what the Secrets of this kind of store hold. */
const remoteStore = (keys: string) => ({
  pullSecretName: f
    .objectName(`Secret with which pods read bundles; none: as anybody. Its keys: ${keys}.`)
    .optional(),
  pushSecretName: f
    .objectName('Secret with which the trainer writes bundles; the same keys.', 'pullSecretName')
    .optional(),
  caBundleConfigMapName: f
    .objectName('ConfigMap with the CA of the store in PEM, under any key.')
    .optional(),
});

const S3_KEYS =
  'AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and where needed AWS_SESSION_TOKEN, AWS_REGION (us-east-1), AWS_ENDPOINT_URL (Amazon)';
const OCI_KEYS = '.dockerconfigjson as for image pulls, or username and password';

const store = z
  .strictObject({
    configMap: z
      .strictObject({})
      .optional()
      .meta({ description: 'Bundles in ConfigMaps, at most 900 KiB each; has no fields.' }),
    s3: z
      .strictObject({
        uri: z
          .string()
          .max(1024)
          .regex(/^s3:\/\/[!-~]+$/, 'write a URI that begins with s3://')
          .meta({
            description: 'Bucket and prefix.',
            bounds: 'begins with s3://; at most 1024 characters',
            example: 's3://heads/vision',
          }),
        ...remoteStore(S3_KEYS),
      })
      .optional()
      .meta({ description: 'Bundles in an S3 bucket.' }),
    oci: z
      .strictObject({
        repository: f.text(512, {
          description: 'Repository without tag.',
          example: 'registry.example.com/heads',
        }),
        ...remoteStore(OCI_KEYS),
      })
      .optional()
      .meta({ description: 'Bundles in an OCI registry.' }),
  })
  .optional()
  .meta({ description: 'Where head bundles are kept.', computed: 'chart (configMap)' });

export const heads = z
  .strictObject({
    revision: f
      .label(63, {
        description: 'Pins a CacheHeadRevision (own heads, rollback); training pauses.',
      })
      .optional(),
    historyLimit: f
      .wholeNumber(1, 20, { description: 'Head revisions kept besides those in use.' })
      .default(5),
    training,
    store,
  })
  .prefault({})
  .meta({ description: 'Where heads come from and where they are kept.' });

const step = z.strictObject({
  share: f.percent(['0.1%', '100%', '25%'], { description: "Candidate's share of the traffic." }),
  hold: f.durationOr('10m', ['0s', '168h', '10m'], { description: 'Least time in this step.' }),
});

const check = z.strictObject({
  type: z.enum(['ErrorRate', 'LatencyP50', 'LatencyP99', 'Saving']).meta({
    description: 'What is compared with stable on the same pods.',
    example: 'LatencyP99',
  }),
  maxRegression: f.percent(['0%', '100%', '5%'], {
    description: 'ErrorRate and Saving in points, latency relative.',
  }),
});

export const rollout = z
  .strictObject({
    steps: z.array(step).min(1).max(10).optional().meta({
      description: 'Steps of a certified candidate.',
      bounds: '1 to 10 steps',
      computed: '5%, 25%, 50% for 10m each, 100% for 30m',
    }),
    minRequests: f
      .wholeNumber(0, 1_000_000, {
        description: 'Requests that the candidate answers in a step before there is a verdict.',
      })
      .default(100),
    paused: z.boolean().default(false).meta({ description: 'Holds the step; aborts still fire.' }),
    checks: z
      .array(check)
      .max(4)
      .refine(
        (list) => areUnique(list.map(({ type }) => type)),
        'a check type stands twice: remove one',
      )
      .optional()
      .meta({
        description: 'Checks of each step; disagreement, or F1 loss, is always checked.',
        bounds: 'one per type',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
        computed: 'ErrorRate 0.1%, LatencyP99 5%',
      }),
    stepDeadline: f.durationOr('6h', ['1m', '168h', '6h'], {
      description: 'Longest wait for a verdict in one step; then onInconclusive decides.',
    }),
    onInconclusive: z
      .enum(['Hold', 'Abort'])
      .default('Hold')
      .meta({ description: 'What follows when a step gets no verdict by its deadline.' }),
    progressDeadline: f.durationOr('15m', ['1m', '24h', '15m'], {
      description: 'Longest time for loading the candidate everywhere.',
    }),
    stickyHeader: headerName(
      'Header whose keyed hash picks the track; absent: random per request.',
    ),
  })
  .prefault({})
  .meta({ description: 'How a certified candidate takes over.' });

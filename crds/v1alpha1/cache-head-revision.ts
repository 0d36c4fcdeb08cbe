import { z } from 'zod';

import { areUnique } from '../wire/shapes.ts';
import { API_VERSION, objectMetadata } from './cached-model-service.ts';
import * as f from './fields.ts';

export const HEAD_REVISION_KIND = 'CacheHeadRevision';

/** A bundle in an object store or a registry; the trainer or the user put it there. */
const bundleUri = z
  .string()
  .max(1024)
  .regex(/^(s3|oci):\/\/[!-~]+$/, 'write a URI that begins with s3:// or oci://')
  .optional()
  .meta({
    description: 'Where the bundle lies in a store.',
    bounds: 'begins with s3:// or oci://; at most 1024 characters',
    example: 's3://heads/vision/3f2a9c1b77d0',
  });

const bundle = z
  .strictObject({
    digest: f.digest({
      description: 'Sha256 of the bundle file; nothing else is ever served under this name.',
      example: `sha256:${'0'.repeat(64)}`,
    }),
    sizeBytes: f.wholeNumber(1, 67_108_864, {
      description: 'Bytes of the bundle file.',
      example: 151_552,
    }),
    configMapName: f.objectName('ConfigMap with the file under binaryData.bundle.').optional(),
    uri: bundleUri,
  })
  .meta({ description: 'The head bundle: one file with all heads.' });

const exit = z.strictObject({
  name: f.label(32, { description: 'Name of the exit, as in the service.', example: 'early' }),
  tensor: f
    .text(256, { description: 'Cut of the backbone that the head reads.', example: 'layer2_out' })
    .optional(),
  pool: f
    .wholeNumber(1, 4, {
      description: 'The activation is averaged to pool x pool before the head.',
      bounds: '1, 2 or 4',
      example: 2,
    })
    .optional(),
  hidden: f
    .wholeNumber(0, 1024, {
      description: 'Width of the hidden layer; 0: none.',
      bounds: '0, 64, 128, 256 or 1024',
      example: 64,
    })
    .optional(),
  modelDigest: f.digest({ description: 'Digest of the companion model; set alone.' }).optional(),
});

const exits = z
  .array(exit)
  .min(1)
  .max(16)
  .refine(
    (list) => areUnique(list.map(({ name }) => name)),
    'two exits have the same name: rename one',
  )
  .meta({
    description: 'The exits that this revision has heads for.',
    bounds: '1 to 16 exits',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });

const training = z
  .strictObject({
    jobName: f.objectName('Job that trained the heads.').optional(),
    trigger: f.text(64, { description: 'Why the training ran.' }).optional(),
    rows: f.wholeNumber(0, 2_147_483_647, { description: 'Rows that were trained on.' }).optional(),
    startTime: f.time('When the training began.').optional(),
    endTime: f.time('When the training ended.').optional(),
    trainerVersion: f.text(128, { description: 'Version of the trainer.' }).optional(),
  })
  .optional()
  .meta({ description: 'Where the heads come from; for people.' });

const spec = z
  .strictObject({
    serviceName: f.label(63, {
      description: 'CachedModelService in the same namespace that the heads are for.',
      example: 'vision',
    }),
    backboneDigest: f.digest({
      description: 'Backbone that the heads were trained on; must equal the loaded one.',
      example: `sha256:${'0'.repeat(64)}`,
    }),
    bundle,
    exits,
    classCount: f.wholeNumber(2, 65_536, {
      description: 'Classes that the heads tell apart.',
      example: 1000,
    }),
    training,
  })
  .meta({ description: 'What the heads are; cannot change.' });

/**
 * A CacheHeadRevision as the operator or a user writes it. What holds between fields is in `head-revision-rules.ts`.
 * The status is read apart (`head-revision-status.ts`): a broken one must not make the heads unreadable.
 */
export const cacheHeadRevision = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal(HEAD_REVISION_KIND),
  metadata: objectMetadata('Name of the revision.', 'vision-3f2a9c1b77d0'),
  spec,
  status: z.looseObject({}).optional(),
});

export type CacheHeadRevision = z.infer<typeof cacheHeadRevision>;
export type CacheHeadRevisionSpec = CacheHeadRevision['spec'];

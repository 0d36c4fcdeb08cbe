import { z } from 'zod';

import { canonicalJson, checkShape, readJson, type DocumentKind } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';
import * as shapes from './shapes.ts';

export type ApplyResult = 'Applied' | 'AlreadyApplied' | 'Stale' | 'Rejected';

/** Classes that the server's real heads gave on a bundle's synthetic known-answer rows: one list per exit of the bundle. */
export interface KnownAnswer {
  readonly headRevision: string;
  readonly classes: readonly (readonly number[])[];
}

/** What a server says about the policy in force; status is computed from these only. */
export interface Acknowledgement {
  readonly schemaVersion: 1;
  readonly podUid: string;
  readonly bootId: string;
  /** Pair of the policy in force after the call (0, 0 before the first). */
  readonly epoch: number;
  readonly revision: number;
  /** Verified, warmed and loaded bundles. */
  readonly headRevisions: readonly string[];
  readonly backboneDigest: string;
  readonly result: ApplyResult;
  /** Empty, or a stable UpperCamelCase code such as CandidateMissing, CertificateRejected. */
  readonly reason: string;
  /** One sentence, empty when there is nothing to say. */
  readonly message: string;
  readonly knownAnswers: readonly KnownAnswer[];
}

const knownAnswer = z.strictObject({
  headRevision: shapes.digest,
  classes: z.array(z.array(shapes.counter.max(WIRE_LIMITS.classes)).max(64)).max(WIRE_LIMITS.exits),
});

/** Strict shape of an acknowledgement, also inside an evidence answer and a server state. */
export const acknowledgementSchema: z.ZodType<Acknowledgement> = z.strictObject({
  schemaVersion: shapes.schemaVersion,
  podUid: shapes.token,
  bootId: shapes.token,
  epoch: shapes.counter,
  revision: shapes.counter,
  headRevisions: z
    .array(shapes.digest)
    .max(16)
    .refine(shapes.areUnique, 'a head revision stands twice'),
  backboneDigest: shapes.digest,
  result: z.enum(['Applied', 'AlreadyApplied', 'Stale', 'Rejected']),
  reason: z.string().regex(/^([A-Z][A-Za-z0-9]{0,63})?$/, 'expected an UpperCamelCase code or ""'),
  message: shapes.sentence,
  knownAnswers: z
    .array(knownAnswer)
    .max(16)
    .refine(
      (list) => shapes.areUnique(list.map((k) => k.headRevision)),
      'a head revision stands twice',
    ),
});

const kind: DocumentKind = {
  name: 'acknowledgement',
  maxBytes: WIRE_LIMITS.acknowledgementBytes,
  nextStep: 'the pod counts as not acknowledged until it answers well-formed',
};

/** Text -> acknowledgement, strict. A refused one is no data: the pod counts as silent. */
export function parseAcknowledgement(text: string): Result<Acknowledgement> {
  const json = readJson(text, kind);
  return json.ok ? checkShape(json.value, acknowledgementSchema, kind) : json;
}

/** The one text of an acknowledgement: sorted keys, no white space. */
export function serializeAcknowledgement(acknowledgement: Acknowledgement): string {
  return canonicalJson(acknowledgement);
}

import { z } from 'zod';

import { AGREEMENT_NAMES, WHOLE_LOSS, type AgreementName } from './agreement.ts';
import { canonicalJson, checkShape, readJson, type DocumentKind } from './json.ts';
import { WIRE_LIMITS } from './limits.ts';
import type { Result } from './result.ts';
import * as shapes from './shapes.ts';
import { STUDENT_EXIT } from './student.ts';

/** What a server does with an exit: Active may answer, Shadow runs on audits only, Disabled is not run. */
export type ExitMode = 'Active' | 'Shadow' | 'Disabled';

/** An exit the server samples and shadows; exactly one of `tensor` (cut of the backbone), `modelDigest` (companion). */
export interface PolicyExit {
  readonly name: string;
  readonly tensor?: string;
  readonly modelDigest?: string;
  /** Header that names the source of a frame: the exit compares frames of a source. From schema version 5 on. */
  readonly sourceHeader?: string;
  readonly mode: ExitMode;
}

/** The counts that certify `lambdaIndex`; a server recomputes the test from them and refuses what they do not support. */
export interface PolicyCertificate {
  readonly audits: number;
  /** Rows that disagree; where the agreement is F1, tenths of a row: the sum of their losses. */
  readonly disagreements: number;
  /** D of exits.md 6.4, 1 when rows are independent. */
  readonly dispersion: number;
  /** 1-based attempt of the episode and 1-based look (1..3): together they fix the level of the test. */
  readonly attempt: number;
  readonly look: number;
  readonly backboneDigest: string;
  /** What was certified: these heads, up to this lambda. From schema version 3 on; before, given together or not at all. */
  readonly headRevision?: string;
  readonly lambdaIndex?: number;
  /** What `disagreements` counts and which test it takes; absent: Strict. Only in policies that name one. */
  readonly agreement?: AgreementName;
}

export interface PolicyTrack {
  /** `sha256:<64 hex>` of the head bundle file. */
  readonly headRevision: string;
  /** Index into the lambda grid; null before there is a certificate (shadowing). */
  readonly lambdaIndex: number | null;
  readonly certificate: PolicyCertificate | null;
  /** Names of exits in order; a prefix-cut of the bundle's exits. Empty: none may answer. */
  readonly activeExits: readonly string[];
  readonly bundleUri?: string;
}

export type CandidateStage = 'Staging' | 'Shadowing' | 'Ramping';

export interface PolicyCandidate extends PolicyTrack {
  /** Share of traffic, 0..1. Above 0 only with a certificate. */
  readonly share: number;
  readonly stage: CandidateStage;
  readonly stickyHeader?: string;
  readonly stickyKey?: string;
}

/**
 * Versions of the document that servers read, oldest first; what a server reads, its state says. 2 added
 * `limits.logLevel`, 3 what a certificate is for, 4 the agreement. Parsers are strict, so the operator writes the highest that all pods
 * of a service read, 4 only where the agreement is not the one there was first, and 5 only where an exit compares frames.
 */
export const POLICY_SCHEMA_VERSIONS = [1, 2, 3, 4, 5] as const;

export type PolicySchemaVersion = (typeof POLICY_SCHEMA_VERSIONS)[number];

/** Least severe lines that a server logs. */
const LOG_LEVELS = ['Error', 'Warn', 'Info', 'Debug'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** Settings that change without a restart. */
export interface PolicyLimits {
  /** From schema version 2 on; else the server logs as it was started. */
  readonly logLevel?: LogLevel;
  readonly maxBatchSize: number;
  readonly maxQueueDelayMs: number;
  readonly maxQueueLength: number;
  readonly maxRequestBytes: number;
  readonly maxConcurrentRequests: number;
  readonly requestTimeoutMs: number;
}

/** The whole instruction of a server; replaces the one in force iff (epoch, revision) is higher. Ratios are 0..1. */
export interface Policy {
  readonly schemaVersion: PolicySchemaVersion;
  readonly epoch: number;
  readonly revision: number;
  readonly model: string;
  readonly backboneDigest: string;
  readonly exitsEnabled: boolean;
  readonly budget: number;
  readonly confidence: number;
  /** What the budget bounds, from schema version 4 on; before, Strict. */
  readonly agreement?: AgreementName;
  readonly exits: readonly PolicyExit[];
  readonly stable: PolicyTrack | null;
  readonly candidate: PolicyCandidate | null;
  /** Probability that a row is audited, 0..1. */
  readonly auditRate: number;
  readonly maxAgeSeconds: number;
  readonly limits: PolicyLimits;
}

const certificate = z
  .strictObject({
    audits: shapes.ordinal,
    disagreements: shapes.counter,
    dispersion: z.number().min(1),
    attempt: shapes.ordinal,
    look: z.number().int().min(1).max(3),
    backboneDigest: shapes.digest,
    headRevision: z.exactOptional(shapes.digest),
    lambdaIndex: z.exactOptional(shapes.lambdaIndex),
    agreement: z.exactOptional(z.enum(AGREEMENT_NAMES)),
  })
  .refine((c) => (c.headRevision === undefined) === (c.lambdaIndex === undefined), {
    path: ['headRevision'],
    message: 'headRevision and lambdaIndex come together',
  })
  .refine((c) => c.disagreements <= c.audits * (c.agreement === 'F1' ? WHOLE_LOSS : 1), {
    path: ['disagreements'],
    message: 'must not be above audits',
  });

const trackFields = {
  headRevision: shapes.digest,
  lambdaIndex: shapes.lambdaIndex.nullable(),
  certificate: certificate.nullable(),
  activeExits: shapes.exitNames,
  bundleUri: z.exactOptional(z.string().min(1).max(1024)),
};

const track = z.strictObject(trackFields);

const headerName = z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'expected a header name');

const candidate = z.strictObject({
  ...trackFields,
  share: shapes.ratio,
  stage: z.enum(['Staging', 'Shadowing', 'Ramping']),
  stickyHeader: z.exactOptional(headerName),
  stickyKey: z.exactOptional(shapes.token),
});

const exit = z
  .strictObject({
    name: shapes.exitName,
    tensor: z.exactOptional(shapes.tensorName),
    modelDigest: z.exactOptional(shapes.digest),
    sourceHeader: z.exactOptional(headerName),
    mode: z.enum(['Active', 'Shadow', 'Disabled']),
  })
  .refine((e) => (e.tensor === undefined) !== (e.modelDigest === undefined), {
    message: 'set exactly one of tensor, modelDigest',
  })
  .refine((e) => e.sourceHeader === undefined || e.tensor !== undefined, {
    path: ['sourceHeader'],
    message: 'a companion has no frames to compare',
  });

const exits = z
  .array(exit)
  .max(WIRE_LIMITS.exits)
  .refine((list) => shapes.areUnique(list.map((e) => e.name)), 'two exits have the same name')
  .refine(
    (list) => list.every((e) => e.name !== STUDENT_EXIT),
    `the name ${STUDENT_EXIT} is reserved: choose another`,
  )
  .refine(
    (list) => shapes.areUnique(list.map((e) => e.tensor ?? e.modelDigest)),
    'two exits name the same tensor or model',
  )
  .refine(
    (list) => list.filter((e) => e.sourceHeader !== undefined).length <= 1,
    'two exits compare frames',
  );

const limits = z
  .strictObject({
    logLevel: z.exactOptional(z.enum(LOG_LEVELS)),
    maxBatchSize: z.number().int().min(1).max(1024),
    maxQueueDelayMs: z.number().min(0).max(1000),
    maxQueueLength: z.number().int().min(1).max(100_000),
    maxRequestBytes: z
      .number()
      .int()
      .min(1)
      .max(2 ** 30),
    maxConcurrentRequests: z.number().int().min(1).max(100_000),
    requestTimeoutMs: z.number().min(10).max(600_000),
  })
  .refine((l) => l.maxQueueLength >= l.maxBatchSize, {
    path: ['maxQueueLength'],
    message: 'must be at least maxBatchSize',
  });

const policyFields = z.strictObject({
  schemaVersion: z.literal(POLICY_SCHEMA_VERSIONS),
  epoch: shapes.ordinal,
  revision: shapes.ordinal,
  model: z.string().min(1).max(63),
  backboneDigest: shapes.digest,
  exitsEnabled: z.boolean(),
  budget: shapes.ratio,
  confidence: z.number().gt(0).lt(1),
  agreement: z.exactOptional(z.enum(AGREEMENT_NAMES)),
  exits,
  stable: track.nullable(),
  candidate: candidate.nullable(),
  auditRate: shapes.ratio,
  maxAgeSeconds: z.number().int().min(1).max(86_400),
  limits,
});

/** Broken rules between fields as [path, message]; a policy that breaks one is refused whole. */
type Finding = readonly [path: readonly string[], message: string];

/** A field of a certificate that does not go with the policy, and why. */
function findMisfit(
  policy: Policy,
  { backboneDigest, agreement, headRevision }: PolicyCertificate,
): readonly [field: string, message: string] | null {
  if (backboneDigest !== policy.backboneDigest) {
    return ['backboneDigest', 'the certificate belongs to another backbone'];
  }
  // The other way round it proves more than is asked: a loss is at most one disagreement.
  if (agreement === 'F1' && policy.agreement !== 'F1') {
    return ['agreement', 'F1 proves nothing of Strict agreement'];
  }
  if (policy.schemaVersion >= 3 && headRevision === undefined) {
    return ['headRevision', 'schemaVersion 3 says what a certificate is for'];
  }
  return null;
}

function findTrackProblem(policy: Policy, of: 'stable' | 'candidate'): Finding | null {
  const track = policy[of];
  if (track === null) return null;
  if ((track.lambdaIndex === null) !== (track.certificate === null)) {
    return [[of, 'certificate'], 'lambdaIndex and certificate come together'];
  }
  const misfit = track.certificate && findMisfit(policy, track.certificate);
  if (misfit !== null) return [[of, 'certificate', misfit[0]], misfit[1]];
  const named = policy.exits.filter((e) => e.mode === 'Active').map((e) => e.name);
  // A student comes with its heads: no manifest names it, and it runs before all others.
  const active = [STUDENT_EXIT, ...named];
  const positions = track.activeExits.map((name) => active.indexOf(name));
  // An exit that is not active is at -1, before any.
  if (positions.some((position, i) => position < (positions[i - 1] ?? 0))) {
    return [[of, 'activeExits'], 'expected names of exits with mode Active, in the order of exits'];
  }
  return null;
}

function findCandidateProblem(policy: Policy): Finding | null {
  const named = policy.candidate;
  if (named === null) return null;
  if (named.share > 0 && named.certificate === null) {
    return [['candidate', 'share'], 'a share above 0 needs a certificate and a lambdaIndex'];
  }
  if (named.share > 0 && named.stage !== 'Ramping') {
    return [['candidate', 'share'], 'a share above 0 needs stage Ramping'];
  }
  if ((named.stickyHeader === undefined) !== (named.stickyKey === undefined)) {
    return [['candidate', 'stickyKey'], 'stickyHeader and stickyKey come together'];
  }
  return null;
}

function findPolicyProblem(policy: Policy): Finding | null {
  if ((policy.limits.logLevel !== undefined) !== policy.schemaVersion >= 2) {
    return [['limits', 'logLevel'], 'logLevel and schemaVersion 2 come together'];
  }
  if ((policy.agreement !== undefined) !== policy.schemaVersion >= 4) {
    return [['agreement'], 'agreement and schemaVersion 4 come together'];
  }
  if (policy.exits.some((e) => e.sourceHeader !== undefined) !== policy.schemaVersion >= 5) {
    return [['exits'], 'sourceHeader and schemaVersion 5 come together'];
  }
  if (policy.exitsEnabled && policy.stable !== null && policy.stable.certificate === null) {
    return [['stable', 'certificate'], 'exitsEnabled needs the certificate of stable'];
  }
  return (
    findTrackProblem(policy, 'stable') ??
    findTrackProblem(policy, 'candidate') ??
    findCandidateProblem(policy)
  );
}

const policySchema: z.ZodType<Policy> = policyFields.superRefine((policy, context) => {
  const finding = findPolicyProblem(policy);
  if (finding === null) return;
  context.addIssue({ code: 'custom', path: [...finding[0]], message: finding[1] });
});

const kind: DocumentKind = {
  name: 'policy',
  maxBytes: WIRE_LIMITS.policyBytes,
  schemaVersions: POLICY_SCHEMA_VERSIONS,
  nextStep: 'the policy in force stays, publish a corrected one with a higher revision',
};

/**
 * Text -> policy. Strict: unknown or repeated fields, a wrong schemaVersion, anything out of range, and documents that
 * would let uncertified heads answer are refused whole. Whether the certificate's counts hold is the server's test.
 */
export function parsePolicy(text: string): Result<Policy> {
  const json = readJson(text, kind);
  return json.ok ? checkShape(json.value, policySchema, kind) : json;
}

/** The one text of a policy: sorted keys, no white space. Equal policies have equal texts. */
export function serializePolicy(policy: Policy): string {
  return canonicalJson(policy);
}

/** Order of two policies: epoch first, then revision; -1 when `a` is older, 0 when equal, 1 when newer. */
export function comparePair(
  a: Pick<Policy, 'epoch' | 'revision'>,
  b: Pick<Policy, 'epoch' | 'revision'>,
): -1 | 0 | 1 {
  if (a.epoch !== b.epoch) return a.epoch < b.epoch ? -1 : 1;
  if (a.revision !== b.revision) return a.revision < b.revision ? -1 : 1;
  return 0;
}

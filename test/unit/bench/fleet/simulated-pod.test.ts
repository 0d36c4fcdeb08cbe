import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { parseAcknowledgement } from '../../../../crds/wire/acknowledgement.ts';
import { parseEvidenceAnswer } from '../../../../crds/wire/evidence.ts';
import { parseHeadBundle } from '../../../../crds/wire/head-bundle.ts';
import { serializePolicy, type Policy } from '../../../../crds/wire/policy.ts';
import { parseServerState } from '../../../../crds/wire/state.ts';
import { definedAnswers } from '../../../../server/core/known-answer.ts';
import { createKnownHeads, simulatedBundle } from '../../../bench/fleet/simulated-heads.ts';
import { createSimulatedPod, type SimulatedPod } from '../../../bench/fleet/simulated-pod.ts';
import { createSyntheticTraffic } from '../../../bench/fleet/synthetic-traffic.ts';
import { BACKBONE_DIGEST } from '../../../support/builders.ts';
import { aPolicy, aTrack } from '../../crds/documents.ts';

const HEADS = simulatedBundle(1);
const DIGEST = `sha256:${createHash('sha256').update(HEADS).digest('hex')}`;

const STABLE = aTrack({
  ...{ headRevision: DIGEST, activeExits: ['a'] },
  certificate: {
    ...{ audits: 3_012, disagreements: 12, dispersion: 1.5, attempt: 1, look: 2 },
    backboneDigest: BACKBONE_DIGEST,
  },
});

interface Started {
  readonly pod: SimulatedPod;
  readonly applied: Policy[];
  readonly agesMs: number[];
  readonly clock: { nowMs: number };
}

function start(): Started {
  const clock = { nowMs: 1_000 };
  const applied: Policy[] = [];
  const agesMs: number[] = [];
  const pod = createSimulatedPod({
    ...{ podUid: 'pod-1', model: 'vision', heads: createKnownHeads() },
    observer: {
      policyApplied: (policy) => applied.push(policy),
      windowRead: (ageMs) => agesMs.push(ageMs),
    },
    nowMs: () => clock.nowMs,
  });
  return { pod, applied, agesMs, clock };
}

function ask(
  pod: SimulatedPod,
  method: string,
  path: string,
  body: string | Uint8Array = '',
): string {
  const { status, text } = pod.answer({ method, path, body: Buffer.from(body) });
  expect(status).toBeLessThan(300);
  return text;
}

function unwrap<T>(result: { ok: true; value: T } | { ok: false; message: string }): T {
  if (!result.ok) throw new Error(result.message);
  return result.value;
}

const policyOf = (revision: number, more: Partial<Policy> = {}): string =>
  serializePolicy(
    aPolicy({
      ...{ epoch: 1, revision, backboneDigest: BACKBONE_DIGEST, exitsEnabled: false },
      exits: [{ name: 'a', tensor: 'a_out', mode: 'Active' }],
      ...{ stable: null, candidate: null },
      ...more,
    }),
  );

describe('a simulated pod answers as a server does', () => {
  test('documents that the operator reads, before and after its first policy', () => {
    const { pod, applied } = start();
    expect(unwrap(parseServerState(ask(pod, 'GET', '/v1/state')))).toMatchObject({
      ...{ podUid: 'pod-1', policy: null },
      backbone: { digest: BACKBONE_DIGEST },
    });
    const { result, revision } = unwrap(
      parseAcknowledgement(ask(pod, 'PUT', '/v1/policy', policyOf(2))),
    );
    expect({ result, revision }).toEqual({ result: 'Applied', revision: 2 });
    expect(applied).toHaveLength(1);
  });

  test('an older policy is stale, and one whose heads it lacks is refused', () => {
    const { pod, applied } = start();
    ask(pod, 'PUT', '/v1/policy', policyOf(2));
    const older = unwrap(parseAcknowledgement(ask(pod, 'PUT', '/v1/policy', policyOf(1))));
    expect(older).toMatchObject({ result: 'Stale', revision: 2 });
    const lacking = unwrap(
      parseAcknowledgement(ask(pod, 'PUT', '/v1/policy', policyOf(3, { stable: STABLE }))),
    );
    expect(lacking).toMatchObject({ result: 'Rejected', reason: 'HeadMissing', revision: 2 });
    expect(applied).toHaveLength(1);
  });

  test('a mount brings a policy with its heads, and changes nothing when the policy is there', () => {
    const { pod, applied } = start();
    pod.readMount(policyOf(3, { stable: STABLE }), Buffer.from(HEADS));
    pod.readMount(policyOf(3, { stable: STABLE }), Buffer.from(HEADS));
    const { acknowledgement } = unwrap(parseServerState(ask(pod, 'GET', '/v1/state')));
    expect(acknowledgement).toMatchObject({ revision: 3, headRevisions: [DIGEST] });
    expect(applied.at(-1)?.stable?.headRevision).toBe(DIGEST);
    expect(new Set(applied.map(({ revision }) => revision))).toEqual(new Set([3]));
  });

  test('known answers are those of the heads that were pushed', () => {
    const { pod } = start();
    ask(pod, 'PUT', `/v1/heads/${DIGEST.slice(7)}`, HEADS);
    const { knownAnswers } = unwrap(
      parseAcknowledgement(ask(pod, 'PUT', '/v1/policy', policyOf(3, { stable: STABLE }))),
    );
    const { heads, classCount } = unwrap(parseHeadBundle(HEADS));
    const classes = heads.map((head) => definedAnswers(head, classCount).classes);
    expect(knownAnswers).toEqual([{ headRevision: DIGEST, classes }]);
  });

  test('windows are given once they are asked for, with their age, and from where one asks', () => {
    const { pod, agesMs, clock } = start();
    const traffic = createSyntheticTraffic([1]);
    pod.serve(traffic.next(20, false), 10);
    clock.nowMs += 700;
    const { answer } = unwrap(parseEvidenceAnswer(ask(pod, 'GET', '/v1/evidence?after=0')));
    expect(answer.windows.map(({ seq, served }) => [seq, served.rows])).toEqual([[1, [20]]]);
    expect(agesMs).toEqual([700]);
    pod.serve(traffic.next(5, true), 10);
    const next = unwrap(parseEvidenceAnswer(ask(pod, 'GET', '/v1/evidence?after=1')));
    expect(next.answer.windows.map(({ seq }) => seq)).toEqual([2]);
  });

  test('what no server has is not found', () => {
    expect(start().pod.answer({ method: 'GET', path: '/v2', body: Buffer.of() }).status).toBe(404);
  });
});

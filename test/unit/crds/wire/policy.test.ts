import { expect, test } from 'vitest';

import { WIRE_LIMITS } from '../../../../crds/wire/limits.ts';
import {
  comparePair,
  parsePolicy,
  serializePolicy,
  type Policy,
  type PolicyCertificate,
  type PolicyTrack,
} from '../../../../crds/wire/policy.ts';
import { aCandidate, aPolicy, aTrack, DIGEST_B, DIGEST_C } from '../documents.ts';

function messageOf(text: string): string {
  const outcome = parsePolicy(text);
  return outcome.ok ? 'accepted' : outcome.message;
}

test('a policy survives the round trip, with every part and without', () => {
  const policies = [
    aPolicy(),
    aPolicy({ candidate: null }),
    aPolicy({ exitsEnabled: false, stable: null, candidate: null, exits: [] }),
    aPolicy({
      exitsEnabled: false,
      stable: aTrack({ lambdaIndex: null, certificate: null }),
      candidate: null,
    }),
  ];
  for (const policy of policies) {
    expect(parsePolicy(serializePolicy(policy))).toEqual({ ok: true, value: policy });
  }
});

test('a policy of F1 agreement survives the round trip, with certificates of either', () => {
  const lost = (disagreements: number) => ({ agreement: 'F1', disagreements });
  for (const change of [{}, lost(12 * 10), lost(3012 * 10), { agreement: 'Strict' }]) {
    const policy = inVersion4({ agreement: 'F1' }, change as Partial<PolicyCertificate>);
    expect(parsePolicy(serializePolicy(policy))).toEqual({ ok: true, value: policy });
  }
});

test('a policy whose exit compares frames survives the round trip', () => {
  const policy = inVersion4({ schemaVersion: 5, agreement: 'F1', exits: COMPARING });
  expect(parsePolicy(serializePolicy(policy))).toEqual({ ok: true, value: policy });
});

test('the text of a policy is canonical', async () => {
  const policy = aPolicy();
  const reversed = Object.fromEntries(Object.entries(policy).reverse()) as unknown as Policy;
  expect(serializePolicy(reversed)).toBe(serializePolicy(policy));
  await expect(serializePolicy(policy)).toMatchFileSnapshot('../../../golden/crds/policy.json');
});

const certificate = aTrack().certificate;

/** The first exit compares frames. */
const COMPARING = aPolicy().exits.map((exit, i) =>
  i === 0 ? { ...exit, sourceHeader: 'x-camera' } : exit,
);

/** Of version 4, which says what a certificate is for. */
function inVersion4(changes: Partial<Policy>, of: Partial<PolicyCertificate> = {}): Policy {
  const { stable, limits } = aPolicy();
  const { headRevision, lambdaIndex } = stable!;
  return aPolicy({
    schemaVersion: 4,
    limits: { ...limits, logLevel: 'Info' },
    stable: {
      ...stable!,
      certificate: { ...certificate!, headRevision, lambdaIndex: lambdaIndex!, ...of },
    },
    candidate: null,
    ...changes,
  });
}

const broken: readonly (readonly [rule: string, policy: Policy, message: string])[] = [
  [
    'exits are enabled without a certificate of stable',
    aPolicy({ stable: aTrack({ lambdaIndex: null, certificate: null }) }),
    'field "stable.certificate" is null: exitsEnabled needs the certificate of stable',
  ],
  [
    'a lambda of stable without a certificate',
    aPolicy({ exitsEnabled: false, stable: aTrack({ certificate: null }) }),
    'field "stable.certificate" is null: lambdaIndex and certificate come together',
  ],
  [
    'a lambda of a candidate without a certificate',
    aPolicy({ candidate: aCandidate({ certificate: null }) }),
    'field "candidate.certificate" is null: lambdaIndex and certificate come together',
  ],
  [
    'a share without a certificate',
    aPolicy({ candidate: aCandidate({ certificate: null, lambdaIndex: null }) }),
    'field "candidate.share" is 0.25: a share above 0 needs a certificate and a lambdaIndex',
  ],
  [
    'a share before ramping',
    aPolicy({ candidate: aCandidate({ stage: 'Shadowing' }) }),
    'field "candidate.share" is 0.25: a share above 0 needs stage Ramping',
  ],
  [
    'a certificate of another backbone',
    aPolicy({ stable: aTrack({ certificate: { ...certificate!, backboneDigest: DIGEST_B } }) }),
    `field "stable.certificate.backboneDigest" is "${DIGEST_B.slice(0, 56)}...: the certificate belongs to another backbone`,
  ],
  [
    'more disagreements than audits',
    aPolicy({ stable: aTrack({ certificate: { ...certificate!, disagreements: 3013 } }) }),
    'field "stable.certificate.disagreements" is 3013: must not be above audits',
  ],
  [
    'an agreement before there was one',
    aPolicy({ agreement: 'F1' }),
    'field "agreement" is "F1": agreement and schemaVersion 4 come together',
  ],
  [
    'no agreement in a version that names it',
    inVersion4({}),
    'field "agreement" is missing: agreement and schemaVersion 4 come together',
  ],
  [
    'a certificate of losses where any disagreement counts',
    inVersion4({ agreement: 'Strict' }, { agreement: 'F1' }),
    'field "stable.certificate.agreement" is "F1": F1 proves nothing of Strict agreement',
  ],
  [
    'more lost than there are audits',
    inVersion4({ agreement: 'F1' }, { agreement: 'F1', disagreements: 30_121 }),
    'field "stable.certificate.disagreements" is 30121: must not be above audits',
  ],
  [
    'an active exit that is not named',
    aPolicy({ stable: aTrack({ activeExits: ['other'] }) }),
    'field "stable.activeExits" is ["other"]: expected names of exits with mode Active, in the order of exits',
  ],
  [
    'an active exit in shadow mode',
    aPolicy({ candidate: aCandidate({ activeExits: ['small'] }) }),
    'field "candidate.activeExits" is ["small"]: expected names of exits with mode Active',
  ],
  [
    'an unknown exit behind a known one',
    aPolicy({ stable: aTrack({ activeExits: ['early', 'other'] }) }),
    'field "stable.activeExits" is ["early","other"]: expected names of exits with mode Active',
  ],
  [
    'active exits out of order',
    aPolicy({ stable: aTrack({ activeExits: ['late', 'early'] }) }),
    'field "stable.activeExits" is ["late","early"]: expected names of exits with mode Active',
  ],
  [
    'an exit twice among the active',
    aPolicy({ stable: aTrack({ activeExits: ['early', 'early'] }) }),
    'field "stable.activeExits" is ["early","early"]: two exits have the same name',
  ],
  [
    'a lambda off the grid',
    aPolicy({ stable: aTrack({ lambdaIndex: 120 }) }),
    'field "stable.lambdaIndex" is 120: ',
  ],
  [
    'two exits of one tensor',
    aPolicy({ exits: [...aPolicy().exits, { name: 'x', tensor: 'block2/out', mode: 'Active' }] }),
    'two exits name the same tensor or model',
  ],
  [
    'two exits of one model',
    aPolicy({ exits: [...aPolicy().exits, { name: 'x', modelDigest: DIGEST_C, mode: 'Active' }] }),
    'two exits name the same tensor or model',
  ],
  [
    'two exits of one name',
    aPolicy({ exits: [...aPolicy().exits, { name: 'late', tensor: 't', mode: 'Active' }] }),
    'two exits have the same name',
  ],
  [
    'more exits than a server has places for',
    aPolicy({
      exits: Array.from({ length: WIRE_LIMITS.exits + 1 }, (_, i) => ({
        name: `e${i}`,
        tensor: `t${i}`,
        mode: 'Shadow' as const,
      })),
    }),
    'field "exits" is',
  ],
  [
    'an exit of nothing',
    aPolicy({ exits: [{ name: 'x', mode: 'Active' }] }),
    'set exactly one of tensor, modelDigest',
  ],
  [
    'an exit of both',
    aPolicy({ exits: [{ name: 'x', tensor: 't', modelDigest: DIGEST_C, mode: 'Active' }] }),
    'set exactly one of tensor, modelDigest',
  ],
  [
    'a header of frames before there was one',
    inVersion4({ agreement: 'F1', exits: COMPARING }),
    'field "exits" is [{"mode":',
  ],
  [
    'no header of frames in a version that names it',
    inVersion4({ agreement: 'F1', schemaVersion: 5 }),
    'sourceHeader and schemaVersion 5 come together',
  ],
  [
    'two exits that compare frames',
    aPolicy({
      exits: ['a', 'b'].map((name) => ({
        ...{ name, tensor: name, sourceHeader: 'x-camera', mode: 'Active' },
      })),
    }),
    'two exits compare frames',
  ],
  [
    'a companion that compares frames',
    aPolicy({
      exits: [{ name: 'x', modelDigest: DIGEST_C, sourceHeader: 'x-camera', mode: 'Active' }],
    }),
    'a companion has no frames to compare',
  ],
  [
    'a header that is none',
    aPolicy({ exits: [{ name: 'x', tensor: 't', sourceHeader: 'x camera', mode: 'Active' }] }),
    'expected a header name',
  ],
  [
    'the reserved name',
    aPolicy({ exits: [{ name: 'backbone', tensor: 't', mode: 'Active' }] }),
    'field "exits[0].name" is "backbone": the name backbone is reserved',
  ],
  [
    'a name that heads bring',
    aPolicy({ exits: [{ name: 'student', tensor: 't', mode: 'Active' }] }),
    'the name student is reserved',
  ],
  [
    'a queue shorter than a batch',
    aPolicy({ limits: { ...aPolicy().limits, maxQueueLength: 31 } }),
    'field "limits.maxQueueLength" is 31: must be at least maxBatchSize',
  ],
  ['a confidence of one', aPolicy({ confidence: 1 }), 'field "confidence" is 1: '],
  ['a confidence of zero', aPolicy({ confidence: 0 }), 'field "confidence" is 0: '],
  ['epoch zero', aPolicy({ epoch: 0 }), 'field "epoch" is 0: '],
];

test.each(broken)('a policy is refused for %s', (_rule, policy, message) => {
  expect(messageOf(serializePolicy(policy))).toContain(`policy refused: `);
  expect(messageOf(serializePolicy(policy))).toContain(message);
});

const OFF = { name: 'off', tensor: 'block3/out', mode: 'Disabled' } as const;
const accepted: readonly (readonly [what: string, policy: Policy])[] = [
  [
    'a student before the exits that are named',
    aPolicy({
      candidate: aCandidate({
        activeExits: ['student', ...aCandidate().activeExits],
      }),
    }),
  ],
  [
    'a candidate that shadows without a certificate',
    aPolicy({
      candidate: aCandidate({ share: 0, stage: 'Shadowing', certificate: null, lambdaIndex: null }),
    }),
  ],
  [
    'a candidate whose heads are on their way',
    aPolicy({
      candidate: aCandidate({ share: 0, stage: 'Staging', certificate: null, lambdaIndex: null }),
    }),
  ],
  ['the first candidate, which ramps beside no stable', aPolicy({ stable: null })],
  [
    'a certificate on nothing but disagreements',
    aPolicy({ stable: aTrack({ certificate: { ...certificate!, disagreements: 3012 } }) }),
  ],
  [
    'a queue of one batch',
    aPolicy({ limits: { ...aPolicy().limits, maxQueueLength: 32, maxBatchSize: 32 } }),
  ],
  ['an exit that is switched off', aPolicy({ exits: [...aPolicy().exits, OFF] })],
  ['a track that may use no exit', aPolicy({ stable: aTrack({ activeExits: [] }) })],
];

test.each(accepted)('a policy is read with %s', (_what, policy) => {
  expect(parsePolicy(serializePolicy(policy))).toEqual({ ok: true, value: policy });
});

const limitsWith = (field: string) => (n: number) =>
  aPolicy({ limits: { ...aPolicy().limits, [field]: n } });
const lookOf = (look: number): Policy =>
  aPolicy({ stable: aTrack({ certificate: { ...certificate!, look } }) });

/** The least and the greatest that a field takes, and how far beyond is too far. */
const bounds: readonly (readonly [
  field: string,
  least: number,
  most: number,
  of: { readonly step: number; readonly policy: (n: number) => Policy },
])[] = [
  ['limits.maxBatchSize', 1, 1024, { step: 1, policy: limitsWith('maxBatchSize') }],
  ['limits.maxQueueDelayMs', 0, 1000, { step: 0.5, policy: limitsWith('maxQueueDelayMs') }],
  ['limits.maxQueueLength', 32, 100_000, { step: 1, policy: limitsWith('maxQueueLength') }],
  ['limits.maxRequestBytes', 1, 2 ** 30, { step: 1, policy: limitsWith('maxRequestBytes') }],
  [
    'limits.maxConcurrentRequests',
    1,
    100_000,
    { step: 1, policy: limitsWith('maxConcurrentRequests') },
  ],
  ['limits.requestTimeoutMs', 10, 600_000, { step: 0.5, policy: limitsWith('requestTimeoutMs') }],
  ['maxAgeSeconds', 1, 86_400, { step: 1, policy: (n) => aPolicy({ maxAgeSeconds: n }) }],
  ['budget', 0, 1, { step: 0.001, policy: (n) => aPolicy({ budget: n }) }],
  ['auditRate', 0, 1, { step: 0.001, policy: (n) => aPolicy({ auditRate: n }) }],
  [
    'candidate.share',
    0,
    1,
    { step: 0.001, policy: (n) => aPolicy({ candidate: aCandidate({ share: n }) }) },
  ],
  ['stable.certificate.look', 1, 3, { step: 1, policy: lookOf }],
];

test.each(bounds)('%s is from %d to %d', (field, least, most, { step, policy }) => {
  expect(messageOf(serializePolicy(policy(least)))).toBe('accepted');
  expect(messageOf(serializePolicy(policy(most)))).toBe('accepted');
  for (const outside of [least - step, most + step]) {
    expect(messageOf(serializePolicy(policy(outside)))).toContain(
      `field "${field}" is ${outside}: `,
    );
  }
});

test('a dispersion below that of independent rows is refused', () => {
  const withDispersion = (dispersion: number): string =>
    messageOf(
      serializePolicy(
        aPolicy({ stable: aTrack({ certificate: { ...certificate!, dispersion } }) }),
      ),
    );
  expect(withDispersion(1)).toBe('accepted');
  expect(withDispersion(0.99)).toContain('field "stable.certificate.dispersion" is 0.99: ');
});

test('a name of a model has up to 63 characters, an address of a bundle up to 1024', () => {
  const named = (model: string): string => messageOf(serializePolicy(aPolicy({ model })));
  expect([named('m'), named('m'.repeat(63))]).toEqual(['accepted', 'accepted']);
  expect(named('')).toContain('field "model" is "": ');
  expect(named('m'.repeat(64))).toContain('field "model" is ');
  const from = (bundleUri: string): string =>
    messageOf(serializePolicy(aPolicy({ stable: aTrack({ bundleUri }) })));
  expect([from('u'), from('u'.repeat(1024))]).toEqual(['accepted', 'accepted']);
  expect(from('')).toContain('field "stable.bundleUri" is "": ');
  expect(from('u'.repeat(1025))).toContain('field "stable.bundleUri" is ');
});

test('a sticky header is a header name of up to 64 characters', () => {
  const sticky = (stickyHeader: string): string =>
    messageOf(serializePolicy(aPolicy({ candidate: aCandidate({ stickyHeader }) })));
  expect([sticky('X-9'), sticky('x'.repeat(64))]).toEqual(['accepted', 'accepted']);
  for (const lame of ['', 'x y', 'x:', ':x', 'x'.repeat(65)]) {
    expect(sticky(lame)).toContain(
      `field "candidate.stickyHeader" is ${JSON.stringify(lame).slice(0, 57)}`,
    );
    expect(sticky(lame)).toContain(': expected a header name');
  }
});

test('a candidate without a sticky header draws its share by chance', () => {
  const { stickyHeader, stickyKey, ...rest } = aCandidate();
  expect([stickyHeader, stickyKey]).toEqual(['x-tenant', 'key-1']);
  const policy = aPolicy({ candidate: rest });
  expect(parsePolicy(serializePolicy(policy))).toEqual({ ok: true, value: policy });
});

test.each(['Error', 'Warn', 'Info', 'Debug'] as const)(
  'a server may log from %s on',
  (logLevel) => {
    const policy = aPolicy({ schemaVersion: 2, limits: { ...aPolicy().limits, logLevel } });
    expect(parsePolicy(serializePolicy(policy))).toEqual({ ok: true, value: policy });
  },
);

test.each([
  ['an exit', '"mode":"Active"', 'exits[0].mode'],
  ['a candidate', '"stage":"Ramping"', 'candidate.stage'],
])('a state of %s that nobody knows is refused', (_of, known, field) => {
  const text = serializePolicy(aPolicy()).replace(known, known.replace(/:".*"/, ':"Other"'));
  expect(messageOf(text)).toContain(`field "${field}" is "Other": `);
});

test('a sticky key without its header is refused', () => {
  const candidate = aCandidate();
  Reflect.deleteProperty(candidate, 'stickyHeader');
  expect(messageOf(serializePolicy(aPolicy({ candidate })))).toContain(
    'field "candidate.stickyKey" is "key-1": stickyHeader and stickyKey come together',
  );
});

test('size, depth, duplicate keys, __proto__ and unknown schemas are refused before the fields', () => {
  const text = serializePolicy(aPolicy());
  expect(messageOf(' '.repeat(WIRE_LIMITS.policyBytes) + text)).toContain(
    'at most 262144 are allowed',
  );
  expect(messageOf('['.repeat(17) + ']'.repeat(17))).toContain('nests deeper than 16');
  expect(messageOf(text.replace('{', '{"epoch":9,'))).toContain('"epoch" stands twice');
  expect(messageOf(text.replace('{', '{"\\u0065poch" : 9,'))).toContain('"epoch" stands twice');
  expect(messageOf(text.replace('{', '{"__proto__":{},'))).toContain('"__proto__" is not allowed');
  expect(messageOf(text.replace('"schemaVersion":1', '"schemaVersion":6'))).toContain(
    'this program reads 1 and 2 and 3 and 4',
  );
  expect(messageOf('{"a":"unterminated')).toContain('is not JSON');
  expect(messageOf('{"a\\x":1}')).toContain('is not JSON');
  expect(messageOf('[]')).toContain('schemaVersion');
  expect(messageOf('3')).toContain('"schemaVersion" is missing');
});

test('the log level came with version 2: neither is without the other', () => {
  const { limits } = aPolicy();
  const leveled = { ...limits, logLevel: 'Debug' as const };
  const second = aPolicy({ schemaVersion: 2, limits: leveled });
  expect(parsePolicy(serializePolicy(second))).toEqual({ ok: true, value: second });
  for (const lame of [aPolicy({ limits: leveled }), aPolicy({ schemaVersion: 2 })]) {
    expect(messageOf(serializePolicy(lame))).toMatch(
      /field "limits\.logLevel" is .+: logLevel and schemaVersion 2 come together/,
    );
  }
});

test('what a certificate is for came with version 3, which insists on it; before it is whole or absent', () => {
  const limits = { ...aPolicy().limits, logLevel: 'Info' as const };
  const third = (track: PolicyTrack) =>
    aPolicy({ schemaVersion: 3, limits, stable: track, candidate: null });
  const bare = aTrack();
  const said = { headRevision: bare.headRevision, lambdaIndex: 68 };
  const certificate = { ...bare.certificate!, ...said };
  const whole = third(aTrack({ certificate }));
  expect(parsePolicy(serializePolicy(whole))).toEqual({ ok: true, value: whole });
  expect(messageOf(serializePolicy(third(bare)))).toContain(
    'field "stable.certificate.headRevision" is missing: schemaVersion 3 says what a certificate is for',
  );
  const shadow = { ...bare, lambdaIndex: null, certificate: null };
  expect(parsePolicy(serializePolicy({ ...third(shadow), exitsEnabled: false })).ok).toBe(true);
  expect(parsePolicy(serializePolicy(aPolicy({ stable: aTrack({ certificate }) }))).ok).toBe(true);
  const half = { ...bare.certificate!, lambdaIndex: 68 };
  expect(messageOf(serializePolicy(aPolicy({ stable: aTrack({ certificate: half }) })))).toContain(
    'field "stable.certificate.headRevision" is missing: headRevision and lambdaIndex come together',
  );
});

test('a message names field, value and next step and stays short', () => {
  const text = serializePolicy(aPolicy({ model: 'x'.repeat(200) }));
  expect(messageOf(text)).toMatch(
    /^policy refused: field "model" is "x{50,56}\.\.\.: .+; the policy in force stays, .+\.$/,
  );
  expect(messageOf(serializePolicy(aPolicy({ stable: aTrack({ lambdaIndex: -1 }) })))).toContain(
    'field "stable.lambdaIndex" is -1',
  );
});

test('a later epoch beats any revision', () => {
  const pair = (epoch: number, revision: number): { epoch: number; revision: number } => ({
    epoch,
    revision,
  });
  expect(comparePair(pair(2, 1), pair(1, 99))).toBe(1);
  expect(comparePair(pair(1, 99), pair(2, 1))).toBe(-1);
  expect(comparePair(pair(1, 2), pair(1, 3))).toBe(-1);
  expect(comparePair(pair(1, 3), pair(1, 2))).toBe(1);
  expect(comparePair(pair(1, 3), pair(1, 3))).toBe(0);
});

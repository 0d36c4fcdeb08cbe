import fc from 'fast-check';
import { expect, test } from 'vitest';

import { WIRE_LIMITS } from '../../../../crds/wire/limits.ts';
import {
  comparePair,
  parsePolicy,
  serializePolicy,
  type Policy,
  type PolicyTrack,
} from '../../../../crds/wire/policy.ts';
import {
  expectRefusedOrWhole,
  SEED,
  withDamagedCharacters,
  withOneFieldDamaged,
} from '../damage.ts';
import { aCandidate, aPolicy, aTrack, DIGEST_B } from '../documents.ts';

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

test('the text of a policy is canonical', async () => {
  const policy = aPolicy();
  const reversed = Object.fromEntries(Object.entries(policy).reverse()) as unknown as Policy;
  expect(serializePolicy(reversed)).toBe(serializePolicy(policy));
  await expect(serializePolicy(policy)).toMatchFileSnapshot('../../../golden/crds/policy.json');
});

test('a policy that differs in one field is refused or read as it stands', () => {
  for (const text of withOneFieldDamaged(serializePolicy(aPolicy()))) {
    expectRefusedOrWhole(text, parsePolicy(text), serializePolicy);
  }
});

test('a policy with damaged characters is refused or read as it stands', () => {
  fc.assert(
    fc.property(withDamagedCharacters(serializePolicy(aPolicy())), (text) => {
      expectRefusedOrWhole(text, parsePolicy(text), serializePolicy);
    }),
    { seed: SEED, numRuns: 3000 },
  );
});

const certificate = aTrack().certificate;
const broken: readonly (readonly [rule: string, policy: Policy, message: string])[] = [
  [
    'exits are enabled without a certificate of stable',
    aPolicy({ stable: aTrack({ lambdaIndex: null, certificate: null }) }),
    'exitsEnabled needs the certificate',
  ],
  [
    'a lambda without a certificate',
    aPolicy({ candidate: aCandidate({ certificate: null }) }),
    'come together',
  ],
  [
    'a share without a certificate',
    aPolicy({ candidate: aCandidate({ certificate: null, lambdaIndex: null }) }),
    'a share above 0 needs a certificate',
  ],
  [
    'a share before ramping',
    aPolicy({ candidate: aCandidate({ stage: 'Shadowing' }) }),
    'needs stage Ramping',
  ],
  [
    'a certificate of another backbone',
    aPolicy({ stable: aTrack({ certificate: { ...certificate!, backboneDigest: DIGEST_B } }) }),
    'another backbone',
  ],
  [
    'more disagreements than audits',
    aPolicy({ stable: aTrack({ certificate: { ...certificate!, disagreements: 4000 } }) }),
    'must not be above audits',
  ],
  [
    'an active exit that is not named',
    aPolicy({ stable: aTrack({ activeExits: ['other'] }) }),
    'mode Active',
  ],
  [
    'an active exit in shadow mode',
    aPolicy({ stable: aTrack({ activeExits: ['small'] }) }),
    'mode Active',
  ],
  [
    'active exits out of order',
    aPolicy({ stable: aTrack({ activeExits: ['late', 'early'] }) }),
    'order of exits',
  ],
  [
    'an exit twice among the active',
    aPolicy({ stable: aTrack({ activeExits: ['early', 'early'] }) }),
    'two exits have the same name',
  ],
  [
    'a lambda off the grid',
    aPolicy({ stable: aTrack({ lambdaIndex: 120 }) }),
    'stable.lambdaIndex',
  ],
  [
    'two exits of one tensor',
    aPolicy({ exits: [...aPolicy().exits, { name: 'x', tensor: 'block2/out', mode: 'Active' }] }),
    'same tensor or model',
  ],
  [
    'two exits of one name',
    aPolicy({ exits: [...aPolicy().exits, { name: 'late', tensor: 't', mode: 'Active' }] }),
    'two exits have the same name',
  ],
  [
    'an exit of nothing',
    aPolicy({ exits: [{ name: 'x', mode: 'Active' }] }),
    'exactly one of tensor, modelDigest',
  ],
  [
    'the reserved name',
    aPolicy({ exits: [{ name: 'backbone', tensor: 't', mode: 'Active' }] }),
    'the name backbone is reserved',
  ],
  [
    'a queue shorter than a batch',
    aPolicy({ limits: { ...aPolicy().limits, maxQueueLength: 8 } }),
    'must be at least maxBatchSize',
  ],
  ['a confidence of one', aPolicy({ confidence: 1 }), 'confidence'],
  ['epoch zero', aPolicy({ epoch: 0 }), 'epoch'],
];

test.each(broken)('a policy is refused for %s', (_rule, policy, message) => {
  expect(messageOf(serializePolicy(policy))).toContain(message);
});

test('a sticky key without its header is refused', () => {
  const candidate = aCandidate();
  Reflect.deleteProperty(candidate, 'stickyHeader');
  expect(messageOf(serializePolicy(aPolicy({ candidate })))).toContain('come together');
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
  expect(messageOf(text.replace('"schemaVersion":1', '"schemaVersion":4'))).toContain(
    'this program reads 1 and 2 and 3',
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
    expect(messageOf(serializePolicy(lame))).toContain(
      'logLevel and schemaVersion 2 come together',
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
  expect(messageOf(serializePolicy(third(bare)))).toContain('says what a certificate is for');
  const shadow = { ...bare, lambdaIndex: null, certificate: null };
  expect(parsePolicy(serializePolicy({ ...third(shadow), exitsEnabled: false })).ok).toBe(true);
  expect(parsePolicy(serializePolicy(aPolicy({ stable: aTrack({ certificate }) }))).ok).toBe(true);
  const half = { ...bare.certificate!, lambdaIndex: 68 };
  expect(messageOf(serializePolicy(aPolicy({ stable: aTrack({ certificate: half }) })))).toContain(
    'headRevision and lambdaIndex come together',
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

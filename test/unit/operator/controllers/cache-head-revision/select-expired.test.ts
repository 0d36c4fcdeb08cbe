import { expect, test } from 'vitest';
import {
  selectExpired,
  type KeptRevision,
} from '../../../../../operator/controllers/cache-head-revision/select-expired.ts';

/** Made by the operator, in the order of its name's last digit, needed by nobody. */
function kept(name: string, fields: Partial<KeptRevision> = {}): KeptRevision {
  return {
    name,
    digest: `digest of ${name}`,
    createdMs: Number(name.slice(-1)),
    isOwned: true,
    isFailed: false,
    isTerminating: false,
    isAbandoned: false,
    ...fields,
  };
}

const FOUR = ['r1', 'r2', 'r3', 'r4'].map((name) => kept(name));
const NOTHING = { names: new Set<string>(), digests: new Set<string>() };

function expired(
  revisions: readonly KeptRevision[],
  inUse: Partial<typeof NOTHING> = {},
  historyLimit = 2,
): readonly string[] {
  return selectExpired(revisions, { inUse: { ...NOTHING, ...inUse }, historyLimit }).toSorted();
}

test('the newest stay, as many as the history limit says', () => {
  expect(expired(FOUR)).toEqual(['r1', 'r2']);
  expect(expired(FOUR, {}, 4)).toEqual([]);
});

test('failed ones go before older ones', () => {
  const [r1, r2, r3, r4] = FOUR;
  expect(expired([r1!, r2!, r3!, { ...r4!, isFailed: true }])).toEqual(['r1', 'r4']);
  expect(expired(FOUR.map((revision) => ({ ...revision, isFailed: true })))).toEqual(['r1', 'r2']);
});

test('what is in use never goes and takes no place of the others', () => {
  expect(expired(FOUR, { names: new Set(['r1']) })).toEqual(['r2']);
  expect(expired(FOUR, { digests: new Set(['digest of r1', 'digest of r2']) })).toEqual([]);
});

test("people's own and those that go already are left alone", () => {
  const [r1, r2, ...others] = FOUR;
  expect(expired([{ ...r1!, isOwned: false }, r2!, ...others])).toEqual(['r2']);
  expect(expired([{ ...r1!, isTerminating: true }, r2!, ...others])).toEqual(['r2']);
});

test('a revision without its bundle goes, unless it is in use', () => {
  const lost = kept('r5', { isAbandoned: true });
  expect(expired([lost])).toEqual(['r5']);
  expect(expired([lost], { names: new Set(['r5']) })).toEqual([]);
  expect(expired([...FOUR.slice(2), lost])).toEqual(['r5']);
});

test('of equal age the choice does not depend on the order of the list', () => {
  const same = FOUR.map((revision) => ({ ...revision, createdMs: 0 }));
  expect(expired(same)).toEqual(expired(same.toReversed()));
});

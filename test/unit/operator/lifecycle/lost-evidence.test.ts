import { expect, test } from 'vitest';
import type { EvidenceWindow } from '../../../../crds/wire/evidence.ts';
import { emptyLedger, NO_LOST } from '../../../../operator/lifecycle/ledger.ts';
import { updateLost } from '../../../../operator/lifecycle/lost-evidence.ts';
import { readTick } from '../../../../operator/lifecycle/tick.ts';
import type { LifecycleInput } from '../../../../operator/lifecycle/types.ts';
import {
  aBackbone,
  anEvidenceWindow,
  REVISION,
  servedRows,
  type WindowFields,
} from '../../../support/builders.ts';
import { aLoadedInput, aLoadedPod } from '../../../support/ledger-builders.ts';

let seq = 0;
/** 1,000 answered rows, one in fifty of them audited. */
const windowOf = (fields: WindowFields = {}): EvidenceWindow =>
  anEvidenceWindow({
    ...{ audits: 20, auditRate: 0.02, served: servedRows(2, 1_000) },
    ...fields,
    seq: ++seq,
  });
const withoutHeads = {
  ...{ headRevision: null, track: null, exits: [], lambdaIndex: null, audits: 0 },
  served: servedRows(0, 1_000),
} as const;

const lostOf = (pods: LifecycleInput['pods']) => {
  const { tick } = readTick(emptyLedger(), aLoadedInput({ pods }), aBackbone());
  return updateLost(NO_LOST, tick, REVISION);
};
const podOf = (windows: readonly EvidenceWindow[]) =>
  aLoadedPod({ windows, oldestSeq: windows[0]?.seq ?? 0 });

test('a tick that brings nothing of the heads changes nothing', () => {
  expect(lostOf([podOf([])])).toBe(NO_LOST);
  expect(lostOf([podOf([windowOf(withoutHeads)])])).toBe(NO_LOST);
});

test('audits are not expected of a pod that does not hold the heads that its window names', () => {
  const held = podOf([windowOf()]);
  expect(lostOf([held]).entries).toMatchObject([{ chosen: 20, expected: 20, received: 20 }]);
  const doubtful = { ...podOf([windowOf()]), acknowledgement: null };
  expect(lostOf([doubtful]).entries).toMatchObject([{ chosen: 20, expected: 0, received: 0 }]);
});

test('audits are expected of all rows under a policy, and not of another one whose numbers read alike', () => {
  const own = { epoch: 1, policyRevision: 12 };
  const expectedBeside = (fields: WindowFields) =>
    lostOf([podOf([windowOf({ ...withoutHeads, ...fields }), windowOf(own)])]).entries[0]?.expected;
  expect(expectedBeside(own)).toBe(40);
  expect(expectedBeside({ epoch: 11, policyRevision: 2 })).toBe(20);
});

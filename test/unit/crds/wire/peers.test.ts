import { expect, test } from 'vitest';
import { parsePeers, serializePeers, type Peers } from '../../../../crds/wire/peers.ts';
import { expectRefusedOrWhole, withOneFieldDamaged } from '../damage.ts';

const pin = (digit: string) => `sha256:${digit.repeat(64)}`;
const PEERS: Peers = {
  schemaVersion: 1,
  peers: [
    { role: 'operator', spki: pin('a'), rights: 'all' },
    { role: 'trainer', spki: pin('b'), rights: 'samples' },
  ],
};

test('peers survive the round trip', () => {
  expect(parsePeers(serializePeers(PEERS))).toEqual({ ok: true, value: PEERS });
});

test('damaged peers are refused or read as they stand', () => {
  for (const text of withOneFieldDamaged(serializePeers(PEERS))) {
    expectRefusedOrWhole(text, parsePeers(text), serializePeers);
  }
});

test.each([
  ['nobody', { schemaVersion: 1, peers: [] }],
  [
    'a key twice',
    { schemaVersion: 1, peers: [PEERS.peers[0], { ...PEERS.peers[1], spki: pin('a') }] },
  ],
  [
    'a right that does not exist',
    { schemaVersion: 1, peers: [{ ...PEERS.peers[0], rights: 'write' }] },
  ],
  ['another schema', { ...PEERS, schemaVersion: 2 }],
])('%s is refused', (_, peers) => {
  expect(parsePeers(JSON.stringify(peers)).ok).toBe(false);
});

test('text that is no JSON names no peers', () => {
  expect(parsePeers('{').ok).toBe(false);
});

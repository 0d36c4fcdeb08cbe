import { expect, test } from 'vitest';
import { shareWords } from '../../../../operator/fleet/share-words.ts';
import { aState, anAcknowledgement } from '../../crds/documents.ts';

function words(podUid: string, seen = 1) {
  const state = { ...aState(), podUid, samples: { long: 0, recent: 0, seen } };
  return {
    state: { loaded: true as const, state: structuredClone(state) },
    acknowledgement: structuredClone(anAcknowledgement({ podUid })),
  };
}
const nothing = { state: null, acknowledgement: null };

test('pods of a service hold one backbone and one list of cuts between them', () => {
  const heard = words('pod-1');
  const said = words('pod-2');
  const shared = shareWords(said, { before: nothing, heard });
  expect(shared).toEqual(said);
  expect(shared.state?.state).toMatchObject({ podUid: 'pod-2' });
  expect(shared.state).toHaveProperty('state.backbone', heard.state.state.backbone);
  if (shared.state?.loaded !== true) throw new Error('its state is not loaded');
  expect(shared.state.state.backbone).toBe(heard.state.state.backbone);
  expect(shared.state.state.cuts).toBe(heard.state.state.cuts);
  expect(shared.acknowledgement?.knownAnswers).toBe(heard.acknowledgement.knownAnswers);
});

test('what a pod says again is the object that it was', () => {
  const before = words('pod-2');
  const heard = words('pod-1', 5);
  expect(shareWords(words('pod-2'), { before, heard })).toEqual(before);
  expect(shareWords(words('pod-2'), { before, heard }).state).toBe(before.state);
  expect(shareWords(before, { before, heard: null }).state).toBe(before.state);
});

import { expect, test } from 'vitest';
import { encodeDone } from '../../../../server/engine/batch-frames.ts';
import { EngineError } from '../../../../server/engine/engine-error.ts';
import { FrameError, FrameReader, type Frame } from '../../../../server/engine/frames.ts';
import { PendingCalls } from '../../../../server/engine/pending-calls.ts';

const GONE = new EngineError('EngineDown', 'the engine host is gone');

function done(id: number): Frame {
  const seconds = { segment: 1, head: 2, companion: 6, compact: 3, audit: 4, plain: 5 };
  const nothing = { audits: [], samples: [], nonFiniteRows: [], nonFiniteHeads: [] };
  const outcome = { ...nothing, seconds, segments: [] };
  return new FrameReader().push(encodeDone(id, outcome)!)[0]!;
}

test.each([
  ['an end of a batch that is cut', (frame: Frame) => ({ ...frame, blobs: [] })],
  ['a kind that answers nothing', (frame: Frame) => ({ ...frame, kind: 'ping' as const })],
])(
  '%s is an error of the connection, and its call waits for the end of the host',
  async (_, spoil) => {
    const calls = new PendingCalls();
    let id = 0;
    const answer = calls.add((given) => (id = given), { sinceMs: 0, onRows: () => undefined });
    expect(() => {
      calls.receive(spoil(done(id)));
    }).toThrow(FrameError);
    expect(calls.isEmpty).toBe(false);
    calls.rejectAll(GONE);
    await expect(answer).rejects.toBe(GONE);
  },
);

test('an answer to nobody is dropped, one to a call goes to that call alone', async () => {
  const calls = new PendingCalls();
  const ids: number[] = [];
  const [first, second] = [0, 1].map(() => calls.add((id) => ids.push(id), { sinceMs: 0 }));
  calls.receive(done(99));
  calls.receive(done(ids[1]!));
  expect(await second).toMatchObject({ to: 'run', outcome: { seconds: { plain: 5 } } });
  calls.rejectAll(GONE);
  await expect(first).rejects.toBe(GONE);
});

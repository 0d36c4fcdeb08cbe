// Windows of policies whose agreement is F1: beside the rows that disagree, what each of them loses.
import { describe, expect, test } from 'vitest';

import {
  checkEvidenceLaws,
  parseEvidenceAnswer,
  serializeEvidenceAnswer,
  type EvidenceWindow,
} from '../../../../crds/wire/evidence.ts';
import { LAMBDA_COUNT } from '../../../../crds/wire/lambda-grid.ts';
import { anAnswer, aWindow } from '../documents.ts';

const { grid } = aWindow();
const NONE = new Array<number>(LAMBDA_COUNT).fill(0);

/** Every second disagreeing row loses three tenths, the others all. */
const PARTLY = grid.dis.map((rows) => Math.floor(rows / 2));
const LOSSES = Array.from({ length: 10 }, (_, i) => {
  if (i === 2) return PARTLY;
  return i === 9 ? grid.dis.map((rows, j) => rows - PARTLY[j]!) : NONE;
});

const withLosses = (losses: readonly (readonly number[])[]): EvidenceWindow => aWindow({ losses });

test('survive the round trip, and cost a byte where no row has them', () => {
  const answer = anAnswer({ windows: [withLosses(LOSSES)] });
  const text = serializeEvidenceAnswer(answer);
  expect(parseEvidenceAnswer(text)).toMatchObject({
    ok: true,
    value: { answer, droppedWindows: [] },
  });
  const whole = LOSSES.map((_, i) => (i === 9 ? grid.dis : NONE));
  const plain = serializeEvidenceAnswer(anAnswer({ windows: [aWindow()] })).length;
  const told = serializeEvidenceAnswer(anAnswer({ windows: [withLosses(whole)] })).length;
  expect(told - plain).toBeLessThan(1.4 * LAMBDA_COUNT + 40);
});

test.each(['', 'AA==', 'Ag==', '?'])('a window with losses of %j is dropped whole', (losses) => {
  const packed = JSON.parse(serializeEvidenceAnswer(anAnswer())) as {
    windows: Record<string, unknown>[];
  };
  packed.windows[0]!.losses = losses;
  const outcome = parseEvidenceAnswer(JSON.stringify(packed));
  expect(outcome.ok && outcome.value.droppedWindows.map(({ message }) => message)).toEqual([
    expect.stringContaining('cut or not base64 varints'),
  ]);
});

describe('laws of losses', () => {
  const moved = LOSSES.map((column, i) =>
    i === 9 ? column.map((rows, j) => (j === 60 ? rows + 1 : rows)) : column,
  );
  test.each([
    ['one for each tenth', LOSSES.slice(1), 'losses are not 10 rows of 120 columns'],
    ['one for each lambda', LOSSES.map((c) => c.slice(1)), 'losses are not 10 rows'],
    ['counters', LOSSES.map((c) => c.map((x) => x + 0.5)), 'losses hold something that is no'],
    ['one for each row that disagrees', moved, 'losses at lambda 60 are not those of the rows'],
  ])('%s', (_, losses, message) => {
    expect(checkEvidenceLaws(withLosses(LOSSES))).toBeNull();
    expect(checkEvidenceLaws(withLosses(losses))).toContain(message);
  });
});

describe('what each exit loses', () => {
  const { strata, exits } = aWindow();
  const wrongAt = (exit: string): number =>
    strata.reduce((sum, s) => sum + (s.exit === exit ? s.disagreements : 0), 0);
  const least = exits.map(wrongAt);
  const told = (exitLossTenths: number[], losses = LOSSES): EvidenceWindow =>
    aWindow({ losses, exitLossTenths });

  test('survives the round trip', () => {
    const answer = anAnswer({ windows: [told(least)] });
    expect(parseEvidenceAnswer(serializeEvidenceAnswer(answer))).toMatchObject({
      ok: true,
      value: { answer, droppedWindows: [] },
    });
  });

  test('is between a tenth and all of each of its rows that disagree', () => {
    expect(least.some((wrong) => wrong > 0)).toBe(true);
    expect(checkEvidenceLaws(told(least.map((wrong) => 10 * wrong)))).toBeNull();
    for (const change of [-1, 1]) {
      const bound = change < 0 ? least : least.map((wrong) => 10 * wrong);
      const e = bound.findIndex((tenths) => tenths > 0);
      const tenths = bound.map((value, at) => (at === e ? value + change : value));
      expect(checkEvidenceLaws(told(tenths))).toContain(`what exit ${exits[e]!} loses`);
    }
    expect(checkEvidenceLaws(told(least.slice(1)))).toContain('not one for each');
  });

  test('comes with the losses of all', () => {
    expect(checkEvidenceLaws(aWindow({ exitLossTenths: least }))).toContain('come with losses');
  });
});

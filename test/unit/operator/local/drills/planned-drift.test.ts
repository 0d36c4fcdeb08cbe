import { describe, expect, test } from 'vitest';
import {
  planDrift,
  type DriftSurroundings,
} from '../../../../../operator/local/drills/planned-drift.ts';
import { findHardestClass } from '../../../../../operator/local/drills/hardest-class.ts';
import { memorySource, type TrafficSource } from '../../../../../operator/local/traffic/source.ts';
import {
  planTraffic,
  type PlannedRow,
} from '../../../../../operator/local/traffic/traffic-plan.ts';

const ROWS = 60;
const labels = Int32Array.from({ length: ROWS }, (_, i) => i % 6);

/** Pictures of 4 x 4 bytes, all different. */
function pictures(rowShape: readonly number[] = [4, 4]): TrafficSource {
  const bytes = Buffer.from(Array.from({ length: 16 * ROWS }, (_, i) => (i * 37 + (i >> 4)) % 251));
  return memorySource(
    { name: '--traffic npy:x.npy', rowShape, element: 'u1', labels: null },
    bytes,
  );
}

function around(changes: Partial<DriftSurroundings> = {}): DriftSurroundings {
  return {
    traffic: pictures(),
    modelRowShape: [1, 4, 4],
    labels,
    hardestClass: () => 4,
    seed: 1,
    onBegin: () => undefined,
    ...changes,
  };
}

type Kind = 'noise' | 'blur' | 'rotation' | 'classes';

function drain(
  kind: Kind,
  options: { fromRequest: number; strength: number; most?: number; loop?: boolean },
) {
  let begun = 0;
  const traffic = pictures();
  const surroundings = around({ traffic, onBegin: () => (begun += 1) });
  const plan = planTraffic({
    traffic,
    headTraffic: null,
    trains: false,
    classCount: 6,
    seed: 1,
    requests: null,
    loop: options.loop === true,
    keepsOrder: false,
    drift: planDrift({ kind, ...options }, surroundings),
  });
  const rows: PlannedRow[] = [];
  for (let row = plan.nextServing(); row !== null; row = plan.nextServing()) {
    rows.push(row);
    if (rows.length === options.most) break;
  }
  const bytes = rows.map((row) => Buffer.from(row.source.readRow(row.index)).toString('hex'));
  const original = rows.map(({ index }) => pictures().readRow(index).toString('hex'));
  return { rows, bytes, original, plan, begun };
}

describe('rows of a drift', () => {
  test.each(['noise', 'blur', 'rotation'] as const)(
    '%s begins at the named request and not before',
    (kind) => {
      const strength = kind === 'rotation' ? 20 : 0.2;
      const { rows, bytes, original, begun } = drain(kind, { fromRequest: 11, strength });
      expect(rows).toHaveLength(ROWS);
      expect(bytes.slice(0, 10)).toEqual(original.slice(0, 10));
      expect(bytes.slice(10).every((row, i) => row !== original[i + 10])).toBe(true);
      expect(rows.map(({ isDrifted }) => isDrifted).indexOf(true)).toBe(10);
      expect(begun).toBe(1);
    },
  );

  test('with fresh noise are new rows however often the stream is passed', () => {
    const { rows, bytes, plan } = drain('noise', {
      fromRequest: 11,
      strength: 0.2,
      most: 4 * ROWS,
      loop: true,
    });
    expect(new Set(bytes).size).toBe(4 * ROWS);
    expect([plan.repeatsFrom, rows.some(({ isRepeated }) => isRepeated)]).toEqual([null, false]);
  });

  test('with a blur repeat once every row was blurred', () => {
    const { rows, bytes, plan } = drain('blur', {
      fromRequest: 11,
      strength: 0.2,
      most: 3 * ROWS,
      loop: true,
    });
    const firstRepeated = rows.findIndex(({ isRepeated }) => isRepeated);
    // 10 rows came plain, 50 blurred, then those 10 blurred too.
    expect(firstRepeated).toBe(ROWS + 10);
    expect(new Set(bytes).size).toBe(ROWS + 10);
    expect(plan.repeatsFrom).toBe(firstRepeated + 1);
  });

  test('of a class that was held back take their share from then on, and none came before', () => {
    const { rows, plan, begun } = drain('classes', { fromRequest: 31, strength: 0.5 });
    const isNew = rows.map(({ index }) => labels[index] === 4);
    expect(isNew.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => false));
    // Ten in twenty, then none are left, and what was passed over for them comes.
    expect(isNew.slice(30, 50).filter(Boolean)).toHaveLength(10);
    expect([rows.length, plan.skippedRows]).toEqual([ROWS, 0]);
    expect(new Set(rows.map(({ index }) => index)).size).toBe(ROWS);
    expect(rows.map(({ isDrifted }) => isDrifted).indexOf(true)).toBe(30);
    expect(begun).toBe(1);
  });

  test('of a class whose request never comes are held back to the end, and counted', () => {
    const { rows, plan } = drain('classes', { fromRequest: 99, strength: 0.5 });
    expect([rows.length, plan.skippedRows]).toEqual([ROWS - 10, 10]);
  });

  test('of a held back class repeat only once all came', () => {
    const { rows } = drain('classes', { fromRequest: 31, strength: 0.5, most: 80, loop: true });
    expect(rows.findIndex(({ isRepeated }) => isRepeated)).toBe(ROWS);
  });
});

test('a flat row is distorted as the picture that the model takes', () => {
  const flat = pictures([16]);
  const drift = planDrift(
    { kind: 'blur', fromRequest: 1, strength: 0.2 },
    around({ traffic: flat }),
  );
  const square = planDrift({ kind: 'blur', fromRequest: 1, strength: 0.2 }, around());
  expect(drift.distort(flat, 0).readRow(3)).toEqual(square.distort(pictures(), 0).readRow(3));
});

describe('a drift that these rows cannot take is refused', () => {
  test('rows that are no pictures', () => {
    const traffic = pictures([16]);
    expect(() =>
      planDrift(
        { kind: 'rotation', fromRequest: 9, strength: 5 },
        around({ traffic, modelRowShape: [16] }),
      ),
    ).toThrow(
      'The command line is not understood (--drift rotation@9): only pictures can be distorted so, and a row here is (16). Write --drift noise@N, which takes any rows. [UsageError]',
    );
  });

  test('classes without labels', () => {
    expect(() =>
      planDrift({ kind: 'classes', fromRequest: 9, strength: 0.5 }, around({ labels: null })),
    ).toThrow(
      'The command line is not understood (--drift classes@9): a class is held back by its label, and --traffic comes without. Name labels with --labels, or write --drift noise@N. [UsageError]',
    );
  });

  test('classes of which there is one', () => {
    expect(() =>
      planDrift(
        { kind: 'classes', fromRequest: 9, strength: 0.5 },
        around({ labels: new Int32Array(ROWS) }),
      ),
    ).toThrow('every row has the same label, so no class can be held back.');
  });
});

test('the hardest class is the label that the backbone meets least often; what fails is not asked again', async () => {
  const traffic = pictures();
  const asked: string[] = [];
  let calls = 0;
  const client = {
    infer: (rows: readonly Buffer[], mode: string) => {
      asked.push(mode);
      calls += 1;
      if (calls === 1)
        return Promise.resolve({ ok: false as const, code: 'http_500', message: '' });
      const indices = rows.map((row) =>
        Array.from({ length: ROWS }, (_, i) => i).findIndex((i) => traffic.readRow(i).equals(row)),
      );
      // Rows of label 2 are taken for 3.
      const classIds = indices.map((index) => (labels[index] === 2 ? 3 : labels[index]!));
      const answer = { exit: 'backbone', policy: '', headRevision: '', classIds };
      return Promise.resolve({ ok: true as const, answer, latencyMs: 1 });
    },
  };
  const wish = { traffic, labels, seed: 1, rowsPerRequest: 8 };
  expect(await findHardestClass(client, wish)).toEqual({ label: 2, asked: ROWS - 8 });
  expect(asked).toEqual(asked.map(() => 'backbone'));
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { encodeBase64 } from '../../../../crds/wire/base64.ts';
import {
  checkEvidenceLaws,
  parseEvidenceAnswer,
  serializeEvidenceAnswer,
  type EvidenceWindow,
  type LatencyDigest,
} from '../../../../crds/wire/evidence.ts';
import { canonicalJson } from '../../../../crds/wire/json.ts';
import { WIRE_LIMITS } from '../../../../crds/wire/limits.ts';
import { seededRandom } from '../../../support/seeded-random.ts';
import { SEED, withDamagedCharacters, withOneFieldDamaged } from '../damage.ts';
import {
  aGrid,
  anAcknowledgement,
  anAnswer,
  aPlainWindow,
  aWindow,
  DIGEST_B,
  exitNamesOf,
} from '../documents.ts';

interface PackedAnswer {
  windows: Record<string, unknown>[];
}

/** Text of an answer whose first window was changed after packing. */
function withPackedWindow(edit: (window: Record<string, unknown>) => void): string {
  const packed = JSON.parse(serializeEvidenceAnswer(anAnswer())) as PackedAnswer;
  edit(packed.windows[0]!);
  return JSON.stringify(packed);
}

function dropsOf(text: string): readonly { seq: number | null; message: string }[] {
  const outcome = parseEvidenceAnswer(text);
  if (!outcome.ok) throw new Error(outcome.message);
  return outcome.value.droppedWindows;
}

/** Refused, or: kept windows say exactly what the text says, and every other one is reported. */
function expectWholeWindows(text: string): void {
  const outcome = parseEvidenceAnswer(text);
  if (!outcome.ok) {
    expect(outcome.message).toMatch(/^evidence answer refused: .+; .+\.$/s);
    return;
  }
  const { answer, droppedWindows } = outcome.value;
  const original = JSON.parse(text) as PackedAnswer;
  const kept = (JSON.parse(serializeEvidenceAnswer(answer)) as PackedAnswer).windows.map(
    canonicalJson,
  );
  const given = original.windows.map(canonicalJson);
  for (const window of kept) expect(given).toContain(window);
  expect(kept.length + droppedWindows.length).toBe(given.length);
  const frame = canonicalJson({ ...original, windows: [] });
  expect(serializeEvidenceAnswer({ ...answer, windows: [] })).toBe(frame);
}

test('an answer survives the round trip and has one text', async () => {
  const text = serializeEvidenceAnswer(anAnswer());
  expect(parseEvidenceAnswer(text)).toEqual({
    ok: true,
    value: {
      answer: anAnswer(),
      packedWindows: (JSON.parse(text) as PackedAnswer).windows,
      droppedWindows: [],
    },
  });
  await expect(text).toMatchFileSnapshot('../../../golden/crds/evidence-answer.json');
});

test('grids of any size and seed survive the round trip', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.nat(2000),
      fc.nat(1000),
      (exitCount, rows, seed) => {
        const exits = exitNamesOf(exitCount);
        const window = aWindow({
          exits,
          grid: aGrid(exitCount, rows, seed),
          strata: [],
          paired: null,
          served: servedCounters(exitCount, 100, seed),
          switchedOff: [],
        });
        const answer = anAnswer({ windows: [window] });
        const text = serializeEvidenceAnswer(answer);
        const packedWindows = (JSON.parse(text) as PackedAnswer).windows;
        expect(parseEvidenceAnswer(text)).toEqual({
          ok: true,
          value: { answer, packedWindows, droppedWindows: [] },
        });
      },
    ),
    { seed: SEED, numRuns: 60 },
  );
});

test('an answer that differs in one field is refused, drops the window, or is read as it stands', () => {
  for (const text of withOneFieldDamaged(serializeEvidenceAnswer(anAnswer())))
    expectWholeWindows(text);
});

test('an answer with damaged characters is refused, drops the window, or is read as it stands', () => {
  fc.assert(
    fc.property(withDamagedCharacters(serializeEvidenceAnswer(anAnswer())), expectWholeWindows),
    { seed: SEED, numRuns: 2000 },
  );
});

describe('a window is dropped whole', () => {
  const damaged: readonly (readonly [rule: string, text: string, message: string])[] = [
    ['of another pod', withPackedWindow((w) => (w.podUid = 'pod-2')), 'another pod or boot'],
    ['of another boot', withPackedWindow((w) => (w.bootId = 'boot-2')), 'another pod or boot'],
    ['before the oldest', withPackedWindow((w) => (w.seq = 4)), 'outside oldestSeq..newestSeq'],
    ['after the newest', withPackedWindow((w) => (w.seq = 7)), 'outside oldestSeq..newestSeq'],
    ['that comes twice', withPackedWindow((w) => (w.seq = 6)), 'comes twice'],
    ['with a cut grid', withPackedWindow((w) => (w.grid = 'AAAA')), 'cut or not base64 varints'],
    ['with a grid of other text', withPackedWindow((w) => (w.grid = '?')), 'cut or not base64'],
    ['with cut strata', withPackedWindow((w) => (w.strata = 'AA==')), 'cut or not base64'],
    ['with cut counters', withPackedWindow((w) => (w.served = '')), 'cut or not base64'],
    [
      'with a cut joint table',
      withPackedWindow((w) => ((w.paired as Record<string, unknown>).joint = '')),
      'cut or not base64',
    ],
    ['of another schema', withPackedWindow((w) => (w.schemaVersion = 2)), 'this program reads 1'],
    ['with an unknown field', withPackedWindow((w) => (w.extra = 1)), 'extra'],
    ['that breaks a law', withPackedWindow((w) => (w.auditsLost = 100)), 'more audits were lost'],
    [
      'with a hostile length of strata',
      withPackedWindow((w) => (w.strata = encodeBase64(Uint8Array.of(255, 255, 255, 127)))),
      'cut or not base64',
    ],
  ];
  test.each(damaged)('%s', (_rule, text, message) => {
    const drops = dropsOf(text);
    expect(drops).toHaveLength(1);
    expect(drops[0]?.message).toContain(message);
  });

  test('without a number of its own', () => {
    const drops = dropsOf(withPackedWindow((w) => (w.seq = 'five')));
    expect(drops[0]?.seq).toBeNull();
  });
});

test('hints of drift are in a window only while there are some, and only of the kinds that are known', () => {
  const hinting = aWindow({ driftHints: ['hit_rate', 'class_mix'] });
  const outcome = parseEvidenceAnswer(serializeEvidenceAnswer(anAnswer({ windows: [hinting] })));
  expect(outcome.ok && outcome.value.answer.windows).toEqual([hinting]);
  expect(serializeEvidenceAnswer(anAnswer())).not.toContain('driftHints');
  const strange = withPackedWindow((window) => {
    window.driftHints = ['moon'];
  });
  expect(dropsOf(strange)).toHaveLength(1);
});

test('windows come sorted by number', () => {
  const outcome = parseEvidenceAnswer(
    serializeEvidenceAnswer(anAnswer({ windows: [aPlainWindow(), aWindow()] })),
  );
  expect(outcome.ok && outcome.value.answer.windows.map((w) => w.seq)).toEqual([5, 6]);
});

test('an answer that is no JSON, has a wrong frame or speaks for another pod is refused whole', () => {
  expect(parseEvidenceAnswer('<html>').ok).toBe(false);
  expect(parseEvidenceAnswer('{"schemaVersion":1}').ok).toBe(false);
  expect(parseEvidenceAnswer(' '.repeat(WIRE_LIMITS.evidenceAnswerBytes + 1)).ok).toBe(false);
  const foreign = anAnswer({ acknowledgement: anAcknowledgement({ bootId: 'boot-2' }) });
  expect(parseEvidenceAnswer(serializeEvidenceAnswer(foreign)).ok).toBe(false);
});

function servedCounters(exitCount: number, buckets: number, seed = 1): EvidenceWindow['served'] {
  const random = seededRandom(seed);
  const digest = (): LatencyDigest =>
    Array.from(
      { length: buckets },
      (_, i) => [350 + i, 1 + Math.floor(random.uniform() * 200)] as const,
    );
  return {
    rows: Array.from({ length: exitCount + 1 }, () => 10_000),
    optedOut: 500,
    forced: 20,
    errors: 1,
    numericFallbacks: 0,
    latency: Array.from({ length: exitCount + 1 }, digest),
    scoreBins: Array.from({ length: exitCount }, () =>
      Array.from({ length: 16 }, () => Math.floor(random.uniform() * 4000)),
    ),
  };
}

function packedSize(window: EvidenceWindow): { grid: number; window: number } {
  const text = serializeEvidenceAnswer(anAnswer({ windows: [window] }));
  const [packed] = (JSON.parse(text) as PackedAnswer).windows;
  return {
    grid: Buffer.from(String(packed!.grid), 'base64').length,
    window: JSON.stringify(packed).length,
  };
}

test('sizes are those of the design: a grid of 8 exits about 1.1 KB at 10^4 rows, a window under 8 KiB', () => {
  const exits = exitNamesOf(8);
  const grid = aGrid(8, 10_000);
  const strata = exits.flatMap((exit, e) =>
    Array.from({ length: 65 }, (_, i) => ({
      exit,
      classId: i === 0 ? -1 : 13 * i,
      audits: Math.floor(grid.leave[e]![68]! / 65),
      disagreements: 0,
    })),
  );
  const window = aWindow({ exits, grid, strata, paired: null, served: servedCounters(8, 100) });
  const sizes = packedSize({ ...window, switchedOff: [] });
  expect(checkEvidenceLaws({ ...window, switchedOff: [] })).toBeNull();
  expect(sizes.grid).toBeLessThan(1300);
  expect(sizes.window).toBeLessThan(8192);
});

test('a grid of 16 exits stays under 4 KB at 10^5 rows', () => {
  const exits = exitNamesOf(16);
  const window = aWindow({
    exits,
    grid: aGrid(16, 100_000),
    strata: [],
    paired: null,
    served: servedCounters(16, 20),
    switchedOff: [],
  });
  expect(packedSize(window).grid).toBeLessThan(4000);
});

describe('laws', () => {
  const grid = aWindow().grid;
  const withLeave = (exit: number, column: number, value: number): EvidenceWindow['grid'] => ({
    ...grid,
    leave: grid.leave.map((counts, e) =>
      counts.map((count, j) => (e === exit && j === column ? value : count)),
    ),
  });
  const withDis = (column: number, value: number): EvidenceWindow['grid'] => ({
    ...grid,
    dis: grid.dis.map((count, j) => (j === column ? value : count)),
  });
  const served = aWindow().served;
  const paired = aWindow().paired!;
  const stratum = aWindow().strata[0]!;

  const broken: readonly (readonly [rule: string, window: EvidenceWindow, message: string])[] = [
    ['n is a counter', aWindow({ grid: { ...grid, n: -1 } }), 'n is not a counter'],
    [
      'one row of leave per exit',
      aWindow({ grid: { ...grid, leave: [] } }),
      'one row of leave per exit',
    ],
    ['120 columns', aWindow({ grid: { ...grid, dis: [0] } }), 'has not 120 columns'],
    ['counters are whole', aWindow({ grid: withDis(3, 0.5) }), 'no counter'],
    ['counters are not negative', aWindow({ grid: withLeave(0, 3, -1) }), 'no counter'],
    [
      'law 1: no more leave than there are',
      aWindow({ grid: withLeave(1, 119, 61) }),
      'more rows leave',
    ],
    ['law 2: gone rows never fall', aWindow({ grid: withLeave(0, 119, 0) }), 'fewer rows are gone'],
    ['law 3: disagreements leave', aWindow({ grid: withDis(0, 60) }), 'more disagreements'],
    ['strata are counters', aWindow({ strata: [{ ...stratum, audits: 0.5 }] }), 'no counters'],
    ['strata of real classes', aWindow({ strata: [{ ...stratum, classId: -2 }] }), 'no counters'],
    ['strata of whole classes', aWindow({ strata: [{ ...stratum, classId: 0.5 }] }), 'no counters'],
    [
      'strata hold disagreements',
      aWindow({ strata: [{ ...stratum, disagreements: 9 }] }),
      'exceed them',
    ],
    ['strata count up', aWindow({ strata: [{ ...stratum, disagreements: -1 }] }), 'no counters'],
    ['strata of own exits', aWindow({ strata: [{ ...stratum, exit: 'x' }] }), 'foreign exit'],
    ['strata once per class', aWindow({ strata: [stratum, stratum] }), 'a class twice'],
    [
      'strata within the grid',
      aWindow({ strata: [{ ...stratum, audits: 60 }] }),
      'more audits by class',
    ],
    [
      'strata within the rows when no lambda is in force',
      aWindow({ lambdaIndex: null, strata: [{ ...stratum, audits: 61 }] }),
      'more audits by class',
    ],
    ['pairs in a candidate only', aWindow({ track: 'stable' }), 'belongs to a candidate'],
    ['pairs at the lambda in force', aWindow({ lambdaIndex: 60, strata: [] }), 'another lambda'],
    ['joint rows', aWindow({ paired: { ...paired, joint: [] } }), 'one row per stable exit'],
    [
      'joint columns',
      aWindow({ paired: { ...paired, joint: [[1], [2], [3]] } }),
      'one column per exit',
    ],
    ['joint counters', aWindow({ paired: { ...paired, onlyStableWrong: -1 } }), 'no counter'],
    [
      'joint rows were audited',
      aWindow({ paired: { ...paired, joint: paired.joint.map((row) => row.map(() => 10)) } }),
      'more rows than were audited',
    ],
    [
      'discordant rows are paired',
      aWindow({ paired: { ...paired, onlyStableWrong: 20 } }),
      'discordant',
    ],
    ['served rows', aWindow({ served: { ...served, rows: [1] } }), 'served counters have not'],
    [
      'served latencies',
      aWindow({ served: { ...served, latency: [] } }),
      'served counters have not',
    ],
    ['histograms', aWindow({ served: { ...served, scoreBins: [] } }), '16 bins per exit'],
    ['bins', aWindow({ served: { ...served, scoreBins: [[1], [2]] } }), '16 bins per exit'],
    ['served counters', aWindow({ served: { ...served, errors: -1 } }), 'no counter'],
    [
      'buckets ascend',
      aWindow({
        served: {
          ...served,
          latency: [
            [
              [5, 1],
              [5, 1],
            ],
            [],
            [],
          ],
        },
      }),
      'latency buckets',
    ],
    [
      'buckets are whole',
      aWindow({ served: { ...served, latency: [[[0.5, 1]], [], []] } }),
      'latency buckets',
    ],
    [
      'buckets count',
      aWindow({ served: { ...served, latency: [[[5, -1]], [], []] } }),
      'latency buckets',
    ],
    ['a track for heads', aWindow({ track: null, paired: null }), 'come together'],
    [
      'no heads, no exits',
      aWindow({ headRevision: null, track: null, paired: null }),
      'without a head',
    ],
    ['lost audits were chosen', aWindow({ auditsLost: 62 }), 'more audits were lost'],
    ['own exits switched off', aWindow({ switchedOff: ['x'] }), 'switchedOff'],
  ];
  test.each(broken)('%s', (_rule, window, message) => {
    expect(checkEvidenceLaws(window)).toContain(message);
  });

  test('a sound window breaks none, with heads or without', () => {
    expect(checkEvidenceLaws(aWindow())).toBeNull();
    expect(checkEvidenceLaws(aPlainWindow())).toBeNull();
    expect(checkEvidenceLaws(aWindow({ lambdaIndex: null }))).toBeNull();
    expect(
      checkEvidenceLaws(aWindow({ track: 'stable', paired: null, headRevision: DIGEST_B })),
    ).toBeNull();
  });

  test('leave of one exit and disagreements may fall as lambda grows', () => {
    // One row: the late head leaves at column 10 and is wrong; from column 60 the early head takes it and is right.
    const range = (from: number, to: number): number[] =>
      Array.from({ length: 120 }, (_, j) => (j >= from && j < to ? 1 : 0));
    const counterexample = { n: 1, dis: range(10, 60), leave: [range(60, 120), range(10, 60)] };
    expect(
      checkEvidenceLaws(aWindow({ grid: counterexample, strata: [], paired: null })),
    ).toBeNull();
  });
});

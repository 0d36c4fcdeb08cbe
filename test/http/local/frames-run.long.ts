// A local run on frames of four cameras with a change of scene, from the first frame to the alarm and what follows it, while two more
// cameras send their own. `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pageStateSchema } from '../../../operator/local/page/state/page-state.ts';
import type { Report } from '../../../operator/local/report/report-schema.ts';
import { createRandom } from '../../../server/core/random.ts';
import { eventually } from '../../support/eventually.ts';
import { finished } from './drill-run.ts';
import { lampFrame, lampPatch, lampPlace, type LampPlace } from './lamp-place.ts';
import { decisionsOf, startCli, type CliRun } from './local-run.ts';

const FRAMES = { head: 300, before: 1_200, after: 2_400 };
const STAGE_MS = 180_000;

interface Answered {
  readonly exit: string;
  /** The patch that the first box is around; null: there is no box. */
  readonly patch: string | null;
}

/** Frames of two cameras of the test's own, in turns and at once: one lamp is always on, the other's place as well as its light differ. */
async function askInterleaved(predictUrl: string, turns: number): Promise<Answered[][]> {
  const random = createRandom(77);
  const cameras = [0, 1].map((camera) => ({ camera, name: `own${camera}` }));
  const answers: Answered[][] = cameras.map(() => []);
  for (let turn = 0; turn < turns; turn++) {
    await Promise.all(
      cameras.map(async ({ camera, name }, i) => {
        const pixels = Array.from(lampFrame(random, camera, 0.9), (value) => value / 255);
        answers[i]!.push(await ask(predictUrl, name, pixels));
      }),
    );
  }
  return answers;
}

async function ask(predictUrl: string, source: string, pixels: number[]): Promise<Answered> {
  const inputs = [{ name: 'input', shape: [1, 1, 16, 16], datatype: 'FP32', data: pixels }];
  const reply = await fetch(predictUrl, {
    method: 'POST',
    body: JSON.stringify({ inputs }),
    headers: { 'content-type': 'application/json', 'x-camera': source },
  });
  const text = await reply.text();
  expect(reply.status, text).toBe(200);
  const answer = JSON.parse(text) as {
    readonly parameters: { readonly layercache_exit: string };
    readonly outputs: readonly { readonly data: readonly number[] }[];
  };
  const [left = 0, top = 0, right = 0, bottom = 0, score = 0] = answer.outputs[0]!.data;
  const at = (low: number, high: number): number => Math.floor((low + high) / 2 / 4);
  return {
    exit: answer.parameters.layercache_exit,
    patch: score === 0 ? null : `${at(top, bottom)},${at(left, right)}`,
  };
}

describe('frames of cameras', () => {
  let place: LampPlace;
  let started: CliRun;
  let report: Report;
  let asked: Answered[][];

  const decisions = () => decisionsOf(started);

  const found = async (pattern: RegExp): Promise<string> =>
    eventually(() => {
      const word = pattern.exec(started.stderr())?.[1];
      if (word === undefined) throw new Error(started.stderr());
      return word;
    }, 60_000);

  beforeAll(async () => {
    place = await lampPlace(FRAMES);
    started = startCli(
      [
        ...['local', 'run', '-f', place.manifest, '--traffic', place.traffic, '--report', 'out'],
        ...['--head-traffic', place.headTraffic, '--rate', '400', '--events'],
      ],
      place.folder,
    );
    const pageUrl = await found(/^dashboard (http\S+?)(?:\s|$)/m);
    await eventually(() => {
      expect(decisions()).toContain('RolloutPromoted');
    }, STAGE_MS);
    const { run, exits } = pageStateSchema.parse(
      await (await fetch(`${pageUrl}/api/state`)).json(),
    );
    expect(exits[0]).toMatchObject({ name: 'still', sourceHeader: 'x-camera' });
    asked = await askInterleaved(run.predictUrl!, 30);
    report = await finished(place, started, 0);
  }, 4 * STAGE_MS);

  afterAll(() => {
    started.kill('SIGKILL');
    rmSync(place.folder, { recursive: true, force: true });
  });

  test('come in order, so that an earlier one of the same camera answers most of them within the budget', () => {
    expect(report.errors).toEqual({ count: 0, byCode: {} });
    expect(report.traffic.clips).toBe(4);
    expect(report.certificate).not.toBeNull();
    const { exitShare, trueDisagreement: truth } = report.serving;
    // Five of six at most.
    expect(exitShare.still).toBeGreaterThan(0.4);
    expect(exitShare.still).toBeLessThan(0.84);
    expect(truth!.k / truth!.n).toBeLessThan(0.1);
    expect(started.stderr()).toMatch(
      /^frames {7}[\d.]+% of 4 clips answered by an earlier frame of their source \(still, x-camera\)$/m,
    );
  });

  test('that change alarm, switch exits off on the loss, and bring them back by a new certificate', () => {
    const chain = decisions().filter((reason) =>
      ['RolloutPromoted', 'Alarm', 'ExitsDisabled'].includes(reason),
    );
    expect(chain.slice(0, 3)).toEqual(['RolloutPromoted', 'Alarm', 'ExitsDisabled']);
    const [alarm] = report.alarms;
    expect(alarm!.reason).toBe('Alarm');
    expect(alarm!.message).toContain('F1 loss');
    expect(alarm!.atRequest).toBeGreaterThan(4 * (FRAMES.head + FRAMES.before) * 0.95);
    expect(alarm!.offRequest).not.toBeNull();
    expect(['Recertified', 'Retrained']).toContain(alarm!.backBy);
    const stages = report.phases.map(({ stage }) => stage);
    expect(stages.indexOf('Recertifying')).toBeGreaterThan(stages.indexOf('Serving'));
  });

  test('of one camera never get the answer of another, whoever answers', () => {
    const own = [0, 1].map(lampPatch).map(({ row, column }) => `${row},${column}`);
    expect(own[0]).not.toBe(own[1]);
    expect(asked.map((answers) => [...new Set(answers.map(({ patch }) => patch))])).toEqual([
      [own[0]],
      [own[1]],
    ]);
    for (const answers of asked) {
      expect(answers.some(({ exit }) => exit === 'still')).toBe(true);
      expect(answers.some(({ exit }) => exit === 'backbone')).toBe(true);
    }
  });
});

import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import {
  pageEventSchema,
  pageStateSchema,
  type PageState,
} from '../../../operator/local/page/state/page-state.ts';
import { eventually } from '../../support/eventually.ts';
import { startCli, workplace } from './local-run.ts';

const place = workplace({ rows: 6_500 });
afterAll(() => {
  rmSync(place.folder, { recursive: true, force: true });
});

async function stateOf(url: string): Promise<PageState> {
  return pageStateSchema.parse(await (await fetch(`${url}/api/state`)).json());
}

test('a run shows its page from the first second to its end, whose outcome open pages are told', async () => {
  const words = ['local', 'run', '-f', place.manifest, '--traffic', place.traffic];
  const run = startCli(
    [...words, '--rate', '100', '--report', `${place.folder}/out`],
    place.folder,
  );
  const url = await eventually(() => {
    const found = /^dashboard (http:\/\/127\.0\.0\.1:\d+)$/m.exec(run.stderr())?.[1];
    expect(found).toBeDefined();
    return found ?? '';
  }, 30_000);
  expect((await (await fetch(url)).text()).startsWith('<!doctype html>')).toBe(true);
  await eventually(async () => {
    const { status, totals, history, run: facts, stages } = await stateOf(url);
    expect(status).toBe('Running');
    expect(totals.requests).toBeGreaterThan(100);
    expect(history.length).toBeGreaterThan(0);
    expect(facts).toMatchObject({ service: 'tiny', budgetRatio: 0.05, seed: 1 });
    expect(stages[1]).toMatchObject({ name: 'Collect', status: 'Running' });
  }, 60_000);
  // The terminal names the page beside the other addresses.
  expect(run.stderr()).toMatch(/^dashboard \S+ {2}predict \S+\/infer {2}metrics \S+\/metrics$/m);
  const stream = await fetch(`${url}/api/events`);
  run.kill('SIGINT');
  const events = (await stream.text()).matchAll(/^data: (.*)$/gm);
  const last = pageEventSchema.parse(JSON.parse([...events].at(-1)?.[1] ?? ''));
  expect([last.status, last.reportPath]).toEqual([
    'Interrupted',
    `${place.folder}/out/report.html`,
  ]);
  expect((await run.ended).code).toBe(130);
  await expect(fetch(url)).rejects.toThrow();
}, 120_000);

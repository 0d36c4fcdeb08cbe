import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flagOf } from '../../operator/local/drills/drill-options.ts';
import { knownLimits, type LimitFacts } from '../../operator/local/limits/known-limits.ts';
import type { Statement } from '../../operator/local/limits/statement.ts';
import { renderReport } from '../../operator/local/report/html/render-report.ts';
import type { ReportDrill } from '../../operator/local/report/report-schema.ts';
import { renderStatement } from '../../operator/local/view/screen.ts';
import { summariseReport } from '../../operator/local/view/summary.ts';
import { loadAssets } from '../../operator/local/web/assets.ts';
import { startPageServer, type PageServer } from '../../operator/local/web/page-server.ts';
import type { Decision } from '../../operator/lifecycle/types.ts';
import { aState } from '../unit/crds/documents.ts';
import { chromiumPath, launch } from './browser.ts';
import { aReport } from './scripted-report.ts';
import { sceneOf } from './scripted-run.ts';

const facts: LimitFacts = {
  model: aState(),
  exits: 3,
  isDisabled: false,
  budget: 0.01,
  agreement: 'Strict',
  firstLookRows: 1_000,
  evidenceRows: null,
  repeatsFrom: null,
  plain: { n: 0, right: 0 },
  areExitsOn: false,
  verdict: null,
  missing: null,
};

function verdict(reason: Decision['reason']): Decision {
  return { nowMs: 0, reason, message: 'So it was.', headRevision: null, details: {} };
}

/** What a run says that meets this limit and no other. */
const LIMITS: readonly Statement[] = (
  [
    { repeatsFrom: 50_000 },
    { plain: { n: 12_000, right: 11_988 } },
    { evidenceRows: 430 },
    { exits: 0, model: { cuts: [], rejectedCuts: [{ tensor: 'tokens', reason: 'holds int64' }] } },
    { verdict: verdict('NotCertified') },
    { verdict: verdict('NotWorthwhile') },
  ] satisfies Partial<LimitFacts>[]
).flatMap((changes) => knownLimits({ ...facts, ...changes }));

const drift = (kind: 'noise' | 'blur' | 'rotation' | 'classes'): string =>
  flagOf.drift({ kind, fromRequest: 9_000, strength: 0.1 });

const DRILLS: readonly ReportDrill[] = (
  [
    ['Drift', drift('noise')],
    ['Drift', drift('blur')],
    ['Drift', drift('rotation')],
    ['Drift', drift('classes')],
    ['Kill', flagOf.kill({ target: 'host', atRequest: 9_000 })],
    ['Kill', flagOf.kill({ target: 'server', atRequest: 9_000 })],
    ['PoisonHead', flagOf.poisonHead],
    ['Slow', flagOf.slow({ pauseMs: 20, fromRequest: 9_000 })],
  ] as const
).map(([kind, flag], i) => ({
  ...{ kind, flag, message: `What came of drill ${i}.`, atSeconds: 60 + i, atRequest: 9_000 + i },
  ...{ failedRequests: i, held: kind === 'Kill' ? { requests: 8, failed: i } : null },
  recoveredSeconds: null,
  drifted: null,
}));

describe.skipIf(chromiumPath === null)('limits and drills', () => {
  let browser: Browser;
  let server: PageServer;
  beforeAll(async () => {
    browser = await launch();
    const drills = DRILLS.map(({ flag, message }) => `${flag}: ${message}`);
    const state = { ...sceneOf('serve'), statements: [...LIMITS], drills };
    const assets = loadAssets(join(process.cwd(), 'dist/bundle'));
    server = await startPageServer({ port: 0, portFlag: '--port', assets, state: () => state });
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  test('are six and eight', () => {
    expect(LIMITS.map(({ reason }) => reason)).toEqual([
      'StreamRepeats',
      'BackboneTrainingRows',
      'InsufficientSamples',
      'NoExits',
      'NotCertified',
      'NotWorthwhile',
    ]);
    expect(new Set(DRILLS.map(({ flag }) => flag)).size).toBe(8);
  });

  test('are all read on the page, where axe finds nothing', async () => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(server.url);
    await page.waitForSelector('.notices');
    const read = async (kind: string): Promise<string[]> =>
      (await page.locator(`.notice.${kind}`).allTextContents()).map((text) =>
        text.replace(/\s+/g, ' ').trim(),
      );
    expect(await read('limit')).toEqual(
      LIMITS.map(({ reason, message, nextStep }) => `! ${reason} ${message} ${nextStep}`),
    );
    expect(await read('drill')).toEqual(
      DRILLS.map(({ flag, message }) => `◇ Drill ${flag}: ${message}`),
    );
    await page.evaluate(axe.source);
    const found = await page.evaluate<{ violations: { id: string }[] }>(
      'axe.run(document, { resultTypes: ["violations"] })',
    );
    expect(found.violations.map(({ id }) => id)).toEqual([]);
  });

  test('each have a line of their own in the summary of the terminal and in the report', async () => {
    const report = { ...aReport(), statements: [...LIMITS], drills: [...DRILLS] };
    const lines = summariseReport(report);
    for (const limit of LIMITS) expect(lines).toContain(renderStatement(limit));
    for (const { flag, message } of DRILLS) {
      expect(lines).toContain(`drill        ${flag}: ${message}`);
    }
    const page = await (await browser.newContext()).newPage();
    await page.setContent(renderReport(report));
    const said = (await page.locator('.verdict.missing').allTextContents()).map((text) =>
      text.trim(),
    );
    for (const { reason, message, nextStep } of LIMITS) {
      expect(said).toContain(`${reason} ${message} ${nextStep}`);
    }
    const rows = page.locator('section:has(h2:text-is("Drills")) tbody tr');
    expect(await rows.count()).toBe(8);
    for (const [i, { flag, message }] of DRILLS.entries()) {
      const cells = await rows.nth(i).locator('td').allTextContents();
      expect([cells[0], cells[2]]).toEqual([flag, message]);
    }
  });
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pageStateSchema, type PageState } from '../../operator/local/page/state/page-state.ts';
import { loadAssets } from '../../operator/local/web/assets.ts';
import { startPageServer, type PageServer } from '../../operator/local/web/page-server.ts';
import { chromiumPath, launch } from './browser.ts';
import { labelOf, readLabels } from './labels.ts';
import { SERVICE_SCENES, serviceSceneOf, type ServiceScene } from './scripted-service.ts';

const SCREENSHOTS = 'dist/screenshots';
const DEADLINE_MS = 20_000;

describe.skipIf(chromiumPath === null)('the page of a service in a browser', () => {
  let browser: Browser;
  const scenes = new Map<ServiceScene, PageState>();
  const servers: PageServer[] = [];
  const opened: Page[] = [];
  beforeAll(async () => {
    mkdirSync(SCREENSHOTS, { recursive: true });
    browser = await launch();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((page) => page.context().close()));
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  afterAll(() => browser.close());

  async function serve(scene: ServiceScene): Promise<{ url: string; state: PageState }> {
    const state = scenes.get(scene) ?? pageStateSchema.parse(await serviceSceneOf(scene));
    scenes.set(scene, state);
    const assets = loadAssets(join(process.cwd(), 'dist/bundle'));
    const server = await startPageServer({
      port: 0,
      portFlag: '--port',
      assets,
      state: () => state,
    });
    servers.push(server);
    return { url: server.url, state };
  }

  async function open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1360, height: 900 },
      ...options,
    });
    context.setDefaultTimeout(DEADLINE_MS);
    const page = await context.newPage();
    opened.push(page);
    await page.goto(url);
    await page.waitForSelector('h1');
    return page;
  }

  async function textOf(page: Page, selector: string): Promise<string> {
    return (await page.locator(selector).allTextContents()).join(' ').replace(/\s+/g, ' ');
  }

  test('every label is the figure of /api/state, and every panel is filled', async () => {
    const { url, state } = await serve('serving');
    const page = await open(url);
    const labels = await readLabels(page);
    expect(labels.length).toBeGreaterThan(40);
    expect(labels).toEqual(labels.map((label) => labelOf(label, state)));
    for (const panel of [
      'requests',
      'share',
      'latency',
      'disagreement',
      'certificate',
      'servers',
    ]) {
      expect(await page.locator(`#${panel} canvas`).count(), panel).toBe(1);
    }
    expect(await page.locator('#exits .exit').count()).toBe(3);
    expect(await page.locator('#servers tbody tr').count()).toBe(2);
    expect(await page.locator('#conditions tbody tr').count()).toBe(8);
    expect(await page.locator('#timeline .decision').count()).toBe(5);
    expect(await textOf(page, 'h1')).toMatch(/^6\d\.\d% of requests leave early, certified at 1%/);
    // The decision of yesterday has its date, those of today their time.
    expect(await textOf(page, '#timeline .decision time')).toBe(
      '07:25:00 07:20:00 07:15:00 07:05:00 07:04:40',
    );
    expect(await textOf(page, '.clock')).toBe('08:00:00 UTC');
    expect(await textOf(page, 'footer')).toContain('context production, https://10.0.0.1:6443');
    expect(await textOf(page, 'footer')).toContain('3.17, acknowledged by 2 of 2 ready pods');
  });

  test('what a cluster has not is said in its place', async () => {
    const { url } = await serve('serving');
    const page = await open(url);
    expect(await textOf(page, '#latency')).toContain('no row is answered twice');
    expect(await textOf(page, '.figures')).toContain('measured in local mode alone');
    expect(await textOf(page, '#exits .note')).toContain('before heads and audits');
    expect(await textOf(page, 'body')).not.toContain('seed');
  });

  test('who may not read pods, evidence or events is told so where they would be', async () => {
    const { url } = await serve('unseen');
    const page = await open(url);
    for (const panel of ['requests', 'share', 'latency', 'servers']) {
      expect(await textOf(page, `#${panel}`), panel).toContain('may not list pods in namespace ml');
    }
    expect(await textOf(page, '#certificate')).toContain('may not read ConfigMap vision-evidence');
    expect(await textOf(page, '#timeline')).toContain('may not list events in namespace ml');
    // The status repeats what the ledger would say.
    expect(await textOf(page, '#disagreement .aside')).toContain('21 of 5,210 audited rows');
    expect(await textOf(page, '.figures')).not.toMatch(/\b0 (so far|since)/);
  });

  test('figures that are old say of when, and why', async () => {
    const { url } = await serve('stale');
    const page = await open(url);
    expect(await textOf(page, '.link')).toBe('▲ Old figures, of 08:00:00');
    expect(await textOf(page, '.notice.stale')).toBe(
      '▲ Figures are of 08:00:00 The API server does not answer (https://10.0.0.1:6443): nothing listens there. Check the network, and the address in the kubeconfig. They are read again as soon as that is over.',
    );
  });

  test('a service that was deleted, or does not answer, is the headline', async () => {
    const deleted = await open((await serve('deleted')).url);
    expect(await textOf(deleted, 'h1')).toBe('The service was deleted');
    expect(await textOf(deleted, '.why')).toContain('ml/vision no more');
    const unready = await open((await serve('unready')).url);
    expect(await textOf(unready, 'h1')).toBe('The endpoint is not ready: BackboneDigestMismatch');
    expect(await textOf(unready, '.notices')).toContain('Correct backbone.digest.');
    expect(await textOf(unready, '.notices')).toContain('those of 2 of 14 pods');
    expect(await textOf(unready, '#servers tbody')).toMatch(/w7qzt▲ not ready– \/ –/);
  });

  test('nothing is asked of anyone else, and nothing breaks the policy of the page', async () => {
    const { url } = await serve('serving');
    const context = await browser.newContext();
    const page = await context.newPage();
    opened.push(page);
    const asked: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(url);
    await page.waitForSelector('canvas');
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(asked.filter((address) => !address.startsWith(`${url}/`))).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('a plot whose resize was not observed yet does not widen the page', async () => {
    const { url } = await serve('serving');
    const page = await open(url);
    await page.addInitScript(
      'globalThis.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} };',
    );
    await page.reload();
    await page.waitForSelector('canvas');
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await page.evaluate('document.querySelector("canvas").clientWidth')).toBeGreaterThan(
      390,
    );
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing in ${colorScheme}, and every state fits a telephone`, async () => {
      for (const scene of SERVICE_SCENES) {
        const page = await open((await serve(scene)).url, { colorScheme });
        await page.evaluate(
          'document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))',
        );
        await page.screenshot({
          path: `${SCREENSHOTS}/service-${scene}-${colorScheme}.png`,
          fullPage: true,
        });
        await page.evaluate(axe.source);
        const found = await page.evaluate<{ violations: { id: string; nodes: unknown[] }[] }>(
          'axe.run(document, { resultTypes: ["violations"] })',
        );
        expect(
          found.violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes, null, 1)}`),
        ).toEqual([]);
        await page.setViewportSize({ width: 390, height: 844 });
        expect(await page.evaluate('document.documentElement.scrollWidth'), scene).toBe(390);
      }
    });
  }
});

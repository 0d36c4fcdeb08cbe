import { mkdirSync } from 'node:fs';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pageStateSchema, type PageState } from '../../operator/local/page/state/page-state.ts';
import { eventually } from '../support/eventually.ts';
import { chromiumPath, launch } from './browser.ts';
import { labelOf, readLabels } from './labels.ts';
import { playPage, type PlayedPage } from './played-page.ts';
import { SCENES, sceneOf, type Scene } from './scripted-run.ts';

if (chromiumPath === null) {
  process.stderr.write(
    'test/browser is skipped: there is no chromium. On Debian: apt-get install chromium.\n',
  );
}

const SCREENSHOTS = 'dist/screenshots';
const DEADLINE_MS = 20_000;

describe.skipIf(chromiumPath === null)('the page of a local run in a browser', () => {
  let browser: Browser;
  const played: PlayedPage[] = [];
  const opened: Page[] = [];
  beforeAll(async () => {
    browser = await launch();
    mkdirSync(SCREENSHOTS, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((page) => page.context().close()));
    await Promise.all(played.splice(0).map((server) => server.close()));
  });
  afterAll(() => browser.close());

  async function aPlayedPage(scene: Scene, port = 0): Promise<PlayedPage> {
    const server = await playPage(scene, port);
    played.push(server);
    return server;
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

  /** Charts are drawn a frame after they are there. */
  async function settled(page: Page): Promise<void> {
    await page.evaluate(
      'document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))',
    );
  }

  async function stateOf(url: string): Promise<PageState> {
    const response = await fetch(`${url}/api/state`);
    return pageStateSchema.parse(await response.json());
  }

  test('every label is the figure of /api/state, and every panel is filled', async () => {
    const server = await aPlayedPage('serve');
    const page = await open(server.url);
    const labels = await readLabels(page);
    expect(labels.length).toBeGreaterThan(50);
    const state = await stateOf(server.url);
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
    expect(await page.locator('#exits .exit').count()).toBe(4);
    expect(await page.locator('#exits .doubt').count()).toBe(3);
    const { decisions } = sceneOf('serve');
    const shown = await page.locator('#timeline .decision b').allTextContents();
    expect(shown).toEqual(decisions.map(({ reason }) => reason).reverse());
  });

  test('where the budget bounds F1 loss nothing is said of answers that disagree', async () => {
    const server = await aPlayedPage('boxes');
    const page = await open(server.url);
    const textOf = (selector: string): Promise<string> => page.locator(selector).innerText();
    expect(await textOf('.masthead')).toContain('budget 1% F1 loss at 95%');
    expect(await textOf('h1')).toContain('certified at 1% F1 loss');
    expect(await textOf('#disagreement')).toMatch(/audited rows were lost to F1/);
    expect(await textOf('#certificate')).toContain('At most 1% F1 loss at 95%: lambda');
    expect(await textOf('#certificate')).toMatch(/8\.4 of 3,012 audited rows were lost to F1/);
    expect(await page.locator('#exits .agreement').first().innerText()).toMatch(/^F1 \d/);
    for (const selector of ['.figures', '#disagreement', '#certificate', '#exits']) {
      expect(await textOf(selector), selector).not.toMatch(/disagree|agree|unlike|differ/i);
    }
  });

  test('nothing is asked of anyone else, and nothing breaks the policy of the page', async () => {
    const server = await aPlayedPage('serve');
    const context = await browser.newContext();
    const page = await context.newPage();
    opened.push(page);
    const asked: string[] = [];
    const problems: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(server.url);
    await page.waitForSelector('canvas');
    expect(asked.length).toBeGreaterThanOrEqual(4);
    expect(asked.filter((url) => !url.startsWith(`${server.url}/`))).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('a tick changes the page without loading it again', async () => {
    const server = await aPlayedPage('certify');
    const page = await open(server.url);
    await page.evaluate('window.isSame = true');
    server.play('ramp');
    await page.waitForSelector('.verdict:has-text("Exits on")');
    expect(await page.locator('[aria-current=step]').textContent()).toContain('Ramp');
    expect(await page.evaluate('window.isSame')).toBe(true);
  });

  for (const scheme of ['light', 'dark'] as const) {
    test(`axe finds nothing wrong in ${scheme}`, async () => {
      for (const scene of ['load', 'alarm'] as const) {
        const server = await aPlayedPage(scene);
        const page = await open(server.url, { colorScheme: scheme });
        await page.evaluate(axe.source);
        const found = await page.evaluate<{ violations: { id: string; nodes: unknown[] }[] }>(
          'axe.run(document, { resultTypes: ["violations"] })',
        );
        expect(
          found.violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes, null, 1)}`),
        ).toEqual([]);
      }
    });
  }

  test('a chart is moved along by the keyboard, and its legend tells the values there', async () => {
    const server = await aPlayedPage('serve');
    const page = await open(server.url);
    const chart = page.locator('#requests .canvas');
    const legend = page.locator('#requests .legend');
    const last = server.state.history.length - 1;
    await chart.focus();
    await page.keyboard.press('Home');
    await eventually(async () => {
      expect(await legend.textContent()).toContain('0:03');
    });
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    await eventually(async () => {
      expect(await chart.getAttribute('aria-valuenow')).toBe(String(last - 1));
    });
    const point = server.state.history[last - 1]!;
    expect(await chart.getAttribute('aria-valuetext')).toBe(
      `3:59: rows/s ${point.rowsPerSecond}, errors/s 0`,
    );
    await page.keyboard.press('Escape');
    await eventually(async () => {
      expect(await legend.textContent()).toContain('latest');
    });
  });

  test('everything that can be used is reached by Tab, first the way past the head', async () => {
    const server = await aPlayedPage('serve');
    const page = await open(server.url);
    const reached: string[] = [];
    for (let i = 0; i < 10; i++) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate<string>(
          `(() => { const at = document.activeElement; return at.className || at.tagName; })()`,
        ),
      );
    }
    expect(reached).toEqual([
      'skip',
      'BUTTON',
      ...Array.from({ length: 5 }, () => 'canvas'),
      'decisions',
      'canvas',
      'scroll',
    ]);
  });

  test('colours follow the system until a person chooses, and the choice stays', async () => {
    const server = await aPlayedPage('serve');
    const page = await open(server.url, { colorScheme: 'dark' });
    const scheme = (): Promise<string> =>
      page.evaluate<string>('document.documentElement.dataset.scheme');
    expect(await scheme()).toBe('dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await eventually(async () => {
      expect(await scheme()).toBe('light');
    });
    const button = page.locator('.tools button');
    await button.press('Enter');
    await button.press('Enter');
    expect(await button.textContent()).toContain('dark');
    await page.reload();
    await page.waitForSelector('h1');
    expect(await scheme()).toBe('dark');
  });

  test('a page that lost its run says so, and finds the next one on the same port', async () => {
    const first = await aPlayedPage('collect');
    const page = await open(first.url);
    await page.waitForSelector('.link:has-text("Live")');
    played.splice(0);
    await first.close();
    await page.waitForSelector('.link:has-text("No answer")');
    expect(await page.locator('h1').textContent()).toContain('Collecting');
    await aPlayedPage('serve', Number(new URL(first.url).port));
    await page.waitForSelector('.link:has-text("Live")');
    expect(await page.locator('h1').textContent()).toContain('leave early');
  });

  test('a page keeps what an ended run was, when nobody answers any more', async () => {
    const server = await aPlayedPage('serve');
    const page = await open(server.url);
    server.play('ended');
    await page.waitForSelector('.link:has-text("Last state")');
    played.splice(0);
    await server.close();
    const refused = page.waitForEvent('requestfailed');
    await refused;
    expect(await page.locator('.link').textContent()).toContain('Last state');
    expect(await page.locator('h1').textContent()).toContain('The run has ended');
    expect(await page.locator('.why').textContent()).toContain('report.html');
  });

  test('each stage has its headline, fits a telephone, and is photographed', async () => {
    const headlines: Record<Scene, string> = {
      load: 'Loading the backbone',
      collect: 'Collecting rows',
      train: 'Training heads',
      certify: 'Testing the heads',
      ramp: 'leave early',
      serve: 'leave early',
      boxes: 'certified at 1% F1 loss',
      alarm: 'Exits are off',
      ended: 'The run has ended',
      error: 'The run failed',
    };
    const server = await aPlayedPage('load');
    const page = await open(server.url);
    for (const scene of SCENES) {
      server.play(scene);
      await page.reload();
      await page.waitForSelector(`h1:has-text("${headlines[scene]}")`);
      await page.setViewportSize({ width: 1360, height: 900 });
      await settled(page);
      await page.screenshot({ path: `${SCREENSHOTS}/${scene}.png`, fullPage: true });
      await page.setViewportSize({ width: 390, height: 844 });
      await settled(page);
      expect(await page.evaluate('document.documentElement.scrollWidth'), scene).toBe(390);
    }
    for (const scene of ['serve', 'alarm'] as const) {
      server.play(scene);
      await page.emulateMedia({ colorScheme: 'dark' });
      await page.reload();
      await page.waitForSelector(`h1:has-text("${headlines[scene]}")`);
      await settled(page);
      await page.screenshot({ path: `${SCREENSHOTS}/${scene}-narrow-dark.png`, fullPage: true });
      await page.setViewportSize({ width: 1360, height: 900 });
      await settled(page);
      await page.screenshot({ path: `${SCREENSHOTS}/${scene}-dark.png`, fullPage: true });
      await page.setViewportSize({ width: 390, height: 844 });
    }
  });

  test('report.html shows the figures of report.json, without script, and axe finds nothing', async () => {
    const { renderReport } = await import('../../operator/local/report/html/render-report.ts');
    const { aReport } = await import('./scripted-report.ts');
    const report = aReport();
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({
        viewport: { width: 1100, height: 900 },
        colorScheme,
      });
      const page = await context.newPage();
      opened.push(page);
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      await page.setContent(renderReport(report));
      const labels = await readLabels(page);
      expect(labels.length).toBeGreaterThan(40);
      expect(labels).toEqual(labels.map((label) => labelOf(label, report)));
      expect(await page.locator('script').count()).toBe(0);
      expect(asked).toEqual([]);
      await page.screenshot({ path: `${SCREENSHOTS}/report-${colorScheme}.png`, fullPage: true });
      await page.evaluate(axe.source);
      const found = await page.evaluate<{ violations: { id: string; nodes: unknown[] }[] }>(
        'axe.run(document, { resultTypes: ["violations"] })',
      );
      expect(found.violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`)).toEqual(
        [],
      );
      await page.setViewportSize({ width: 390, height: 844 });
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    }
  });
});

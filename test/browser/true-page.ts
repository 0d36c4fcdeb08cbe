import { mkdirSync } from 'node:fs';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { launch } from './browser.ts';

const SCREENSHOTS = 'dist/screenshots';

export interface PageStage {
  readonly stage: string;
  readonly headline: string;
  /** What axe finds wrong. */
  readonly violations: readonly string[];
  /** From the navigation on; null: the page had been open. */
  readonly firstPaintMs: number | null;
}

/** The page of a run that goes on, looked at as it comes. */
export interface TruePage {
  readonly stages: readonly PageStage[];
  /** Every address that was asked for. */
  readonly asked: readonly string[];
  /** What the console said. */
  readonly problems: readonly string[];
  /** Loads the page anew, as one who comes now. */
  look(stage: string): Promise<void>;
  /** The page that was open all the time, after its run is gone. */
  lookAtEnd(stage: string): Promise<void>;
  pictureOf(stage: string): string;
  close(): Promise<void>;
}

export async function openTruePage(url: string): Promise<TruePage> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const browser = await launch();
  const stages: PageStage[] = [];
  const asked: string[] = [];
  const problems: string[] = [];
  const pictureOf = (stage: string): string => `${SCREENSHOTS}/true-${stage}.png`;

  const open = async (): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 } });
    const page = await context.newPage();
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(url);
    await page.waitForSelector('h1');
    return page;
  };

  const examine = async (page: Page, stage: string, isFresh: boolean): Promise<void> => {
    await page.evaluate(
      'new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))',
    );
    const firstPaintMs = isFresh
      ? await page.evaluate<number>('performance.getEntriesByName("first-paint")[0].startTime')
      : null;
    const headline = (await page.locator('h1').textContent()) ?? '';
    await page.screenshot({ path: pictureOf(stage), fullPage: true });
    await page.evaluate(axe.source);
    const found = await page.evaluate<{ violations: { id: string; nodes: unknown[] }[] }>(
      'axe.run(document, { resultTypes: ["violations"] })',
    );
    const violations = found.violations.map(({ id, nodes }) => `${id}: ${JSON.stringify(nodes)}`);
    stages.push({ stage, headline, violations, firstPaintMs });
  };

  const kept = await open();
  return {
    ...{ stages, asked, problems, pictureOf },
    look: async (stage) => {
      const page = await open();
      page.on('console', (message) => problems.push(message.text()));
      await examine(page, stage, true);
      await page.context().close();
    },
    lookAtEnd: async (stage) => {
      await kept.waitForSelector('h1:has-text("The run has ended")');
      await examine(kept, stage, false);
    },
    close: () => browser.close(),
  };
}

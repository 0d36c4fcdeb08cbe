import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { BOARDS } from '../../../charts/generate/dashboards/boards.ts';
import { chromiumPath, launch } from '../../browser/browser.ts';
import { askPanels } from '../ask-board.ts';
import { prometheusMissing } from '../prometheus.ts';
import { playRun, type ScriptedRun } from '../scripted-run.ts';
import { renderPreview } from './render-preview.ts';

const FOLDER = 'dist/preview';
/** Larger than an empty page. */
const MIN_PNG_BYTES = 20_000;
const MAX_PNG_BYTES = 300_000;

// Pictures of the boards for people: `dist/preview/*.png`.
describe.skipIf(prometheusMissing !== null || chromiumPath === null)('a preview', () => {
  let run: ScriptedRun;
  beforeAll(async () => {
    run = await playRun();
    mkdirSync(FOLDER, { recursive: true });
    return () => run.close();
  }, 900_000);

  test.each(BOARDS)('of $uid draws every panel', async (board) => {
    const { prometheus, intervals } = run;
    const whole = { ...intervals };
    for (const scenario of Object.keys(whole) as (keyof typeof whole)[]) {
      whole[scenario] = intervals.Always;
    }
    const answers = await askPanels(board, { prometheus, intervals: whole });
    const html = renderPreview(board, answers, intervals.Always);
    const file = resolve(join(FOLDER, board.uid));
    writeFileSync(`${file}.html`, html);
    const browser = await launch();
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      await page.goto(`file://${file}.html`);
      expect(await page.locator('section').count()).toBe(answers.length);
      // A palette is enough for flat colours, and small enough for a page of documentation.
      const picture = await page.screenshot({ fullPage: true });
      await sharp(picture).png({ palette: true }).toFile(`${file}.png`);
    } finally {
      await browser.close();
    }
    const { size } = statSync(`${file}.png`);
    expect(size).toBeGreaterThan(MIN_PNG_BYTES);
    expect(size).toBeLessThan(MAX_PNG_BYTES);
  });
});

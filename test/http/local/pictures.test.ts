// A folder of pictures, through sharp and a real server, to the report. `npm run build` (or operator/bundle/bundle.mjs) comes first.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../../operator/local/report/report-schema.ts';
import { drillOf, finished, run } from './drill-run.ts';
import type { CliRun } from './local-run.ts';
import { textureModel, textureRows } from './texture-place.ts';
import { writeModelFolder } from './model-folder.ts';

const PICTURES = 400;
const KILLED_AT = 120;

describe('a folder of pictures', () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-pictures-'));
  let started: CliRun;
  let report: Report;

  /** Each in the folder of its class, every other one as JPEG; one file is none. */
  async function writePictures(): Promise<void> {
    const { pixels, labels } = textureRows(PICTURES, 8, { striped: 0.3, twins: 0.2, greys: 0.2 });
    for (const [row, label] of labels.entries()) {
      const at = join(folder, 'pictures', String(label));
      mkdirSync(at, { recursive: true });
      const raw = { width: 16, height: 16, channels: 3 as const };
      const picture = sharp(pixels.subarray(row * 768, (row + 1) * 768), { raw });
      const file = join(at, `${row}.${row % 2 === 0 ? 'png' : 'jpg'}`);
      await (
        row % 2 === 0 ? picture.png() : picture.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      ).toFile(file);
    }
    writeFileSync(join(folder, 'pictures', '0', 'broken.png'), 'no picture');
  }

  beforeAll(async () => {
    const manifest = writeModelFolder(folder, textureModel(), {
      name: 'pictures',
      spec: `  accuracy: {maxDisagreement: 5%}
  exits: []
`,
    });
    await writePictures();
    const place = { folder, manifest, traffic: 'images:pictures' };
    started = run(place, '--kill', `host@${KILLED_AT}`, '--concurrency', '4');
    report = await finished(place, started, 0);
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  test('is decoded, served, and answered as the backbone answers these pixels', () => {
    expect(report.run).toMatchObject({ requests: PICTURES, exitShare: { backbone: 1 } });
    // What was compressed may fall to another class now and then.
    expect(report.run.accuracy!.n).toBe(PICTURES);
    expect(report.run.accuracy!.served).toBeGreaterThan(0.95);
    expect(report.traffic).toMatchObject({ source: 'images:pictures', droppedDuplicates: 0 });
  });

  test('with a file that is none says so, counts it, and goes on without it', () => {
    expect(started.stderr()).toContain(
      `warning: --traffic images:pictures: 1 of ${PICTURES + 1} pictures cannot be read and are left out, for example 0/broken.png: `,
    );
    expect([report.traffic.skippedRows, report.complete]).toEqual([1, true]);
  });

  test('loses no request when the engine host is killed: the server keeps what was in it', () => {
    const { message, failedRequests, held, recoveredSeconds, flag } = drillOf(report, 'Kill');
    expect([report.errors.count, failedRequests, held?.failed]).toEqual([0, 0, 0]);
    expect(held?.requests).toBeGreaterThan(0);
    expect(held?.requests).toBeLessThanOrEqual(4);
    expect(recoveredSeconds).toBeGreaterThan(0);
    expect(message).toMatch(
      /^The engine host of local-0 was killed with \d requests in it, of which 0 failed; it answered again after [^,]+, no other request failed\.$/,
    );
    expect(started.stdout()).toContain(`drill        ${flag}: ${message}`);
    expect(readFileSync(join(folder, 'out', 'report.html'), 'utf8')).toContain(message);
  });
});

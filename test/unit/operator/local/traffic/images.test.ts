import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import { openImages } from '../../../../../operator/local/traffic/images.ts';
import {
  pictureSize,
  type PictureSize,
} from '../../../../../operator/local/traffic/picture-size.ts';
import type { TrafficSource } from '../../../../../operator/local/traffic/source.ts';
import { aState } from '../../../crds/documents.ts';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Colour = readonly [number, number, number];
const RED: Colour = [250, 10, 20];
const BLUE: Colour = [5, 15, 240];

async function aFolder(files: Readonly<Record<string, Colour | string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-pictures-'));
  folders.push(folder);
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof content === 'string') writeFileSync(path, content);
    else await draw(content).toFile(path);
  }
  return folder;
}

function draw([r, g, b]: Colour) {
  return sharp({ create: { width: 12, height: 6, channels: 3, background: { r, g, b } } });
}

const size: PictureSize = { width: 4, height: 4, channels: 3, resize: 'Cover', isBgr: false };

async function open(
  folder: string,
  changes: Partial<PictureSize> = {},
  classNames: readonly string[] = [],
): Promise<{ source: TrafficSource; skipped: string[] }> {
  const skipped: string[] = [];
  const source = await openImages({
    folder,
    name: '--traffic images:pictures',
    size: { ...size, ...changes },
    classNames,
    onSkipped: (message) => skipped.push(message),
  });
  return { source, skipped };
}

function firstPixel(source: TrafficSource, index: number): number[] {
  return [...source.readRow(index).subarray(0, 3)];
}

describe('pictures below a folder', () => {
  test('become rows of the size that the model takes, labelled by their subfolder', async () => {
    const folder = await aFolder({
      'a/1.png': RED,
      'b/2.png': BLUE,
      'b/deep/3.webp': BLUE,
      'notes.txt': 'no picture',
    });
    const { source, skipped } = await open(folder);
    expect([source.rowCount, source.rowShape, source.element]).toEqual([3, [4, 4, 3], 'u1']);
    expect([firstPixel(source, 0), firstPixel(source, 1)]).toEqual([[...RED], [...BLUE]]);
    expect(source.readRow(0).byteLength).toBe(48);
    expect([...(source.labels ?? [])]).toEqual([0, 1, 2]);
    expect(skipped).toEqual([]);
    source.close();
    source.close();
  });

  test('of jpeg come near what was drawn, and grey when the model is', async () => {
    const folder = await aFolder({ 'a/1.jpeg': [120, 120, 120], 'a/2.JPG': [30, 30, 30] });
    const { source } = await open(folder, { channels: 1 });
    expect(source.rowShape).toEqual([4, 4, 1]);
    const grey = [0, 1].map((index) => source.readRow(index)[0] ?? 0);
    expect(Math.abs(grey[0]! - 120)).toBeLessThan(4);
    expect(Math.abs(grey[1]! - 30)).toBeLessThan(4);
    source.close();
  });

  test('have blue first for a model that wants it so', async () => {
    const { source } = await open(await aFolder({ 'a/1.png': RED }), { isBgr: true });
    expect(firstPixel(source, 0)).toEqual([20, 10, 250]);
    source.close();
  });

  test('are cut to the middle, framed in black, or stretched', async () => {
    const folder = await aFolder({ '1.png': RED });
    const top = async (resize: PictureSize['resize']): Promise<number[]> => {
      const { source } = await open(folder, { resize });
      const pixel = firstPixel(source, 0);
      source.close();
      return pixel;
    };
    expect(await top('Cover')).toEqual([...RED]);
    expect(await top('Fill')).toEqual([...RED]);
    expect(await top('Contain')).toEqual([0, 0, 0]);
  });

  test('that cannot be read are left out, counted and named', async () => {
    const folder = await aFolder({ 'a/1.png': RED, 'a/2.png': 'hello', 'a/3.jpg': '' });
    const { source, skipped } = await open(folder);
    expect([source.rowCount, source.skippedRows]).toEqual([1, 2]);
    expect(skipped).toHaveLength(1);
    expect(skipped[0]).toMatch(
      /^--traffic images:pictures: 2 of 3 pictures cannot be read and are left out, for example a\/2\.png: .+\.$/,
    );
    source.close();
  });

  test('know which clip they are frames of, in the order of their numbers', async () => {
    const folder = await aFolder({
      'b/10.png': RED,
      'b/9.png': BLUE,
      'a/1.png': RED,
      'x/2.png': '',
    });
    const { source } = await open(folder, {}, []);
    expect(source.clips).toEqual(['a', 'b', 'b']);
    expect(firstPixel(source, 1)).toEqual([...BLUE]);
    source.close();
  });

  test.each([
    [
      'the model names them',
      { 'dress/1.png': RED, 'bag/2.png': RED },
      ['bag', 'coat', 'dress'],
      [0, 2],
    ],
    ['they are numbers', { '7/1.png': RED, '12/2.png': RED }, ['x'], [12, 7]],
    ['neither: in alphabetical order', { 'b/1.png': RED, 'a/2.png': RED }, ['b'], [0, 1]],
  ] as const)('have the class of their subfolder, where %s', async (_, files, names, labels) => {
    const { source } = await open(await aFolder(files), {}, names);
    expect([...(source.labels ?? [])]).toEqual(labels);
    source.close();
  });

  test('have no labels when one of them lies in no subfolder', async () => {
    const { source } = await open(await aFolder({ 'a/1.png': RED, '2.png': RED }));
    expect(source.labels).toBeNull();
    source.close();
  });

  test('of which none can be read are refused', async () => {
    await expect(open(await aFolder({ 'a/1.png': 'hello' }))).rejects.toThrow(
      /^The traffic cannot be read \(--traffic images:pictures\): none of its 1 pictures can be read, for example a\/1\.png: .* Open one of them with a viewer; jpeg, png and webp are read\. \[TrafficUnreadable\]$/,
    );
  });

  test.each([
    [
      'there are none',
      {},
      'there is no .jpg, .png or .webp below this folder. Name the folder whose subfolders hold the pictures of one class each.',
    ],
  ])('are refused when %s', async (_, files, why) => {
    await expect(open(await aFolder(files))).rejects.toThrow(why);
    await expect(open('/nowhere')).rejects.toThrow('/nowhere does not exist.');
  });
});

describe('the size of a picture', () => {
  const inputs = (...shape: number[]) => [
    { ...aState().backbone.inputs[0]!, name: 'x', shape: [-1, ...shape] },
  ];

  test.each([
    ['channels first', {}, [3, 32, 24], { width: 24, height: 32, channels: 3 }],
    ['channels last', {}, [32, 24, 1], { width: 24, height: 32, channels: 1 }],
    [
      'named layout',
      { layout: 'NHWC' as const },
      [1, 24, 3],
      { width: 24, height: 1, channels: 3 },
    ],
    ['no channels', {}, [28, 20], { width: 20, height: 28, channels: 1 }],
  ])('comes from the input of the model: %s', (_, input, shape, expected) => {
    expect(pictureSize({ input }, inputs(...shape), 'w')).toMatchObject({
      ...expected,
      resize: 'Cover',
      isBgr: false,
    });
  });

  test('is the described one before all', () => {
    const image = { width: 9, height: 8, resize: 'Fill', colors: 'BGR' } as const;
    expect(pictureSize({ input: { image } }, [], 'w')).toEqual({
      width: 9,
      height: 8,
      channels: 3,
      resize: 'Fill',
      isBgr: true,
    });
    const gray = { width: 9, height: 8, colors: 'Gray' } as const;
    expect(pictureSize({ input: { image: gray } }, [], 'w').channels).toBe(1);
  });

  test.each([[[-1, -1, 3]], [[16, 8, 8]], [[10]]])(
    'that is not known is asked for: %j',
    (shape) => {
      expect(() => pictureSize({}, inputs(...shape), '--traffic images:x')).toThrow(
        'The rows of the traffic do not fit the input of the backbone (--traffic images:x): the size of a picture is not known: the input of the backbone is no picture of fixed size. Name it in layercache.json beside the model: input.image with width, height and colors. [TrafficWrongShape]',
      );
    },
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readImageHeader } from '../../../../server/image/image-header.ts';
import { colourfulRows, pictureOf } from '../../../support/pictures.ts';

const picture = () => pictureOf(colourfulRows(16)).resize({ width: 13, height: 7, fit: 'fill' });

describe('format and size are read from', () => {
  test.each<[string, () => Promise<Buffer>, string]>([
    ['a PNG', () => picture().png().toBuffer(), 'png'],
    ['an interlaced PNG', () => picture().png({ progressive: true }).toBuffer(), 'png'],
    ['a JPEG', () => picture().jpeg().toBuffer(), 'jpeg'],
    ['a progressive JPEG', () => picture().jpeg({ progressive: true }).toBuffer(), 'jpeg'],
    ['a JPEG with metadata before its frame', () => picture().withExif({ IFD0: { Copyright: 'x'.repeat(900) } }).jpeg().toBuffer(), 'jpeg'], // prettier-ignore
    ['a lossy WebP', () => picture().webp().toBuffer(), 'webp'],
    ['a lossless WebP', () => picture().webp({ lossless: true }).toBuffer(), 'webp'],
    ['a WebP with transparency', () => picture().ensureAlpha(0.5).webp().toBuffer(), 'webp'],
  ])('%s', async (_, make, format) => {
    expect(readImageHeader(await make())).toEqual({ format, width: 13, height: 7 });
  });

  test('a JPEG with fill bytes and markers without a length', () => {
    const bytes = [0xff, 0xd8, 0xff, 0x01, 0xff, 0xd0, 0xff, 0xff, 0xc2, 0, 11, 8, 1, 2, 3, 4];
    expect(readImageHeader(Uint8Array.from(bytes))).toEqual({
      format: 'jpeg',
      width: 0x0304,
      height: 0x0102,
    });
  });
});

describe('nothing is read from', () => {
  test.each<[string, Uint8Array]>([
    ['no bytes', new Uint8Array(0)],
    ['a GIF', Buffer.from('GIF89a................')],
    ['a PNG without IHDR', Buffer.from('\x89PNG\r\n\x1a\n....IDAT............', 'latin1')],
    ['a RIFF that is a sound', Buffer.from('RIFF....WAVEfmt .................')],
    ['a WebP of an unknown kind', Buffer.from('RIFF....WEBPVP9 .................')],
    ['a JPEG whose segments hold no marker', Uint8Array.from([0xff, 0xd8, 0, 0, 0, 0])],
  ])('%s', (_, bytes) => {
    expect(readImageHeader(bytes)).toBeNull();
  });

  test('any piece of a file ends: with its size, or with nothing', async () => {
    const files = await Promise.all([
      picture().png().toBuffer(),
      picture().jpeg().toBuffer(),
      picture().webp().toBuffer(),
    ]);
    for (const file of files) {
      for (let length = 0; length < Math.min(file.length, 200); length++) {
        const header = readImageHeader(file.subarray(0, length));
        if (header !== null) expect(header).toMatchObject({ width: 13, height: 7 });
      }
    }
  });

  test('no bytes at all make it throw or run on', () => {
    const start = fc.constantFrom([0xff, 0xd8], [0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10], [0x52, 0x49, 0x46, 0x46]); // prettier-ignore
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (magic, rest) => {
        readImageHeader(Uint8Array.from([...magic, ...rest]));
      }),
      { seed: 5, numRuns: 2_000 },
    );
  });
});

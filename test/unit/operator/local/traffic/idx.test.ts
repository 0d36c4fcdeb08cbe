import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { openIdx } from '../../../../../operator/local/traffic/idx.ts';
import { idxBytes, temporaryFile } from './files.ts';

const pixels = Uint8Array.from({ length: 8 }, (_, i) => i * 3);

describe('an IDX file', () => {
  test.each([
    ['plain', temporaryFile('x.idx', idxBytes([2, 2, 2], pixels))],
    ['compressed', temporaryFile('x.idx.gz', gzipSync(idxBytes([2, 2, 2], pixels)))],
  ])('%s gives its rows', (_, path) => {
    const source = openIdx(path, 'idx');
    expect([source.rowCount, source.rowShape]).toEqual([2, [2, 2]]);
    expect([...source.readRow(1)]).toEqual([12, 15, 18, 21]);
  });

  test.each([
    ['of another type', idxBytes([1, 1], pixels, 0x0d), 'its element type is 0xd'],
    [
      'that ends too early',
      idxBytes([3, 4], pixels),
      'it has 8 elements, but its sizes (3, 4) need 12',
    ],
    ['that ends inside its header', Buffer.from([0, 0, 8, 3, 0]), 'it ends inside its header'],
    ['that is none', Buffer.from('hello'), 'it does not start with the magic bytes of an IDX file'],
  ])('%s is refused', (_, content, why) => {
    expect(() => openIdx(temporaryFile('x.idx', content), 'idx')).toThrow(why);
  });

  test('that claims to be compressed and is not is refused', () => {
    expect(() => openIdx(temporaryFile('x.idx.gz', 'hello'), 'idx')).toThrow(
      'incorrect header check',
    );
  });
});

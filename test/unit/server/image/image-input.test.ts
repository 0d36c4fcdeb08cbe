import { describe, expect, test } from 'vitest';
import { ModelNotesSchema } from '../../../../server/engine/model-notes.ts';
import { imageRowBytes, toImageInput } from '../../../../server/image/image-input.ts';

function inputOf(input: object, rowShape: number[]) {
  return toImageInput(ModelNotesSchema.parse({ input }).input, rowShape);
}

const image = { width: 4, height: 2 };

describe('a declared image', () => {
  test('that is not there is none', () => {
    expect(inputOf({}, [3, 2, 4])).toEqual({ ok: true, value: null });
  });

  test.each<[string, object, number[], object]>([
    ['three planes', { image }, [3, 2, 4], { channels: 3, isChannelsFirst: true }],
    ['three colours a pixel', { image }, [2, 4, 3], { channels: 3, isChannelsFirst: false }],
    ['one plane', { image }, [2, 4], { channels: 1, isChannelsFirst: false }],
    ['a row without axes', { image }, [24], { channels: 3, isChannelsFirst: false }],
    ['the layout that is said', { image, layout: 'NCHW' }, [24], { isChannelsFirst: true }],
    ['colours backwards', { image: { ...image, colors: 'BGR' } }, [24], { isBgr: true }],
    ['grey', { image: { ...image, colors: 'Gray' } }, [1, 2, 4], { channels: 1 }],
  ])('fits %s', (_, input, rowShape, expected) => {
    const read = inputOf(input, rowShape);
    expect(read).toMatchObject({ ok: true, value: { ...image, resize: 'Cover', ...expected } });
    if (read.ok && read.value !== null) {
      expect(imageRowBytes(read.value)).toBe(rowShape.reduce((all, size) => all * size, 1));
    }
  });

  test.each<[string, object, number[], RegExp]>([
    ['of another size', { image }, [3, 4, 4], /input.image is 4 x 2, but a row .* \[3, 4, 4\]/],
    ['of four channels', { image }, [4, 2, 4], /4 x 2, but/],
    ['in colours for a grey model', { image: { ...image, colors: 'RGB' } }, [1, 2, 4], /4 x 2 RGB/],
    ['in grey for a model of colours', { image: { ...image, colors: 'Gray' } }, [3, 2, 4], /Gray/],
  ])('%s is no row of the model', (_, input, rowShape, message) => {
    const read = inputOf(input, rowShape);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.message).toMatch(message);
  });
});

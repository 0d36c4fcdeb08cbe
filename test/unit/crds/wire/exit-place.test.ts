import { expect, test } from 'vitest';
import { exitPlace, placeFields } from '../../../../crds/wire/exit-place.ts';

test('an exit is known by its tensor or by the digest of its companion', () => {
  expect(exitPlace({ tensor: 'layer1', modelDigest: null })).toBe('layer1');
  expect(exitPlace({ tensor: null, modelDigest: 'sha256:1' })).toBe('sha256:1');
  expect(exitPlace({})).toBe('');
});

test('documents carry the one field that it has', () => {
  expect(placeFields({ tensor: 'layer1', modelDigest: null })).toEqual({ tensor: 'layer1' });
  expect(placeFields({ modelDigest: 'sha256:1' })).toEqual({ modelDigest: 'sha256:1' });
  expect(placeFields({ tensor: null })).toEqual({});
});

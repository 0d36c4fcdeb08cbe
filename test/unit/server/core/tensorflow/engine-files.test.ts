import { describe, expect, test } from 'vitest';
import {
  engineFolder,
  enginesFolder,
  parseEngineMark,
} from '../../../../../server/core/tensorflow/engine-files.ts';

describe('the folder of engines', () => {
  test.each([
    ['is the named one', { LAYERCACHE_ENGINES_DIR: '/e', XDG_CACHE_HOME: '/c' }, '/e'],
    ['else lies in the cache', { XDG_CACHE_HOME: '/c' }, '/c/layercache/engines'],
    ['else in the cache of the home', {}, '/home/a/.cache/layercache/engines'],
    [
      'and an empty variable is none',
      { LAYERCACHE_ENGINES_DIR: '', XDG_CACHE_HOME: '' },
      '/home/a/.cache/layercache/engines',
    ],
  ])('%s', (_, environment, folder) => {
    expect(enginesFolder(environment, '/home/a')).toBe(folder);
  });

  test('has one folder per platform', () => {
    expect(engineFolder('/e', 'linux', 'x64')).toBe('/e/tfjs-node-linux-x64');
  });
});

describe('a mark', () => {
  const mark = { tensorflow: '2.19.1', 'tfjs-node': '4.22.0', recipe: 'sha256:r' };

  test('names its versions, and what else it says is left out', () => {
    expect(parseEngineMark(JSON.stringify({ ...mark, more: 1 }))).toEqual(mark);
  });

  test.each(['', 'null', '[]', '7', JSON.stringify({ ...mark, recipe: 1 })])(
    'is not %s',
    (text) => {
      expect(parseEngineMark(text)).toBeNull();
    },
  );
});

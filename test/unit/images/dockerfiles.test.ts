import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const ALLOWED = [
  ...['ARG', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'LABEL', 'USER', 'WORKDIR'],
];

interface Instruction {
  readonly verb: string;
  readonly words: string;
}

/** Instructions in order, each with its continuation lines. */
function instructionsOf(name: string): readonly Instruction[] {
  const text = readFileSync(`${ROOT}/${name}/Dockerfile`, 'utf8').replace(/^#.*\n/gm, '');
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, verb = '', words = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
      return { verb, words: words.replace(/\s+/g, ' ') };
    });
}

function wordsOf(name: string, verb: string): readonly string[] {
  return instructionsOf(name)
    .filter((one) => one.verb === verb)
    .map(({ words }) => words);
}

describe.each(['operator', 'server'])('the Dockerfile of %s', (name) => {
  test('runs nothing and fetches nothing: it copies what is laid out for it', () => {
    const verbs = instructionsOf(name).map(({ verb }) => verb);
    expect(verbs.filter((verb) => !ALLOWED.includes(verb))).toEqual([]);
    for (const copied of wordsOf(name, 'COPY')) {
      expect(copied).toMatch(/^dist\/images\/[a-z-]+\/ \/$/);
    }
  });

  test('has one base, which an argument names and a build may pin', () => {
    expect(wordsOf(name, 'ARG')[0]).toMatch(/^BASE_IMAGE=\S+:nonroot$/);
    const stages = wordsOf(name, 'FROM').map((words) => words.split(' '));
    const own = stages.flatMap(([, , as]) => as ?? []);
    const outside = stages.map(([from = '']) => from).filter((from) => !own.includes(from));
    expect(outside).toEqual(['${BASE_IMAGE}']);
  });

  test('runs as nobody, and node is process 1 and gets the signals', () => {
    expect(wordsOf(name, 'USER')).toEqual(['65532:65532']);
    // In the exec form.
    expect(wordsOf(name, 'ENTRYPOINT')).toEqual([expect.stringMatching(/^\["node", .*\]$/)]);
  });

  test('says where the bill of materials lies', () => {
    expect(wordsOf(name, 'LABEL').join(' ')).toContain('io.layercache.sbom="/app/sbom.cdx.json"');
  });
});

test('without a target the server is built, not the image for cards', () => {
  expect(wordsOf('server', 'FROM').at(-1)).toBe('server');
});

test('a release builds every image that an installation can name, and no other', () => {
  const release = readFileSync(`${ROOT}/.ci/release`, 'utf8');
  const built = [...release.matchAll(/^ {2}build (\S+) (\S+)(?: (\S+))?$/gm)];
  const named = readFileSync(`${ROOT}/charts/layercache/images.txt`, 'utf8')
    .trim()
    .split('\n')
    .map((image) => /\/([^/:]+):[^/]*$/.exec(image)?.[1]);
  expect(built.map(([, name]) => name).sort()).toEqual(named.sort());
  const targets = wordsOf('server', 'FROM').flatMap((words) => words.split(' AS ')[1] ?? []);
  expect(built.flatMap(([, , , target]) => target ?? []).sort()).toEqual(targets.sort());
});

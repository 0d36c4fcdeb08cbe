import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { REASONS } from '../../../crds/v1alpha1/reasons.ts';

// A reason that no code gives is a promise to people who switch on it, and its page sends them looking for nothing.

/** Where a name stands without being given: the catalogue, its pages, and what chooses by a reason how it is shown. */
const NO_WRITERS = /^crds\/|^operator\/local\/(web\/decision-tone|drills\/poison-drill)\.ts$/;

const code = ['server', 'operator', 'crds']
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  )
  .filter((path) => path.endsWith('.ts') && !NO_WRITERS.test(path))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

/** A comparison reads a reason, and a key of an object chooses by it. */
function isWritten(reason: string): boolean {
  return new RegExp(`(?<![=!]== |case )'${reason}'(?!\\]?:)(?! [=!]==)`).test(code);
}

test('every reason of the catalogue is given by some code', () => {
  expect(Object.keys(REASONS).filter((reason) => !isWritten(reason))).toEqual([]);
});

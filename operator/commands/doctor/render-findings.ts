import type { Paint } from '../output/paint.ts';
import { wrap } from '../output/render-columns.ts';
import type { Finding } from './finding.ts';

const MARKS = { Ok: ['ok', 'green'], Finding: ['WRONG', 'red'], Unknown: ['?', 'yellow'] } as const;
const AREA = 13;
const MARK = 7;
const WIDTH = 118;

/** A line for each thing looked at, what to do below it, and a sum. */
export function renderFindings(findings: readonly Finding[], paint: Paint): string[] {
  const count = (state: Finding['state']): number =>
    findings.filter((one) => one.state === state).length;
  const wrong = count('Finding');
  const unseen = count('Unknown');
  const sum =
    `${wrong} of ${findings.length} things looked at ${wrong === 1 ? 'is' : 'are'} wrong` +
    (unseen === 0 ? '.' : `, ${unseen} could not be seen.`);
  return [...findings.flatMap((one) => lineOf(one, paint)), '', sum];
}

function lineOf({ area, state, text, nextStep }: Finding, paint: Paint): string[] {
  const [mark, colour] = MARKS[state];
  const head = `${paint(mark, colour)}${' '.repeat(MARK - mark.length)}${area.padEnd(AREA)}`;
  const indent = ' '.repeat(MARK + AREA);
  const [first = '', ...more] = wrap(text, WIDTH);
  const next = nextStep === null ? [] : wrap(`-> ${nextStep}`, WIDTH);
  return [`${head}${first}`, ...[...more, ...next].map((line) => `${indent}${line}`)];
}

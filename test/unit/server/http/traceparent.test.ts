import { expect, test } from 'vitest';
import { traceIdOf } from '../../../../server/http/traceparent.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';

test.each([
  ['this version', `00-${TRACE}-${PARENT}-01`],
  ['a later one', `01-${TRACE}-${PARENT}-01`],
  ['a later one that says more', `cc-${TRACE}-${PARENT}-01-what.the.future.holds`],
])('the trace of a header of %s is found', (_, header) => {
  expect(traceIdOf(header)).toBe(TRACE);
});

// Cases of the W3C's own test suite for trace contexts.
test.each([
  ['nothing', undefined],
  ['two headers', [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`]],
  ['the version that is none', `ff-${TRACE}-${PARENT}-01`],
  ['more than this version has', `00-${TRACE}-${PARENT}-01-more`],
  ['more without its dash', `01-${TRACE}-${PARENT}-01more`],
  ['a trace of zeros', `00-${'0'.repeat(32)}-${PARENT}-01`],
  ['a parent of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['capitals', `00-${TRACE.toUpperCase()}-${PARENT}-01`],
  ['a short trace', `00-${TRACE.slice(1)}-${PARENT}-01`],
  ['a long parent', `00-${TRACE}-${PARENT}0-01`],
  ['flags that are no number', `00-${TRACE}-${PARENT}-.0`],
  ['a line of its own', `00-${TRACE}-${PARENT}-01\n`],
])('%s names no trace', (_, header) => {
  expect(traceIdOf(header)).toBeNull();
});

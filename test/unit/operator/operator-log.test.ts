import { expect, test } from 'vitest';
import { ApiStatusError } from '../../../operator/kube/api-status-error.ts';
import { TerminalError } from '../../../operator/kube/terminal-error.ts';
import { toLoggedError } from '../../../operator/operator-log.ts';

test('an answer of the API server is logged in its parts, without a stack', () => {
  const error = new ApiStatusError({
    ...{ status: 403, reason: 'Forbidden', detail: 'no', call: 'list pods' },
    cause: new Error('socket hang up'),
  });
  expect(toLoggedError(error)).toEqual({
    name: 'ApiStatusError',
    message: error.message,
    status: 403,
    reason: 'Forbidden',
    call: 'list pods',
    cause: 'socket hang up',
  });
});

test('a terminal failure is logged with its reason', () => {
  expect(toLoggedError(new TerminalError('InvalidSpec', 'spec.x is wrong'))).toEqual({
    ...{ name: 'TerminalError', message: 'spec.x is wrong', reason: 'InvalidSpec' },
  });
});

test('what nobody expected brings its stack, and what is no error its text', () => {
  expect(toLoggedError(new TypeError('x'))).toMatchObject({
    name: 'TypeError',
    stack: expect.stringContaining('operator-log.test') as string,
  });
  expect(toLoggedError('gone')).toEqual({ message: 'gone' });
});

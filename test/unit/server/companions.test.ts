import { expect, test } from 'vitest';
import { parseCompanions, refuseCompanions } from '../../../server/companions.ts';

test('companions are read as the pod template writes them, and each is refused by name', () => {
  const parsed = parseCompanions('[{"name":"small","uri":"https://h/s.onnx","digest":"sha256:1"}]');
  expect(parsed).toEqual({ ok: true, value: [{ name: 'small', uri: 'https://h/s.onnx' }] });
  expect(parsed.ok && refuseCompanions(parsed.value)).toEqual([
    {
      name: 'small',
      code: 'CompanionLoadFailed',
      message: expect.stringMatching(/exit small is off/) as string,
    },
  ]);
});

test.each(['{', '{}', '[{"name":"Bad Name","uri":"x"}]', '[{"name":"a"}]'])(
  '%s is no list of companions',
  (text) => {
    expect(parseCompanions(text).ok).toBe(false);
  },
);

test('nothing is an empty list', () => {
  expect(parseCompanions('')).toEqual({ ok: true, value: [] });
});

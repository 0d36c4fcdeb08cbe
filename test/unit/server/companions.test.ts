import { expect, test } from 'vitest';
import { parseCompanions } from '../../../server/companions.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;

test('companions are read as the pod template writes them', () => {
  const text = `[{"name":"small","uri":"file:///m/s.onnx","digest":"${DIGEST}","format":"ONNX","outputName":"logits"},{"name":"b","uri":"pvc://models/b.onnx"}]`;
  expect(parseCompanions(text)).toEqual({
    ok: true,
    value: [
      {
        ...{ name: 'small', uri: { kind: 'file', path: '/m/s.onnx' } },
        ...{ digest: DIGEST, format: 'ONNX', outputName: 'logits' },
      },
      {
        ...{ name: 'b', uri: { kind: 'claim', claim: 'models', path: 'b.onnx' } },
        ...{ digest: null, format: null, outputName: null },
      },
    ],
  });
});

test.each([
  ['', /never/],
  ['{', /must be JSON of the form/],
  ['{}', /must be JSON of the form/],
  ['[{"name":"Small!","uri":"https://h/s"}]', /must be JSON of the form/],
  ['[{"name":"small","uri":"https://h/s","digest":"sha256:1"}]', /digest \(sha256/],
  ['[{"name":"small","uri":"https://h/s","size":1}]', /must be JSON of the form/],
  ['[{"name":"small","uri":"file:here.onnx"}]', /names exit small, whose uri must be file:\/\/\//],
])('%s is no list of companions', (text, message) => {
  const parsed = parseCompanions(text);
  if (text === '') expect(parsed).toEqual({ ok: true, value: [] });
  else expect(parsed.ok ? '' : parsed.message).toMatch(message);
});

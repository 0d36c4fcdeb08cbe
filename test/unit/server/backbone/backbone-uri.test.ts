import { expect, test } from 'vitest';
import { parseBackboneUri } from '../../../../server/backbone/backbone-uri.ts';

test.each([
  ['/models/m.onnx', { kind: 'file', path: '/models/m.onnx' }],
  ['file:///models/a%20b.onnx', { kind: 'file', path: '/models/a b.onnx' }],
  ['pvc://models/resnet/3/m.onnx', { kind: 'claim', claim: 'models', path: 'resnet/3/m.onnx' }],
  ['pvc://models//m.onnx', { kind: 'claim', claim: 'models', path: 'm.onnx' }],
  ['pvc://models/a/./%2e%2e/m.onnx', { kind: 'claim', claim: 'models', path: 'a/%2e%2e/m.onnx' }],
  ['https://h/m?sig=1', { kind: 'http', url: new URL('https://h/m?sig=1') }],
  ['HTTP://h/m', { kind: 'http', url: new URL('http://h/m') }],
  ['s3://bucket/m', { kind: 'unread', scheme: 's3' }],
  ['oci://host/m', { kind: 'unread', scheme: 'oci' }],
])('%s is understood', (uri, value) => {
  expect(parseBackboneUri(uri)).toEqual({ ok: true, value });
});

test.each([
  ['', /empty/],
  ['file://host/m.onnx', /file:\/\/\//],
  ['file:///a%2fb', /file:\/\/\//],
  ['pvc://models', /PATH/],
  ['pvc:///m.onnx', /CLAIM/],
  ['pvc://models/../secret', /"\.\."/],
  ['pvc://models/a/../../secret', /"\.\."/],
  ['pvc://models/a\0b', /CLAIM/],
  ['https://', /URL such as/],
  ['https://user:secret@h/m', /must not hold a password/],
])('%s is refused with the form that is wanted, and without what it holds', (uri, message) => {
  const parsed = parseBackboneUri(uri);
  expect(parsed).toMatchObject({ ok: false });
  if (!parsed.ok) expect(parsed.message).toMatch(message);
  expect(JSON.stringify(parsed)).not.toContain('secret@');
});

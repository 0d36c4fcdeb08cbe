import { expect, test } from 'vitest';
import { decodeUtf8, encodeUtf8 } from '../../../../../server/core/onnx/utf8.ts';

test.each(['', 'plain', 'é', 'ключ', '漢字', '😀 mixed é'])('%j survives encoding', (text) => {
  expect(Buffer.from(encodeUtf8(text)).toString('utf8')).toBe(text);
  expect(decodeUtf8(encodeUtf8(text))).toBe(text);
});

test.each([
  ['a lone continuation byte', [0x80], '\ufffd'],
  ['a sequence cut off by the end', [0x61, 0xe2, 0x82], 'a\ufffd'],
  ['a sequence cut off by a letter', [0xe2, 0x61], '\ufffda'],
])('%s becomes the replacement character', (_, bytes, text) => {
  expect(decodeUtf8(Uint8Array.from(bytes))).toBe(text);
});

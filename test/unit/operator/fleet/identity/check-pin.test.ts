import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createPinCheck } from '../../../../../operator/fleet/identity/check-pin.ts';
import { createKeyPair, pinOf } from '../../../../../operator/fleet/identity/identities.ts';

const ROOT = Uint8Array.from({ length: 32 }, (_, i) => i);
const NOW = Date.UTC(2026, 10, 25, 12);
const OF = { role: 'server', serviceUid: 'a1b2', generation: 1 } as const;
const YEARS_MS = 3650 * 86_400_000;

const certificateOf = (of: typeof OF | (Omit<typeof OF, 'serviceUid'> & { serviceUid: string })) =>
  new X509Certificate(createKeyPair(ROOT, of, NOW).certificate);

test('the certificate of the pinned key holds, again and again, until it has expired', () => {
  const check = createPinCheck(pinOf(ROOT, OF));
  const certificate = certificateOf(OF);
  expect([1, 2, 3].map(() => check(certificate, NOW))).toEqual([null, null, null]);
  expect(check(certificate, NOW + YEARS_MS + 1_000)).toBe('Expired');
  expect(check(certificate, NOW - 2 * 86_400_000)).toBe('Expired');
  expect(check(certificate, NOW)).toBeNull();
});

test('no other key does, also after one that held, and nobody without a certificate', () => {
  const check = createPinCheck(pinOf(ROOT, OF));
  const stranger = certificateOf({ ...OF, serviceUid: 'a1b3' });
  expect(check(stranger, NOW)).toBe('UnknownKey');
  expect(check(certificateOf(OF), NOW)).toBeNull();
  expect(check(stranger, NOW)).toBe('UnknownKey');
  expect(check(undefined, NOW)).toBe('UnknownKey');
});

test('a certificate that never held is not remembered', () => {
  const check = createPinCheck(pinOf(ROOT, OF));
  expect(check(certificateOf(OF), NOW + YEARS_MS + 1_000)).toBe('Expired');
  expect(check(certificateOf(OF), NOW + YEARS_MS + 1_000)).toBe('Expired');
  expect(check(certificateOf(OF), NOW)).toBeNull();
});

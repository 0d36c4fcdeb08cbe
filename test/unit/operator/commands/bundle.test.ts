import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { redactObject, redactText } from '../../../../operator/commands/bundle/redact.ts';
import { tarOf } from '../../../../operator/commands/bundle/write-tar.ts';

const CANARY = 'Canary-4711-value';

describe('what is left out', () => {
  test.each([
    ['credentials of an address', `s3://user:${CANARY}@host/path`],
    ['both', `https://user:${CANARY}@host/m.onnx?sig=${CANARY}&x=1`],
    ['what signs an address', `https://host/m.onnx?X-Amz-Signature=${CANARY}`],
    ['a bearer', `Authorization: Bearer ${CANARY}`],
    ['a password in a log', `connect password=${CANARY} failed`],
    ['a token in JSON', `{"token": "${CANARY}"}`],
    ['an access key', 'key AKIAIOSFODNN7EXAMPLE'],
    ['a PEM block', `-----BEGIN PRIVATE KEY-----\n${CANARY}\n-----END PRIVATE KEY-----`],
  ])('of a text: %s', (_, text) => {
    const left = redactText(text);
    expect(left).not.toContain(CANARY);
    expect(left).not.toContain('AKIAIOSFODNN7EXAMPLE');
    expect(left).toContain('(left out)');
  });

  test('of an object: everything that may be secret, nothing that explains', () => {
    const left = redactObject({
      metadata: {
        name: 'vision',
        managedFields: [CANARY],
        annotations: { 'kubectl.kubernetes.io/last-applied-configuration': CANARY, note: 'kept' },
      },
      spec: {
        template: {
          containers: [
            {
              env: [
                { name: 'HTTPS_PROXY', value: CANARY },
                { name: 'LAYERCACHE_ENGINE', value: 'ONNX' },
                { name: 'KEY', valueFrom: { secretKeyRef: { name: 'models', key: 'k' } } },
              ],
              args: ['--key', CANARY],
            },
          ],
        },
      },
      candidate: { stickyKey: CANARY, share: 0.25 },
      binaryData: { bundle: CANARY },
    });
    expect(JSON.stringify(left)).not.toContain(CANARY);
    expect(left).toMatchObject({
      metadata: { name: 'vision', annotations: { note: 'kept' } },
      spec: {
        template: {
          containers: [
            {
              env: [
                { name: 'HTTPS_PROXY', value: '(left out)' },
                { name: 'LAYERCACHE_ENGINE', value: 'ONNX' },
                { name: 'KEY', valueFrom: { secretKeyRef: { name: 'models', key: 'k' } } },
              ],
            },
          ],
        },
      },
      candidate: { share: 0.25 },
    });
  });
});

test.each([
  ['a short folder', 'layercache-vision'],
  ['a folder that fits no header', `layercache-${'ü'.repeat(80)}`],
])('an archive with %s is one that tar reads, whatever the length of its paths', (_, top) => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-tar-'));
  const long = `cacheheadrevision/${'x'.repeat(63)}.json`;
  try {
    const files = [
      { path: 'a.json', text: 'first\n' },
      { path: long, text: 'x'.repeat(512) },
      ...[99, 100, 101, 155, 200, 250].map((length) => ({
        path: `logs/${'y'.repeat(length - 'logs/'.length)}`,
        text: `${length}\n`,
      })),
      ...[1, 2, 3].map((parts) => ({
        path: `${Array.from({ length: parts }, () => 'z'.repeat(90)).join('/')}/é.json`,
        text: `${parts}\n`,
      })),
      { path: 'empty', text: '' },
    ];
    writeFileSync(join(folder, 'a.tar'), tarOf(files, top, 1_700_000_000_000));
    execFileSync('tar', ['-xf', join(folder, 'a.tar'), '-C', folder]);
    const read = (path: string) => readFileSync(join(folder, top, path), 'utf8');
    expect(files.map(({ path }) => read(path))).toEqual(files.map(({ text }) => text));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

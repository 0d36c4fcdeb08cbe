import { describe, expect, test } from 'vitest';
import { sharedControlPlane } from '../support/control-plane.ts';

const plane = await sharedControlPlane();

describe.skipIf(plane.unavailable !== null)('the shared control plane', () => {
  test('is Kubernetes 1.36 and ready', async () => {
    const { status, body } = await plane.request({ path: '/version' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ major: '1', minor: '36' });
  });

  test('gives a namespace with its default service account', async () => {
    const { name } = await plane.namespace();
    const { stdout, stderr } = await plane.kubectl(['get', 'sa', '-n', name, '-o', 'name']);
    expect(stderr).toBe('');
    expect(stdout.trim()).toBe('serviceaccount/default');
  });
});

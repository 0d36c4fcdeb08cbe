// The admin port of a pod as a training Job calls it: with the key that its Secret holds.
import { createSecureContext } from 'node:tls';
import { systemClock } from '../../../operator/clock.ts';
import type { AdminClient } from '../../../operator/fleet/admin-client.ts';
import { createPinCheck } from '../../../operator/fleet/identity/check-pin.ts';
import { createKeyPair, pinOf } from '../../../operator/fleet/identity/identities.ts';
import { createKeptSockets } from '../../../operator/fleet/kept-sockets.ts';
import { createPodClient } from '../../../operator/fleet/pod-client.ts';
import { forwardInside } from './inside.ts';
import type { PodObject } from './node-objects.ts';
import { ipOf, type ServicePlace } from './running-service.ts';

const SOCKETS = 4;

/** Of a service whose keys were never rotated. */
export async function withTrainerKey<T>(
  { node, installation }: Pick<ServicePlace, 'node' | 'installation'>,
  { serviceUid, pod }: { readonly serviceUid: string; readonly pod: PodObject },
  ask: (client: AdminClient) => Promise<T>,
): Promise<T> {
  const root = await installation.rootKey();
  const keysOf = { serviceUid, generation: 1 };
  const { privateKey: key, certificate: cert } = createKeyPair(
    root,
    { ...keysOf, role: 'trainer' },
    systemClock.nowMs(),
  );
  const forward = await forwardInside(node, ipOf(pod), 8081);
  const client = createPodClient(
    { host: '127.0.0.1', port: forward.port },
    {
      secureContext: createSecureContext({ key, cert, minVersion: 'TLSv1.3' }),
      checkPin: createPinCheck(pinOf(root, { ...keysOf, role: 'server' })),
      clock: systemClock,
      keptSockets: createKeptSockets(SOCKETS),
    },
  );
  try {
    return await ask(client);
  } finally {
    client.close();
    await forward.close();
  }
}

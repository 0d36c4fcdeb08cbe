import { createSecureContext } from 'node:tls';
import type { Clock } from '../clock.ts';
import { createAdminClient, type AdminClient } from '../fleet/admin-client.ts';
import { createKeptSockets } from '../fleet/kept-sockets.ts';
import { createPinCheck } from '../fleet/identity/check-pin.ts';
import { createPodClient } from '../fleet/pod-client.ts';
import type { TrainerConfig } from './config.ts';
import { loadTrainerIdentity } from './trainer-identity.ts';

/** More than a service has pods, four to each. */
const MOST_SOCKETS = 8_192;

/** How the servers are reached: by the trainer's key and their pin, or in plain on one machine. Throws without the key. */
export function connectServers(
  { adminDir, job }: Pick<TrainerConfig, 'adminDir' | 'job'>,
  clock: Clock,
): (baseUrl: string) => AdminClient {
  const { serverPin } = job;
  if (adminDir === null || serverPin === undefined) return createAdminClient;
  const identity = loadTrainerIdentity(adminDir);
  if (!identity.ok) throw new Error(identity.message);
  const { key, certificate: cert } = identity.value;
  const secureContext = createSecureContext({ key, cert, minVersion: 'TLSv1.3' });
  const keptSockets = createKeptSockets(MOST_SOCKETS);
  const checkPin = createPinCheck(serverPin);
  return (baseUrl) => {
    const { hostname, port } = new URL(baseUrl);
    const host = hostname.replace(/^\[|\]$/g, '');
    return createPodClient(
      { host, port: Number(port) },
      { secureContext, checkPin, clock, keptSockets },
    );
  };
}

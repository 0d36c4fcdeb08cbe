import type { Clock } from '../clock.ts';
import type { AdminClient } from './admin-client.ts';
import type { FleetPod } from './fleet-pod.ts';
import { createKeptSockets } from './kept-sockets.ts';
import { createPodClients, type PodClients } from './pod-client.ts';

/** The port `admin` of every pod template. */
const ADMIN_PORT = 8081;
/** Keys that are kept ready: two generations of a thousand services. */
const MOST_KEYS = 2_048;

/** Idle connections that stay open: about 80 MiB, which with the heap of 1,000 services fits the limit of the chart. */
const MOST_SOCKETS = 1_000;

/** Opens clients to pods of all services; the keys of a service and generation are derived once. */
export interface PodConnections {
  open(serviceUid: string, pod: FleetPod): AdminClient;
}

/** @param root the 32-byte root key of the installation. */
export function createPodConnections(
  root: Uint8Array,
  clock: Clock,
  portOf: (pod: FleetPod) => number = () => ADMIN_PORT,
): PodConnections {
  const kept = new Map<string, PodClients>();
  const sockets = createKeptSockets(MOST_SOCKETS);

  function clientsOf(serviceUid: string, generation: number): PodClients {
    const name = `${serviceUid} ${generation}`;
    const clients =
      kept.get(name) ?? createPodClients(root, { serviceUid, generation }, clock, sockets);
    // The one used last stands last.
    kept.delete(name);
    kept.set(name, clients);
    const [oldest] = kept.keys();
    if (kept.size > MOST_KEYS && oldest !== undefined) kept.delete(oldest);
    return clients;
  }

  return {
    open: (serviceUid, pod) =>
      clientsOf(serviceUid, pod.adminGeneration).open(
        { host: pod.ip, port: portOf(pod) },
        pod.role,
      ),
  };
}

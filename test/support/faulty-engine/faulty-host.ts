import { fileURLToPath } from 'node:url';
import { hostOfWorker, type HostOfWorker } from '../host-of-worker.ts';

export type FaultyHost = HostOfWorker;

/** The server and the engine host that ship, beside workers that fail on request. */
export function faultyHost(): Promise<FaultyHost> {
  return hostOfWorker(fileURLToPath(new URL('worker.ts', import.meta.url)));
}

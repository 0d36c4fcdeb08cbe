import { isIPv6 } from 'node:net';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { Clock } from '../clock.ts';
import { callAdmin } from './admin-call.ts';
import type { AdminClient } from './admin-client.ts';
import { createPinCheck, type PinCheck } from './identity/check-pin.ts';
import { createKeyPair, pinOf, type KeysOf } from './identity/identities.ts';
import type { KeptSockets } from './kept-sockets.ts';
import { limitConcurrency } from './limit-concurrency.ts';
import { PinnedAgent } from './pinned-agent.ts';

export interface PodAddress {
  /** IP of the pod. */
  readonly host: string;
  readonly port: number;
}

/** Opens clients to pods of one service and generation; keys are derived once. */
export interface PodClients {
  open(address: PodAddress, role?: 'server' | 'trainer'): AdminClient;
}

/** The agent cannot count connections that still shake hands, so calls are counted. */
const CONNECTIONS = 4;

/** @param root the 32-byte root key of the installation. @param keptSockets shared by the clients of all services. */
export function createPodClients(
  root: Uint8Array,
  of: KeysOf,
  clock: Clock,
  keptSockets: KeptSockets,
): PodClients {
  const { privateKey, certificate } = createKeyPair(
    root,
    { ...of, role: 'operator' },
    clock.nowMs(),
  );
  const secureContext = createSecureContext({
    key: privateKey,
    cert: certificate,
    minVersion: 'TLSv1.3',
  });
  const checks = {
    server: createPinCheck(pinOf(root, { ...of, role: 'server' })),
    trainer: createPinCheck(pinOf(root, { ...of, role: 'trainer' })),
  };
  return {
    open: (address, role = 'server') =>
      createPodClient(address, { secureContext, checkPin: checks[role], clock, keptSockets }),
  };
}

/** One pod's admin port over mutual TLS and kept-alive connections; every failure is a value. */
export function createPodClient(
  { host, port }: PodAddress,
  keys: {
    readonly secureContext: SecureContext;
    readonly checkPin: PinCheck;
    readonly clock: Clock;
    readonly keptSockets: KeptSockets;
  },
): AdminClient {
  const agent = new PinnedAgent({ host, port, ...keys });
  const limit = limitConcurrency(CONNECTIONS);
  const baseUrl = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return {
    baseUrl,
    call: (call) => limit(() => callAdmin(baseUrl, agent, call)),
    close: () => {
      agent.destroy();
    },
  };
}

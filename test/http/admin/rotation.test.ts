import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { RequestListener } from 'node:http';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePeers, serializePeers } from '../../../crds/wire/peers.ts';
import type { KeyPair } from '../../../operator/fleet/identity/identities.ts';
import { createAdminPort, type AdminPort } from '../../../server/admin/admin-port.ts';
import type { PeerBook } from '../../../server/admin/peer-book.ts';
import { systemClock } from '../../../server/clock.ts';
import { SERVICE, keyPairOf, writeAdminKeys } from '../../support/admin-keys.ts';

const NEXT = { ...SERVICE, generation: 2 };

let dir: string;
let states: number;
let admin: AdminPort;
let port: number;
const lines: string[] = [];
const agents: Agent[] = [];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'layercache-rotation-'));
  states = 0;
  publish((state) => {
    writeAdminKeys(state);
  });
  lines.length = 0;
  admin = createAdminPort({
    config: { adminDir: dir, adminPort: 0, bindHost: '127.0.0.1' },
    clock: systemClock,
    log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
    createApp: rightsApp,
  });
  port = await admin.open();
});
afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await admin.close(0);
  rmSync(dir, { recursive: true, force: true });
});

/** Answers with the rights of the caller. */
function rightsApp(peers: PeerBook): RequestListener {
  return (incoming, response) => {
    response.end(String(peers.rightsOf(incoming)));
  };
}

/** As the kubelet changes a mounted Secret: a new folder, then one rename of the link to it. */
function publish(write: (state: string) => void): void {
  states += 1;
  const state = `..${states}`;
  mkdirSync(join(dir, state));
  write(join(dir, state));
  symlinkSync(state, join(dir, '..next'));
  renameSync(join(dir, '..next'), join(dir, '..data'));
  for (const name of ['tls.key', 'tls.crt', 'peers.json']) {
    rmSync(join(dir, name), { force: true });
    symlinkSync(`..data/${name}`, join(dir, name));
  }
}

/** A caller over one kept connection, which says its rights or how it was cut off. */
function callerOf({ privateKey, certificate }: KeyPair): () => Promise<string> {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    key: privateKey,
    cert: certificate,
    rejectUnauthorized: false,
  });
  agents.push(agent);
  return () =>
    new Promise((resolve) => {
      const outgoing = request({ host: '127.0.0.1', port, agent }, (incoming) => {
        let text = '';
        incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
        incoming.on('end', () => {
          resolve(outgoing.reusedSocket ? `${text}, kept` : text);
        });
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        resolve(
          /ECONNRESET|EPIPE|socket hang up/.test(`${error.code ?? ''} ${error.message}`)
            ? 'cut'
            : error.message,
        );
      });
      outgoing.end();
    });
}

test('another generation of keys is in force without a restart: the new operator is in, the old one is out', async () => {
  const before = callerOf(keyPairOf('operator'));
  const after = callerOf(keyPairOf('operator', NEXT));
  expect([await before(), await after()]).toEqual(['all', 'cut']);
  publish((state) => {
    writeAdminKeys(state, NEXT);
  });
  await admin.look();
  expect([await before(), await after(), await after()]).toEqual(['cut', 'all', 'all, kept']);
  expect(lines.join('')).toMatch(/"msg":"admin identity replaced"/);
});

test('a new certificate of the same keys and peers leaves connections alone', async () => {
  const operator = callerOf(keyPairOf('operator'));
  expect(await operator()).toBe('all');
  publish((state) => {
    writeAdminKeys(state);
    writeFileSync(
      join(state, 'tls.crt'),
      keyPairOf('server', SERVICE, systemClock.nowMs() - 60_000).certificate,
    );
  });
  await admin.look();
  expect(await operator()).toBe('all, kept');
  expect(await callerOf(keyPairOf('operator'))()).toBe('all');
});

test('rights that are taken away are gone at once, on kept connections too', async () => {
  const operator = callerOf(keyPairOf('operator'));
  const trainer = callerOf(keyPairOf('trainer'));
  expect([await operator(), await trainer()]).toEqual(['all', 'samples']);
  publish((state) => {
    writeAdminKeys(state);
    const read = parsePeers(readFileSync(join(state, 'peers.json'), 'utf8'));
    if (!read.ok) throw new Error(read.message);
    const peers = read.value.peers
      .filter(({ role }) => role === 'operator')
      .map((peer) => ({ ...peer, rights: 'samples' as const }));
    writeFileSync(join(state, 'peers.json'), serializePeers({ schemaVersion: 1, peers }));
  });
  await admin.look();
  expect([await operator(), await trainer()]).toEqual(['samples, kept', 'cut']);
});

test.each<[string, (state: string) => void]>([
  ['vanish', () => undefined],
  [
    'lose a file',
    (state) => {
      writeAdminKeys(state, NEXT);
      rmSync(join(state, 'peers.json'));
    },
  ],
  [
    'do not belong together',
    (state) => {
      writeAdminKeys(state, NEXT);
      writeFileSync(join(state, 'tls.crt'), keyPairOf('server').certificate);
    },
  ],
  [
    'have a right that does not exist',
    (state) => {
      writeAdminKeys(state, NEXT);
      writeFileSync(join(state, 'peers.json'), '{"schemaVersion":1,"peers":[{"role":"x"}]}');
    },
  ],
])('keys that %s change nothing: who was in stays in, nobody else comes', async (_, write) => {
  const operator = callerOf(keyPairOf('operator'));
  expect(await operator()).toBe('all');
  publish(write);
  await admin.look();
  await admin.look();
  expect(await operator()).toBe('all, kept');
  expect(await callerOf(keyPairOf('operator'))()).toBe('all');
  expect(await callerOf(keyPairOf('operator', NEXT))()).toBe('cut');
});

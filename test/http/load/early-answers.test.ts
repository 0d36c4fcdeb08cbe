import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import type { Row, TestServer } from '../../support/test-server.ts';
import {
  EASY,
  HARD,
  INFER,
  aPolicy,
  aTrack,
  fakeBundle,
  inferBody,
  startTestServer,
} from '../../support/test-server.ts';

let server: TestServer;
const sockets: Socket[] = [];
beforeEach(async () => {
  server = await startTestServer();
  const stable = await server.push(fakeBundle(2));
  await server.apply(aPolicy({ stable: aTrack(stable), auditRate: 0.5 }));
  server.engine.slotCount = 1;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await server.close();
});

/** A request on a connection of its own, and every byte that came back so far. */
async function ask(rows: readonly Row[]): Promise<() => string> {
  const socket = connect(server.data, '127.0.0.1');
  sockets.push(socket);
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  await new Promise((resolve) => socket.once('connect', resolve));
  const body = inferBody(rows);
  socket.write(
    `POST ${INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return () => received;
}

test('an answer leaves at its exit: its bytes are with the client while its batch-mates have not ended', async () => {
  server.engine.isHeld = true;
  const first = await ask([HARD]);
  await eventually(() => {
    expect(server.engine.batches).toHaveLength(1);
  });
  const [early, late, both] = await Promise.all([ask([EASY]), ask([HARD]), ask([EASY, HARD])]);
  await eventually(async () => {
    expect((await server.state()).queue.rows).toBe(4);
  });
  // The first batch, of a row that goes to the end, must pass before the second is held at its end.
  server.engine.heldRows = 4;
  server.engine.isHeld = false;
  await eventually(() => {
    expect(first()).toMatch(/^HTTP\/1.1 200/);
    expect(early()).toMatch(/^HTTP\/1.1 200[^]*"layercache_exit":"early"/);
  });
  expect(server.engine.batches.map(({ rows }) => rows)).toEqual([1, 4]);
  // Not a byte of the others, and that not for want of time: the engine holds them.
  expect([late(), both()]).toEqual(['', '']);
  server.engine.heldRows = null;
  await eventually(() => {
    expect(late()).toMatch(/^HTTP\/1.1 200[^]*"layercache_exit":"backbone"/);
    expect(both()).toMatch(/^HTTP\/1.1 200[^]*"layercache_exits":"early,backbone"/);
  });
});

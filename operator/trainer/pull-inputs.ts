import { parseInputBatch, type InputBatch } from '../../crds/wire/inputs.ts';
import type { AdminClient } from '../fleet/admin-client.ts';
import { pullPage } from './pull-page.ts';

/** A server that answers but never ends is left after this many calls. */
const MAX_CALLS = 1_000;
/** Input rows that one training holds at most, over all servers. */
const MAX_BYTES = 1024 * 1024 * 1024;

/** Input rows of these servers; one that gives none, or stops, gives what it gave: a student is made of what there is. */
export async function pullInputs(
  servers: readonly string[],
  connect: (baseUrl: string) => AdminClient,
): Promise<readonly InputBatch[]> {
  const batches: InputBatch[] = [];
  let bytes = 0;
  for (const server of servers) {
    const client = connect(server);
    try {
      let after = 0;
      for (let call = 0; call < MAX_CALLS && bytes < MAX_BYTES; call++) {
        const page = { path: '/v1/inputs', query: `after=${after}` };
        const answer = await pullPage(client, page, parseInputBatch);
        if (!answer.ok || answer.value.nextAfter <= after) break;
        batches.push(answer.value);
        bytes += answer.value.inputs.byteLength;
        after = answer.value.nextAfter;
      }
    } finally {
      client.close();
    }
  }
  return batches;
}

/** Has these servers forget their input rows. One that cannot be reached forgets them by their retention. */
export async function wipeInputs(
  servers: readonly string[],
  connect: (baseUrl: string) => AdminClient,
): Promise<void> {
  for (const server of servers) {
    const client = connect(server);
    await client.call({ method: 'DELETE', path: '/v1/inputs' });
    client.close();
  }
}

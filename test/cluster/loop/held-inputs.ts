// Input rows that pods hold for a student: what their states tell, and what a training Job would read.
import { parseInputBatch } from '../../../crds/wire/inputs.ts';
import type { ServerState } from '../../../crds/wire/state.ts';
import { pullState } from '../../../operator/fleet/pull-state.ts';
import { isReady, podsBy, type PodObject } from '../pods/node-objects.ts';
import type { ServicePlace } from '../pods/running-service.ts';
import { withTrainerKey } from '../pods/trainer-key.ts';

/** As long as a trainer waits. */
const PAGE_DEADLINE_MS = 15_000;

interface HeldInputs {
  readonly podUid: string;
  /** Absent: the pod never holds any. */
  readonly state: ServerState['inputs'];
  /** Rows recorded for training, with inputs or without. */
  readonly sampledRows: number;
  /** Numbers of the rows that are held, ascending; null: the pod refuses to read any (404). */
  readonly sequence: readonly number[] | null;
}

/** Of all ready servers, in no order. */
export async function readHeldInputs(
  place: ServicePlace & { readonly namespace: string },
  serviceUid: string,
): Promise<readonly HeldInputs[]> {
  const servers = `layercache.io/service=${place.name},app.kubernetes.io/component=server`;
  const pods = await podsBy(place.node, place.namespace, servers);
  return Promise.all(pods.filter(isReady).map((pod) => readPod(place, serviceUid, pod)));
}

function readPod(place: ServicePlace, serviceUid: string, pod: PodObject): Promise<HeldInputs> {
  return withTrainerKey(place, { serviceUid, pod }, async (client) => {
    const told = await pullState(client);
    if (!told.ok) throw new Error(told.message);
    const sequence: number[] = [];
    for (let after = 0; ;) {
      const answer = await client.call({
        method: 'GET',
        path: `/v1/inputs?after=${after}`,
        deadlineMs: PAGE_DEADLINE_MS,
        maxBytes: 64 * 1024 * 1024,
      });
      if (!answer.ok) throw new Error(answer.message);
      const { status, body } = answer.value;
      const { inputs: state, samples } = told.value;
      const known = { podUid: pod.metadata.uid, state, sampledRows: samples.seen };
      if (status === 404) return { ...known, sequence: null };
      const page = parseInputBatch(body);
      if (!page.ok) throw new Error(`${status} ${page.message}`);
      if (page.value.rowCount === 0) return { ...known, sequence };
      sequence.push(...page.value.sequence);
      after = page.value.nextAfter;
    }
  });
}

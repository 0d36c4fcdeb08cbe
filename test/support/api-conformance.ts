// What the API server does, as talks with it. Each runs against the real one and against the simulation; answers must
// be the same, status and object. The golden file holds what the real one said.
import { canonicalJson } from '../../crds/wire/json.ts';
import type { Api } from '../../operator/kube/api.ts';
import { CHANGING, STATUS } from './api-conformance-changing.ts';
import { APPLYING, CREATING } from './api-conformance-creating.ts';
import { DELETING, READING } from './api-conformance-reading.ts';
import { Talker, type Answers, type Talk } from './api-conformance-talker.ts';

/** Leads a talk in a namespace of its own. */
export async function holdTalk(talk: Talk, api: Api, namespace: string): Promise<Answers> {
  const talker = new Talker(api, namespace);
  await talk.calls(talker);
  return talker.answers();
}

export const TALKS: readonly Talk[] = [
  ...CREATING,
  ...APPLYING,
  ...STATUS,
  ...CHANGING,
  ...DELETING,
  ...READING,
];

/** How answers stand in the golden file. */
export function answersAsText(all: ReadonlyMap<string, Answers>): string {
  const sorted: unknown = JSON.parse(canonicalJson(Object.fromEntries(all)));
  return `${JSON.stringify(sorted, null, 1)}\n`;
}

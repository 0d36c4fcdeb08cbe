import { shareEqual } from '../kube/share-equal.ts';
import type { PodView } from './fleet-pod.ts';

/** What a pod says of itself, and of its policy. */
export type Words = Pick<PodView, 'state' | 'acknowledgement'>;

/**
 * The words of a pod, in parts that are equal those of another pod of its service, `heard`, or its own `before`: a backbone with a
 * thousand labels and its cuts stand once, not once per pod, and what it says again is the object that it was.
 */
export function shareWords(
  said: Words,
  { before, heard }: { readonly before: Words; readonly heard: Words | null },
): Words {
  return {
    state: share(said.state, before.state, heard?.state),
    acknowledgement: share(said.acknowledgement, before.acknowledgement, heard?.acknowledgement),
  };
}

function share<T>(said: T, before: T, heard: unknown): T {
  return said === before ? said : shareEqual(shareEqual(said, heard), before);
}

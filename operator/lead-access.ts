import type { ClusterAccess } from './kube/cluster-access.ts';
import { NotLeadingError } from './kube/intercept-api.ts';

/**
 * The way to the API server of a process that must lead to use it. The guard of `guardWrites` asks before a call waits for
 * the shared budget; this one asks at its very end, when the next thing is the request: a process that was frozen in
 * between sends nothing when it thaws.
 */
export function leadAccess(access: ClusterAccess, isLeading: () => boolean): ClusterAccess {
  return {
    ...access,
    requestOptions: async () => {
      const options = await access.requestOptions();
      if (!isLeading()) throw new NotLeadingError('This process no longer leads.');
      return options;
    },
  };
}

/** Stands for a cluster that cannot run here: says why, and throws when anything else of it is touched. */
export function absentCluster(unavailable: string): object {
  return new Proxy(
    { unavailable },
    {
      get: (_target, name) => {
        if (name === 'unavailable') return unavailable;
        // Awaiting the object asks whether it is a promise.
        if (name === 'then') return undefined;
        throw new Error(`there is no cluster here (${unavailable}): skip this test`);
      },
    },
  );
}

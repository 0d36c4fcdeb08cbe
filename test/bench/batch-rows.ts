import type { ServedModel } from './served-model.ts';

/** Batches and their rows since the server started, from its metrics. */
export interface BatchCount {
  readonly batches: number;
  readonly rows: number;
}

export async function countBatches({ server }: ServedModel): Promise<BatchCount> {
  const answer = await fetch(`${server.metricsUrl}/metrics`);
  const text = await answer.text();
  const value = (suffix: string): number =>
    Number(
      new RegExp(`^layercache_batch_rows_${suffix}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1] ??
        Number.NaN,
    );
  return { batches: value('count'), rows: value('sum') };
}

import { decodeHalf } from '../../../crds/wire/half-float.ts';
import { coarsenPooled } from '../../../server/core/pool.ts';
import { createOnnxEngine } from '../../../server/engine/onnx/onnx-engine.ts';
import type { Cache } from './cache.ts';
import type { RecordedCase } from './record-features.ts';
import type { ExitsCase } from './stream.ts';
import type { CaseHeads } from './train-heads.ts';

const ROWS_AT_ONCE = 512;

interface ToScore {
  readonly recorded: RecordedCase;
  readonly trained: CaseHeads;
  readonly cache: Cache;
}

/** Logits [rows, classCount] of every head on all serving rows, through the nodes that servers run heads with. */
export function scoreRows(
  { modelPath }: ExitsCase,
  { recorded, trained, cache }: ToScore,
): Promise<readonly Float32Array[]> {
  const { digest, backboneDigest, serving, classCount, exits } = recorded;
  const { heads, budget } = trained;
  const answers = heads.map(({ head }) => head.knownAnswers);
  return cache('logits', { digest, backboneDigest, budget, answers }, async () => {
    const engine = createOnnxEngine();
    await engine.open({ path: modelPath, outputName: null, digest: backboneDigest });
    const all: Float32Array[] = [];
    for (const { exit, head } of heads) {
      const source = exits[exit];
      const features = serving.features[exit];
      if (source === undefined || features === undefined) throw new RangeError(`exit ${exit}`);
      const prepared = engine.prepareHead(head);
      const logits = new Float32Array(serving.rowCount * classCount);
      for (let first = 0; first < serving.rowCount; first += ROWS_AT_ONCE) {
        const rows = Math.min(ROWS_AT_ONCE, serving.rowCount - first);
        const { featureCount } = source;
        const fine = decodeHalf(
          features.subarray(first * featureCount, (first + rows) * featureCount),
        );
        const pooled = coarsenPooled(fine, { ...source, rows }, head.pool);
        logits.set(await engine.runHead(prepared, pooled, rows), first * classCount);
      }
      engine.releaseHead(prepared);
      all.push(logits);
    }
    await engine.close();
    return all;
  });
}

// Pooled features at the end of a segment: the same function as server/core/pool.ts.
import type { PoolSize } from '../../../crds/wire/head-bundle.ts';
import type { FoundCut } from '../../core/graph/find-cuts.ts';
import { cellWeights } from '../../core/pool.ts';
import {
  boolAttr,
  constant,
  DataType,
  integers,
  intsAttr,
  node,
  textAttr,
  typeAttr,
  type NodeDef,
} from './node-def.ts';

/** The node that makes [rows, pool * pool * channels]. */
export function pooledName(pool: PoolSize): string {
  return `layercache/pool${pool}`;
}

/** Order of the result: (cellRow * pool + cellColumn) * channels + channel. */
export function poolNodes(cut: FoundCut, pool: PoolSize): readonly NodeDef[] {
  const { tensor, rowDims, height, width, channels } = cut;
  const name = pooledName(pool);
  const part = (step: string): string => `${name}/${step}`;
  if (rowDims.length === 1) return [node('Identity', name, [tensor])];
  if (pool === 1) {
    const axes = rowDims.length === 2 ? [1] : [1, 2];
    return [
      integers(part('axes'), axes),
      node('Mean', name, [tensor, part('axes')], {
        keep_dims: boolAttr(false),
        Tidx: typeAttr(DataType.int32),
      }),
    ];
  }
  const flat = [
    integers(part('flat'), [-1, pool * pool * channels]),
    reshape(name, [part('cells'), part('flat')]),
  ];
  if (height % pool === 0 && width % pool === 0) {
    const extent = intsAttr([1, height / pool, width / pool, 1]);
    const window = { ksize: extent, strides: extent, padding: textAttr('VALID') };
    return [node('AvgPool', part('cells'), [tensor], window), ...flat];
  }
  return [
    integers(part('plane'), [-1, height * width, channels]),
    reshape(part('pixels'), [tensor, part('plane')]),
    constant({
      name: part('weights'),
      type: DataType.float,
      dims: [1, pool * pool, height * width],
      bytes: new Uint8Array(
        cellWeights(pool, height, width, (cell, pixel) => cell * height * width + pixel).buffer,
      ),
    }),
    node('BatchMatMulV2', part('cells'), [part('weights'), part('pixels')]),
    ...flat,
  ];
}

function reshape(name: string, inputs: readonly string[]): NodeDef {
  return node('Reshape', name, inputs, { Tshape: typeAttr(DataType.int32) });
}

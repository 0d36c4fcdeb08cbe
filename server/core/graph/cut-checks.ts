// Why a tensor that alone carries everything on is still no cut: an ordered chain of checks, each with its sentence.
import { nodeText } from './compute-graph.ts';
import type { GraphFlow } from './graph-flow.ts';
import type { MeasuredShape, ShapeTable } from './shape-table.ts';

/** A cut must save this share of the backbone's multiply-adds to be worth a head. */
const MIN_SAVED_SHARE = 0.05;

export interface CutCandidate {
  readonly tensor: string;
  readonly position: number;
  readonly shape: MeasuredShape;
  /** Share of the multiply-adds done when this tensor is there. */
  readonly macsShare: number;
}

type Check = (candidate: CutCandidate, flow: GraphFlow, shapes: ShapeTable) => string | null;

export interface Refusal {
  readonly reason: string;
  /** False: nothing stands in the way, but an exit there would save nothing. */
  readonly isObstacle: boolean;
}

/** What another export could change. */
const OBSTACLES: readonly Check[] = [
  ({ shape }) =>
    shape.type === 'float32'
      ? null
      : `holds ${shape.type}; heads read float32 tensors only: export this part in float32`,
  ({ shape }) =>
    shape.rowsFirst
      ? null
      : `its shape [${shape.dims.join(', ')}] does not start with the batch axis; heads need one entry per row: export it with the batch axis first`,
  ({ shape }) =>
    shape.dims.length >= 2 && shape.dims.length <= 4
      ? null
      : `has ${shape.dims.length} dimensions; heads read vectors, sequences and maps (2 to 4)`,
  ({ tensor }, flow) => usedInside(tensor, flow),
  ({ position }, flow, shapes) => unknownShape(position, flow, shapes),
];

const USELESS: readonly Check[] = [
  ({ macsShare }) => (macsShare > 0 ? null : 'nothing is computed before it'),
  ({ macsShare }) =>
    1 - macsShare >= MIN_SAVED_SHARE
      ? null
      : `leaving here saves ${((1 - macsShare) * 100).toFixed(1)} % of the multiply-adds, below 5 %`,
];

/** The first reason against the candidate, or null: it is a cut. */
export function whyNoCut(
  candidate: CutCandidate,
  flow: GraphFlow,
  shapes: ShapeTable,
): Refusal | null {
  for (const checks of [OBSTACLES, USELESS]) {
    for (const check of checks) {
      const reason = check(candidate, flow, shapes);
      if (reason !== null) return { reason, isObstacle: checks === OBSTACLES };
    }
  }
  return null;
}

function usedInside(tensor: string, flow: GraphFlow): string | null {
  const node = flow.captured.get(tensor);
  return node === undefined
    ? null
    : `is used inside a control-flow body of ${nodeText(node)}; only plain operators can start from it: export the model with the branch taken, or unrolled`;
}

/** A later segment makes shapes again from the number of rows; that needs every such shape to be rows-first. */
function unknownShape(position: number, flow: GraphFlow, shapes: ShapeTable): string | null {
  for (const [source, until] of flow.shapeNeededUntil) {
    const before = Number(flow.madeAt.get(source)) <= position;
    if (before && until > position && shapes.shapeOf.get(source)?.rowsFirst !== true) {
      return `the shape of ${source} is needed after it and does not follow from the number of rows`;
    }
  }
  return null;
}

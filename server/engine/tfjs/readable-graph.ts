import { readGraph, type TfjsGraph } from '../../core/tfjs/read-graph.ts';
import { EngineError, type EngineErrorCode } from '../engine-error.ts';

/** `readGraph` of the file at the path. Throws EngineError with what is wrong. */
export function readableGraph(path: string, ...parts: Parameters<typeof readGraph>): TfjsGraph {
  const graph = readGraph(...parts);
  if (!graph.ok) throw new EngineError(graph.code as EngineErrorCode, `${path} ${graph.message}`);
  return graph.value;
}

import type { ServedModel } from '../served-model.ts';
import type { Target } from './drive.ts';

/** A small picture with three channels, planes first. */
export const ROW_SHAPE: readonly number[] = [3, 32, 32];

export function targetOf({ server }: ServedModel): Target {
  return { port: Number(new URL(server.dataUrl).port), pid: server.child.pid };
}

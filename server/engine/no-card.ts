import { EngineError } from './engine-error.ts';

/** A server that was meant for a card does not serve slowly on processors instead. @param why what the runtime says. */
export function noCard(runtime: string, why: string, cause?: unknown): EngineError {
  return new EngineError(
    'EngineUnavailable',
    `LAYERCACHE_DEVICE is GPU, and ${runtime} finds no card that it can use: ${why}; ` +
      'check pod.resources.limits, the runtime class and the driver of the node, or set LAYERCACHE_DEVICE to CPU in podTemplate',
    { cause },
  );
}

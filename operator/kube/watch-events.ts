import type { IncomingMessage } from 'node:http';
import type { KubeObject, WatchEvent } from './api.ts';
import { chunksOf, noAnswer, readAnswer, type HttpCall } from './http-call.ts';
import { KINDS, type KindName } from './kinds.ts';
import { eventErrorOf, statusErrorOf } from './read-status.ts';
import { createLineCutter, type LineCutter } from './watch-lines.ts';

/** Reads a watch to its clean end. A refusal, an ERROR event, a torn or unreadable stream throws. */
export async function readEvents(
  incoming: IncomingMessage,
  call: HttpCall,
  onLine: (line: string) => void,
): Promise<void> {
  if (incoming.statusCode !== 200) {
    throw statusErrorOf(call.name, await readAnswer(incoming, call));
  }
  const cutter = createLineCutter();
  for await (const chunk of chunksOf(incoming, call)) {
    for (const line of linesOf(cutter, chunk, call)) {
      // Lines that were already here when the watch was ended are not delivered.
      if (call.signal?.aborted === true) return;
      onLine(line);
    }
  }
  if (cutter.rest() !== '') throw noAnswer(call, 'NoAnswer', 'the stream ended inside an event');
}

function linesOf(cutter: LineCutter, chunk: Buffer, call: HttpCall): string[] {
  try {
    return cutter.push(chunk);
  } catch (error) {
    throw noAnswer(call, 'NoAnswer', 'a line of the watch is longer than any object', error);
  }
}

export function decodeEvent(kind: KindName, line: string, call: HttpCall): WatchEvent {
  const { type, object } = parseLine(line, call);
  switch (type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type, object: named(kind, object as KubeObject) };
    case 'BOOKMARK':
      return { type, resourceVersion: (object as KubeObject).metadata.resourceVersion ?? '' };
    case 'ERROR':
      throw eventErrorOf(call.name, object);
    default:
      throw noAnswer(call, 'NoAnswer', `an event of unknown type ${String(type).slice(0, 40)}`);
  }
}

function parseLine(line: string, call: HttpCall): { type?: unknown; object?: unknown } {
  try {
    return JSON.parse(line) as { type?: unknown; object?: unknown };
  } catch (error) {
    throw noAnswer(call, 'NoAnswer', 'a line of the watch is not JSON', error);
  }
}

/** Lists leave apiVersion and kind out, partial metadata replaces them: set them in place, the object is ours. */
export function named(kind: KindName, object: KubeObject): KubeObject {
  return Object.assign(object, { apiVersion: KINDS[kind].apiVersion, kind: KINDS[kind].kind });
}

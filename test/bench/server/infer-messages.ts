import type { HttpMessage } from '../http-message.ts';
import { v2Binary, v2Json } from '../peers/protocol.ts';
import { seededRows } from './seeded-rows.ts';

export interface MessagesPlan {
  /** Of one row, without the batch axis. */
  readonly rowShape: readonly number[];
  readonly format: 'json' | 'binary';
}

/** Requests of one seeded row each. JSON numbers have all digits of their float32, as a client that prints its array sends them. */
export function inferMessages({ rowShape, format }: MessagesPlan): HttpMessage[] {
  const { message } = format === 'json' ? v2Json() : v2Binary();
  return seededRows(rowShape).map((row) => message(row, rowShape));
}

import type { ServerResponse } from 'node:http';

/** Open streams of server-sent events. */
export interface EventStreams {
  readonly isFull: boolean;
  /** Takes a response over; its first event is `first`. */
  add(response: ServerResponse, first: string): void;
  send(event: string): void;
  /** Sends a last event and ends every stream. */
  end(): void;
  readonly size: number;
}

const MOST_STREAMS = 32;
/** A reader that is this far behind is cut off: it comes again and gets the whole picture. */
const MOST_UNREAD_BYTES = 4 * 1024 * 1024;

export function createEventStreams(): EventStreams {
  const open = new Set<ServerResponse>();
  return {
    add: (response, first) => {
      response.on('close', () => open.delete(response));
      open.add(response);
      response.write(`retry: 1000\n${first}`);
    },
    send: (event) => {
      for (const response of open) {
        if (response.writableLength > MOST_UNREAD_BYTES) response.destroy();
        else response.write(event);
      }
    },
    end: () => {
      for (const response of open) response.end();
    },
    get isFull() {
      return open.size >= MOST_STREAMS;
    },
    get size() {
      return open.size;
    },
  };
}

/** JSON has no raw line break, so one data line holds it. */
export function toEvent(name: string, value: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(value)}\n\n`;
}

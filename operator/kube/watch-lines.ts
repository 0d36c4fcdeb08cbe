import { StringDecoder } from 'node:string_decoder';

/** Cuts chunks into lines. A line may be as long as an object, and an object as long as etcd lets it be. */
export interface LineCutter {
  /** The lines that end in this chunk. Throws RangeError once a line is longer than any object. */
  push(chunk: Buffer): string[];
  /** What stands after the last line end: not empty when the stream was cut inside an event. */
  rest(): string;
}

const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

export function createLineCutter(): LineCutter {
  const decoder = new StringDecoder('utf8');
  let parts: string[] = [];
  let waiting = 0;
  return {
    push: (chunk) => {
      const pieces = decoder.write(chunk).split('\n');
      const last = pieces.pop() ?? '';
      const lines = pieces.map((piece, i) => (i === 0 ? parts.join('') + piece : piece));
      if (pieces.length > 0) {
        parts = [];
        waiting = 0;
      }
      if (last !== '') parts.push(last);
      waiting += last.length;
      if (waiting > MAX_LINE_CHARACTERS) throw new RangeError('a line longer than any object');
      return lines.filter((line) => line !== '');
    },
    rest: () => parts.join('') + decoder.end(),
  };
}

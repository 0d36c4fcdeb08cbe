import { BACKSLASH, QUOTE } from './json-bytes.ts';
import { doesNotParse } from './malformed-json-error.ts';

/** The text of bytes `from` to `to` in UTF-8. */
export type DecodeText = (from: number, to: number) => string;

const LETTER_U = 0x75;
/** What may stand behind a backslash, but for the `u` of four hex digits. */
const ESCAPES: ReadonlySet<number | undefined> = new Set(
  Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0)),
);

/** Reads strings piece by piece, so that a long one can be left and come back to. */
export class StringReader {
  /** Where the next piece begins; behind the closing quote at last. */
  at = 0;
  text = '';

  private readonly bytes: Uint8Array;
  private readonly decode: DecodeText;
  private isKept = true;

  constructor(bytes: Uint8Array, decode: DecodeText) {
    this.bytes = bytes;
    this.decode = decode;
  }

  /** Begins the string whose opening quote is before `from`. One that is not kept is checked, and its text stays empty. */
  start(from: number, isKept: boolean): void {
    this.at = from;
    this.text = '';
    this.isKept = isKept;
  }

  /** Reads on to the end of the string, or a little past `stop`; true: it has ended. */
  read(stop: number): boolean {
    const { bytes } = this;
    const limit = Math.min(stop, bytes.length);
    let at = this.at;
    let hasEscapes = false;
    // A piece ends where a character does.
    for (; at < limit || isContinuation(bytes[at]); at++) {
      const byte = Number(bytes[at]);
      if (byte === QUOTE) break;
      if (byte < 0x20) throw doesNotParse(at);
      if (byte !== BACKSLASH) continue;
      hasEscapes = true;
      at = endOfEscape(bytes, at);
    }
    this.take(at, hasEscapes);
    const hasEnded = bytes[at] === QUOTE && at < limit;
    this.at = hasEnded ? at + 1 : at;
    return hasEnded;
  }

  private take(end: number, hasEscapes: boolean): void {
    if (!this.isKept || end === this.at) return;
    const piece = this.decode(this.at, end);
    this.text += hasEscapes ? (JSON.parse(`"${piece}"`) as string) : piece;
  }
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && byte >> 6 === 2;
}

/** Index of the last byte of the escape at `at`. */
function endOfEscape(bytes: Uint8Array, at: number): number {
  const letter = bytes[at + 1];
  if (ESCAPES.has(letter)) return at + 1;
  if (letter === LETTER_U && [2, 3, 4, 5].every((i) => isHex(bytes[at + i] ?? 0))) return at + 5;
  throw doesNotParse(at);
}

function isHex(byte: number): boolean {
  const letter = (byte | 0x20) - 0x61;
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0 && letter <= 5);
}

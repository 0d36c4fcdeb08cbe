import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  skipSpace,
} from './json-bytes.ts';
import { doesNotParse, MalformedJsonError } from './malformed-json-error.ts';
import { NumberReader } from './number-reader.ts';
import { StringReader, type DecodeText } from './string-reader.ts';
import { TensorReader } from './tensor-reader.ts';

/** How the value of a member is read: as JSON.parse would, or with its lists of numbers as `NumberTensor`s. */
export type MemberKind = 'value' | 'numbers';

export interface JsonReaderOptions {
  /** The members that are read, at any depth. All others are checked, and `SKIPPED` stands in their place. */
  readonly members: ReadonlyMap<string, MemberKind>;
  /** Levels of lists and objects. */
  readonly maxDepth: number;
  /** Members and elements that are read, but for those of tensors. */
  readonly maxValues: number;
  /** Numbers that a tensor keeps. */
  readonly maxElements: number;
  readonly decode: DecodeText;
}

/** Stands for a value that nobody reads. */
export const SKIPPED = '...';

type Kind = MemberKind | 'skipped';

const NONE: Record<string, unknown> = Object.freeze({});

/** A list or an object that has not ended; around all of them a list with the root alone. */
class Frame {
  readonly kind: Kind;
  /** Null: the frame is an object. */
  readonly list: unknown[] | null;
  readonly fields: Record<string, unknown>;
  readonly parent: Frame;
  readonly depth: number;
  key = '';

  constructor(kind: Kind, isList: boolean, parent: Frame | null) {
    this.kind = kind;
    this.list = isList ? [] : null;
    this.fields = isList ? NONE : (Object.create(null) as Record<string, unknown>);
    this.parent = parent ?? this;
    this.depth = parent === null ? 0 : parent.depth + 1;
  }
}

type State =
  | 'value'
  /** Behind a bracket that opened. */
  | 'element-or-end'
  | 'key-or-end'
  | 'key'
  | 'colon'
  | 'in-string'
  | 'in-key'
  | 'separator';

const LITERALS: ReadonlyMap<number | undefined, readonly [text: string, value: boolean | null]> =
  new Map([
    [0x74, ['true', true]],
    [0x66, ['false', false]],
    [0x6e, ['null', null]],
  ]);

/**
 * Reads JSON from its bytes, in slices: the event loop is never held for longer than one takes, and lists of numbers, which is all that
 * large requests consist of, cost four bytes a number. Takes what JSON.parse takes (RFC 8259), but for numbers of more than 4,096 bytes;
 * of members of one name the last counts. Objects have no prototype. Throws MalformedJsonError.
 */
export class JsonReader {
  private readonly bytes: Uint8Array;
  private readonly options: JsonReaderOptions;
  private readonly numbers: NumberReader;
  private readonly string: StringReader;
  private readonly root = new Frame('value', true, null);
  private frame = this.root;
  private tensor: TensorReader | null = null;
  /** Around the tensor. */
  private tensorFrame = this.root;
  /** What comes next; in a tensor, who reads it. */
  private state: State | TensorReader = 'value';
  private at = 0;
  private values = 0;

  constructor(bytes: Uint8Array, options: JsonReaderOptions) {
    this.bytes = bytes;
    this.options = options;
    this.numbers = new NumberReader(bytes);
    this.string = new StringReader(bytes, options.decode);
  }

  /** What the bytes are, once all are read. */
  get value(): unknown {
    return this.root.list?.[0];
  }

  /** Reads about so many bytes more; true: it has read them all, and `value` is what they are. */
  read(maxBytes: number): boolean {
    const { bytes } = this;
    const stop = Math.min(this.at + maxBytes, bytes.length);
    while (this.at < stop) {
      if (this.state !== 'in-string' && this.state !== 'in-key') {
        this.at = skipSpace(bytes, this.at, stop);
        if (this.at >= stop) break;
      }
      this.step(stop);
    }
    if (this.at < bytes.length) return false;
    if (bytes.length === 0) throw new MalformedJsonError('it is empty.');
    if (this.frame !== this.root || this.state !== 'separator') throw doesNotParse(this.at);
    return true;
  }

  private step(stop: number): void {
    const { state } = this;
    if (state instanceof TensorReader) {
      this.readTensor(state, stop);
      return;
    }
    switch (state) {
      case 'value':
      case 'element-or-end':
        this.startValue();
        return;
      case 'key':
      case 'key-or-end':
        this.startKey();
        return;
      case 'colon':
        this.expect(COLON, 'value');
        return;
      case 'in-string':
      case 'in-key':
        this.readString(stop);
        return;
      case 'separator':
        this.readSeparator();
    }
  }

  private startValue(): void {
    const byte = this.bytes[this.at];
    if (byte === OPEN_LIST || byte === OPEN_OBJECT) this.open(byte === OPEN_LIST);
    else if (byte === QUOTE) this.startString('in-string', this.kind() !== 'skipped');
    else if (byte === CLOSE_LIST && this.state === 'element-or-end') this.close();
    else this.readScalar();
  }

  /** A number, true, false or null; the first of lists that nothing else stands in begins a tensor. */
  private readScalar(): void {
    const rank = this.freshLists();
    if (rank > 0) {
      this.startTensor(rank);
      return;
    }
    const literal = LITERALS.get(this.bytes[this.at]);
    if (literal !== undefined) {
      const [text, value] = literal;
      this.readLiteral(text);
      this.complete(value);
    } else {
      if (!this.numbers.scan(this.at)) throw doesNotParse(this.at);
      this.at = this.numbers.at;
      this.complete(this.numbers.double());
    }
  }

  private readLiteral(text: string): void {
    for (const letter of text) {
      if (this.bytes[this.at] !== letter.charCodeAt(0)) throw doesNotParse(this.at);
      this.at += 1;
    }
  }

  /** Open lists, from the innermost out, of which nothing was read and whose numbers are wanted. */
  private freshLists(): number {
    if (this.state !== 'element-or-end') return 0;
    let count = 0;
    let { frame } = this;
    while (frame.kind === 'numbers' && frame.list?.length === 0) {
      count += 1;
      frame = frame.parent;
    }
    return count;
  }

  private startTensor(rank: number): void {
    const { at } = this;
    const { maxElements } = this.options;
    for (let i = 0; i < rank; i++) this.frame = this.frame.parent;
    this.tensor = new TensorReader(this.bytes, this.numbers, { at, rank, maxElements });
    this.tensorFrame = this.frame;
    this.state = this.tensor;
  }

  private readTensor(tensor: TensorReader, stop: number): void {
    tensor.read(stop);
    this.at = tensor.at;
    if (tensor.hasEnded) {
      this.tensor = null;
      this.complete(tensor.result());
    } else if (tensor.isAtOther) this.startValue();
  }

  private startString(state: 'in-string' | 'in-key', isKept: boolean): void {
    this.at += 1;
    this.string.start(this.at, isKept);
    this.state = state;
  }

  private readString(stop: number): void {
    const { string, state } = this;
    const hasEnded = string.read(stop);
    this.at = string.at;
    if (!hasEnded) return;
    if (state === 'in-key') {
      this.frame.key = string.text;
      this.state = 'colon';
    } else this.complete(string.text);
  }

  private startKey(): void {
    const byte = this.bytes[this.at];
    if (byte === QUOTE) this.startString('in-key', this.frame.kind !== 'skipped');
    else if (byte === CLOSE_OBJECT && this.state === 'key-or-end') this.close();
    else throw doesNotParse(this.at);
  }

  private readSeparator(): void {
    const { frame } = this;
    const byte = this.bytes[this.at];
    const isList = frame.list !== null;
    if (frame === this.root) throw doesNotParse(this.at);
    if (byte === (isList ? CLOSE_LIST : CLOSE_OBJECT)) this.close();
    else this.expect(COMMA, isList ? 'value' : 'key');
  }

  private expect(byte: number, next: State): void {
    if (this.bytes[this.at] !== byte) throw doesNotParse(this.at);
    this.at += 1;
    this.state = next;
  }

  private open(isList: boolean): void {
    const { maxDepth } = this.options;
    if (this.depth() >= maxDepth) {
      throw new MalformedJsonError(`it is nested deeper than ${maxDepth}.`);
    }
    // What stands in a tensor and is no number is told of it, not read.
    const kind = this.tensor === null ? this.kind() : 'skipped';
    this.frame = new Frame(kind, isList, this.frame);
    this.state = isList ? 'element-or-end' : 'key-or-end';
    this.at += 1;
  }

  private depth(): number {
    return this.frame.depth + (this.tensor === null ? 0 : this.tensor.openLists);
  }

  private close(): void {
    this.at += 1;
    const { kind, list, fields, parent } = this.frame;
    this.frame = parent;
    this.complete(kind === 'skipped' ? SKIPPED : (list ?? fields));
  }

  /** A value has been read whole: it goes to what it stands in. */
  private complete(value: unknown): void {
    this.state = 'separator';
    const { tensor, frame } = this;
    if (tensor !== null && frame === this.tensorFrame) {
      tensor.addOther(value, this.at);
      this.state = tensor;
      return;
    }
    if (frame.kind !== 'skipped') this.add(frame, this.kind() === 'skipped' ? SKIPPED : value);
  }

  private add({ list, fields, key }: Frame, value: unknown): void {
    const { maxValues } = this.options;
    this.values += 1;
    if (this.values > maxValues) {
      throw new MalformedJsonError(`it holds more than ${maxValues} values beside its numbers.`);
    }
    if (list === null) fields[key] = value;
    else list.push(value);
  }

  /** How the value that starts or ends here is read. */
  private kind(): Kind {
    const { frame } = this;
    if (frame.list !== null || frame.kind === 'skipped') return frame.kind;
    return this.options.members.get(frame.key) ?? 'skipped';
  }
}

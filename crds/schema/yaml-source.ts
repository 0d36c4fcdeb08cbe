import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
  type Pair,
  visit,
} from 'yaml';

/** Where something stands in a file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A problem of the YAML itself. */
export interface SourceProblem extends Position {
  readonly message: string;
  readonly fix: string;
}

/** One document of a YAML text: its value and where things stand in the text. */
export interface YamlDocument {
  readonly problems: readonly SourceProblem[];
  /** Plain value; undefined when the document is too broken to look further. */
  readonly value: unknown;
  /** Position of a value; of its key with `atKey`; of the nearest thing above it when it does not exist. */
  locate(path: readonly PropertyKey[], atKey?: boolean): Position;
}

const FIXES: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  DUPLICATE_KEY: 'keep one of the two',
};

function keyOf(pair: Pair): unknown {
  return isScalar(pair.key) ? pair.key.value : pair.key;
}

function offsetOf(node: unknown): number | undefined {
  return typeof node === 'object' && node !== null && 'range' in node
    ? (node as Node).range?.[0]
    : undefined;
}

interface Step {
  readonly key: unknown;
  readonly value: unknown;
}

/** One step down from a node: map entry or list item. */
function stepInto(doc: Document, node: unknown, part: PropertyKey): Step | undefined {
  const target = isAlias(node) ? node.resolve(doc) : node;
  if (isMap(target)) {
    const pair = target.items.find((item) => keyOf(item) === part);
    return pair === undefined ? undefined : { key: pair.key, value: pair.value };
  }
  if (!isSeq(target) || typeof part !== 'number') return undefined;
  const item = target.items[part];
  return item === undefined ? undefined : { key: item, value: item };
}

function offsetAt(doc: Document, path: readonly PropertyKey[], atKey: boolean): number {
  let node: unknown = doc.contents;
  let offset = offsetOf(node) ?? 0;
  for (const [depth, part] of path.entries()) {
    const step = stepInto(doc, node, part);
    if (step === undefined) return offset;
    const isLast = depth === path.length - 1;
    // A missing field is reported at the key of the block that should hold it.
    const wanted = isLast && !atKey ? step.value : step.key;
    offset = offsetOf(wanted) ?? offsetOf(step.key) ?? offset;
    node = step.value;
  }
  return offset;
}

/** kubectl reads YAML 1.1, where these plain words are booleans; we read 1.2, where they are strings. */
const BOOLEAN_WORDS = /^(y|n|yes|no|on|off)$/i;

function findBooleanWords(doc: Document): { offset: number; word: string }[] {
  const found: { offset: number; word: string }[] = [];
  visit(doc, {
    Scalar(key, node) {
      if (key === 'key' || node.type !== 'PLAIN' || typeof node.value !== 'string') return;
      if (BOOLEAN_WORDS.test(node.value))
        found.push({ offset: offsetOf(node) ?? 0, word: node.value });
    },
  });
  return found;
}

/** Plain value, or undefined for a text with more aliases than any manifest needs. */
function toValue(doc: Document): unknown {
  try {
    return doc.toJS({ maxAliasCount: 100 }) as unknown;
  } catch {
    return undefined;
  }
}

type Locator = (offset: number) => Position;

function locatorOf(lineCounter: LineCounter): Locator {
  return (offset) => {
    const { line, col } = lineCounter.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
}

function readDocument(doc: Document, at: Locator): YamlDocument {
  const problems: SourceProblem[] = [...doc.errors, ...doc.warnings].map((error) => ({
    ...at(error.pos[0]),
    message: error.message,
    fix: FIXES[error.code] ?? 'correct the YAML here',
  }));
  for (const { offset, word } of findBooleanWords(doc)) {
    const message = `kubectl reads an unquoted ${word} as a boolean`;
    problems.push({ ...at(offset), message, fix: `write "${word}" in quotes` });
  }
  const isReadable = doc.errors.every((error) => error.code === 'DUPLICATE_KEY');
  const value = isReadable ? toValue(doc) : undefined;
  if (isReadable && value === undefined) {
    const position = at(offsetOf(doc.contents) ?? 0);
    problems.push({ ...position, message: 'too many aliases', fix: 'write the values out' });
  }
  return { problems, value, locate: (path, atKey = false) => at(offsetAt(doc, path, atKey)) };
}

/** Nothing, or comments alone: such a document is skipped, as kubectl does. */
function isEmpty({ contents, errors }: Document): boolean {
  const isBlank = isScalar(contents) && contents.value === null && contents.source === '';
  return errors.length === 0 && (contents === null || isBlank);
}

/** Every document of a YAML text, empty ones left out. Every problem of the text is listed; none throws. */
export function readYaml(text: string): readonly YamlDocument[] {
  const lineCounter = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  const at = locatorOf(lineCounter);
  return documents.filter((doc) => !isEmpty(doc)).map((doc) => readDocument(doc, at));
}

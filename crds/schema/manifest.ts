import {
  API_VERSION,
  cachedModelService,
  KIND,
  type CachedModelService,
} from '../v1alpha1/cached-model-service.ts';
import { LOCAL_RULES } from '../v1alpha1/local-rules.ts';
import { SERVICE_RULES } from '../v1alpha1/rules.ts';
import { showValue, valueAt } from '../wire/json.ts';
import { nearestNames } from './edit-distance.ts';
import { findRuleProblems } from './rule-problems.ts';
import { findShapeProblems, pathOf, type FieldProblem } from './shape-problems.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/** One thing to correct in a manifest. Lines and columns count from 1. */
export interface ManifestProblem {
  /** `spec.exits[0].name`; empty for a problem of the YAML itself. */
  readonly path: string;
  /** The value as it was read, shortened; empty where there is none to show. */
  readonly value: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  readonly fix: string;
}

/** A service, or every problem that keeps it from being one. */
export interface ReadManifest {
  readonly service: CachedModelService | null;
  readonly problems: readonly ManifestProblem[];
}

/** Largest manifest; etcd takes no object above 1.5 MiB. */
const MAX_MANIFEST_CHARACTERS = 1_048_576;

/** A manifest of another kind is not looked at further: its fields are not ours to judge. */
function findForeignKind(manifest: unknown): FieldProblem | null {
  const kind = valueAt(manifest, ['kind']);
  if (typeof kind !== 'string' || kind === KIND) return null;
  if (nearestNames(kind, [KIND]).length > 0) return null;
  return {
    path: ['kind'],
    atKey: false,
    message: `this program reads ${KIND} of ${API_VERSION} only`,
    fix: `write kind: ${KIND}, or give another file`,
  };
}

function findFieldProblems(manifest: unknown, local: boolean): readonly FieldProblem[] {
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest)) {
    const fix = `write apiVersion: ${API_VERSION}, kind: ${KIND}, metadata and spec`;
    return [{ path: [], atKey: false, message: 'a manifest is a map of fields', fix }];
  }
  const foreign = findForeignKind(manifest);
  if (foreign !== null) return [foreign];
  const shape = findShapeProblems(manifest);
  const rules = local ? [...SERVICE_RULES, ...LOCAL_RULES] : SERVICE_RULES;
  return [...shape, ...findRuleProblems(manifest, shape, rules)];
}

function toManifestProblem(
  problem: FieldProblem,
  manifest: unknown,
  source: YamlSource,
): ManifestProblem {
  const { path, atKey, message, fix } = problem;
  const value = valueAt(manifest, path);
  const isBlock = typeof value === 'object' && value !== null;
  return {
    path: pathOf(problem),
    value: value === undefined || isBlock ? '' : showValue(value),
    ...source.locate(path, atKey || isBlock),
    message,
    fix,
  };
}

/** In local mode `uri: model.onnx` means the file beside the manifest. */
function withFileScheme(manifest: unknown): unknown {
  const uri = valueAt(manifest, ['spec', 'backbone', 'uri']);
  if (typeof uri !== 'string' || uri === '' || /^[a-z0-9+]+:/i.test(uri)) return manifest;
  const copy = JSON.parse(JSON.stringify(manifest)) as { spec: { backbone: { uri: string } } };
  copy.spec.backbone.uri = `file:${uri}`;
  return copy;
}

/**
 * Reads a manifest and finds every problem at once: YAML, unknown and malformed fields with the nearest names, and the
 * rules between fields. `service` is null iff there are problems. Never throws.
 * @param options `local`: relative paths are files, and what local mode cannot do is a problem too.
 */
export function readManifest(
  text: string,
  fileName: string,
  options: { readonly local: boolean } = { local: false },
): ReadManifest {
  if (text.length > MAX_MANIFEST_CHARACTERS) {
    const message = `${fileName} has ${text.length} characters, at most ${MAX_MANIFEST_CHARACTERS} are read`;
    const fix = 'give the manifest of one service';
    return { service: null, problems: [{ path: '', value: '', line: 1, column: 1, message, fix }] };
  }
  const source = readYaml(text, fileName);
  const manifest = options.local ? withFileScheme(source.value) : source.value;
  const fieldProblems =
    source.value === undefined ? [] : findFieldProblems(manifest, options.local);
  const problems = [
    ...source.problems.map((problem) => ({ path: '', value: '', ...problem })),
    ...fieldProblems.map((problem) => toManifestProblem(problem, manifest, source)),
  ].sort((a, b) => a.line - b.line || a.column - b.column);
  if (problems.length > 0) return { service: null, problems };
  return { service: cachedModelService.parse(manifest), problems };
}

/** Problems as people read them: `file:line:column: path: value: message`, then the fix on a line of its own. */
export function formatProblems(problems: readonly ManifestProblem[], fileName: string): string {
  const lines = problems.map(({ path, value, line, column, message, fix }) => {
    const subject = [path, value].filter((part) => part !== '').join(': ');
    return `${fileName}:${line}:${column}: ${subject === '' ? '' : `${subject}: `}${message}\n  fix: ${fix}\n`;
  });
  return lines.join('');
}

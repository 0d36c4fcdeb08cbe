import { KIND } from '../v1alpha1/cached-model-service.ts';
import { valueAt } from '../wire/json.ts';
import {
  findHeadRevisionProblems,
  findServiceProblems,
  foreignKindProblem,
  isMap,
  kindMeant,
  noMapProblem,
} from './find-problems.ts';
import { MANIFEST_KINDS } from './manifest-kinds.ts';
import { fieldProblem, inOrder, sourceProblem, type ManifestProblem } from './manifest-problem.ts';
import { readText } from './read-text.ts';
import type { FieldProblem } from './shape-problems.ts';
import type { YamlDocument } from './yaml-source.ts';

/** An object of a file, by what people call it. */
export interface ManifestObject {
  readonly kind: string;
  readonly name: string;
  readonly line: number;
}

/** What is in a file of manifests. */
export interface CheckedManifests {
  /** Objects of ours without a problem. */
  readonly valid: readonly ManifestObject[];
  /** Objects of others that stand beside ours: not looked at. */
  readonly skipped: readonly ManifestObject[];
  readonly problems: readonly ManifestProblem[];
}

const OWN_GROUP = 'layercache.io/';

/**
 * Checks a file of CachedModelServices and CacheHeadRevisions as the API server will: every problem of every document at
 * once. Objects of other kinds may stand between them; a file of these alone is a problem. Never throws.
 */
export function checkManifests(text: string, fileName: string): CheckedManifests {
  const { documents, problem } = readText(text, fileName, MANIFEST_KINDS);
  if (problem !== null) return { valid: [], skipped: [], problems: [problem] };
  const foreign = documents.filter(({ value }) => isForeign(value));
  const own = documents.filter((document) => !foreign.includes(document));
  const judged = (own.length > 0 ? own : foreign.slice(0, 1)).map((document) => ({
    document,
    problems: problemsOf(document),
  }));
  return {
    valid: judged
      .filter(({ problems }) => problems.length === 0)
      .map(({ document }) => objectOf(document)),
    skipped: own.length > 0 ? foreign.map(objectOf) : [],
    problems: inOrder(judged.flatMap(({ problems }) => problems)),
  };
}

/** A kind of another group. One of ours that we do not know is a mistake. */
function isForeign(value: unknown): boolean {
  if (!isMap(value) || kindMeant(value) !== null) return false;
  return !String(valueAt(value, ['apiVersion'])).startsWith(OWN_GROUP);
}

function problemsOf(document: YamlDocument): readonly ManifestProblem[] {
  const { value } = document;
  const fields = value === undefined ? [] : findFieldProblems(value);
  return [
    ...document.problems.map(sourceProblem),
    ...fields.map((one) => fieldProblem(one, value, document)),
  ];
}

function findFieldProblems(manifest: unknown): readonly FieldProblem[] {
  if (!isMap(manifest)) return [noMapProblem(KIND)];
  const kind = kindMeant(manifest);
  if (kind === null) return [foreignKindProblem(MANIFEST_KINDS)];
  return kind === KIND ? findServiceProblems(manifest) : findHeadRevisionProblems(manifest);
}

function objectOf(document: YamlDocument): ManifestObject {
  const text = (path: readonly string[]): string => {
    const found = valueAt(document.value, path);
    return typeof found === 'string' ? found : '';
  };
  return { kind: text(['kind']), name: text(['metadata', 'name']), line: document.locate([]).line };
}

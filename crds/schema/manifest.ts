import {
  cachedModelService,
  KIND,
  type CachedModelService,
} from '../v1alpha1/cached-model-service.ts';
import { LOCAL_RULES } from '../v1alpha1/local-rules.ts';
import { valueAt } from '../wire/json.ts';
import {
  findServiceProblems,
  foreignKindProblem,
  isMap,
  kindMeant,
  noMapProblem,
} from './find-problems.ts';
import { clusterOnlyFields } from './local-fields.ts';
import { fieldProblem, inOrder, sourceProblem, type ManifestProblem } from './manifest-problem.ts';
import { readText } from './read-text.ts';
import type { FieldProblem } from './shape-problems.ts';
import type { YamlDocument } from './yaml-source.ts';

/** A service, or every problem that keeps it from being one. */
export interface ReadManifest {
  readonly service: CachedModelService | null;
  readonly problems: readonly ManifestProblem[];
  /** Fields that it sets although only a cluster uses them, in the order of the reference. */
  readonly clusterOnly: readonly string[];
}

function findFieldProblems(manifest: unknown, local: boolean): readonly FieldProblem[] {
  if (!isMap(manifest)) return [noMapProblem(KIND)];
  if (kindMeant(manifest, [KIND]) === null) return [foreignKindProblem([KIND])];
  return findServiceProblems(manifest, local ? LOCAL_RULES : []);
}

/** In local mode `uri: model.onnx` means the file beside the manifest. */
function withFileScheme(manifest: unknown): unknown {
  const uri = valueAt(manifest, ['spec', 'backbone', 'uri']);
  if (typeof uri !== 'string' || uri === '' || /^[a-z0-9+]+:/i.test(uri)) return manifest;
  const copy = JSON.parse(JSON.stringify(manifest)) as { spec: { backbone: { uri: string } } };
  copy.spec.backbone.uri = `file:${uri}`;
  return copy;
}

function moreDocuments(
  fileName: string,
  documents: readonly YamlDocument[],
): readonly ManifestProblem[] {
  const second = documents[1];
  if (second === undefined) return [];
  const message = `${fileName} has ${documents.length} documents`;
  const fix = 'keep one document per file';
  return [sourceProblem({ ...second.locate([]), message, fix })];
}

/**
 * Reads the manifest of one service and finds every problem at once: YAML, unknown and malformed fields with the nearest
 * names, and the rules between fields. `service` is null iff there are problems. Never throws.
 * @param options `local`: relative paths are files, and what local mode cannot do is a problem too.
 */
export function readManifest(
  text: string,
  fileName: string,
  options: { readonly local: boolean } = { local: false },
): ReadManifest {
  const { documents, problem } = readText(text, fileName, [KIND]);
  const [document] = documents;
  if (problem !== null || document === undefined) {
    return { service: null, problems: problem === null ? [] : [problem], clusterOnly: [] };
  }
  const { value } = document;
  const manifest = options.local ? withFileScheme(value) : value;
  const fieldProblems = value === undefined ? [] : findFieldProblems(manifest, options.local);
  const problems = inOrder([
    ...document.problems.map(sourceProblem),
    ...moreDocuments(fileName, documents),
    ...fieldProblems.map((one) => fieldProblem(one, manifest, document)),
  ]);
  return {
    service: problems.length > 0 ? null : cachedModelService.parse(manifest),
    problems,
    clusterOnly: clusterOnlyFields(manifest),
  };
}

import type { ManifestProblem } from './manifest-problem.ts';
import { readYaml, type YamlDocument } from './yaml-source.ts';

/** Largest file of manifests; etcd takes no object above 1.5 MiB. */
const MAX_MANIFEST_CHARACTERS = 1_048_576;

/** The documents of a file, or the problem that keeps it from being read. At least one document when there is none. */
export interface ReadText {
  readonly documents: readonly YamlDocument[];
  readonly problem: ManifestProblem | null;
}

/** Reads the YAML of a file. Never throws. @param kinds what the fix of an empty one names. */
export function readText(text: string, fileName: string, kinds: readonly string[]): ReadText {
  if (text.length > MAX_MANIFEST_CHARACTERS) {
    const message = `${fileName} has ${text.length} characters, at most ${MAX_MANIFEST_CHARACTERS} are read`;
    return { documents: [], problem: atTop(message, 'give fewer manifests at once') };
  }
  const documents = readYaml(text);
  if (documents.length > 0) return { documents, problem: null };
  return { documents, problem: atTop(`${fileName} is empty`, `write a ${kinds.join(' or a ')}`) };
}

function atTop(message: string, fix: string): ManifestProblem {
  return { path: '', value: '', line: 1, column: 1, message, fix };
}

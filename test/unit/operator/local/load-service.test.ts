import { expect, test } from 'vitest';
import { CliError } from '../../../../operator/errors.ts';
import { loadService } from '../../../../operator/local/load-service.ts';
import { temporaryFile } from './traffic/files.ts';

const HEAD =
  'apiVersion: layercache.io/v1alpha1\nkind: CachedModelService\nmetadata: { name: example }\nspec:\n' +
  '  accuracy: { maxDisagreement: 1% }\n';
const LOCAL = `${HEAD}  backbone: { uri: model.onnx }\n`;

function load(text: string): { uri: string | null; said: string; path: string; error: unknown } {
  const path = temporaryFile('service.yaml', text);
  let said = '';
  const stderr = { write: (part: string) => void (said += part) };
  try {
    return { uri: loadService(path, stderr).spec.backbone.uri, said, path, error: null };
  } catch (error) {
    return { uri: null, said, path, error };
  }
}

test('a path beside the manifest is a file, and nothing is said', () => {
  expect(load(LOCAL)).toMatchObject({ uri: 'file:model.onnx', said: '', error: null });
});

test('fields that only a cluster uses are named in one line, and the run goes on', () => {
  const text = `${LOCAL}  replicas: 2\n  heads: { historyLimit: 3 }\n  pod: { labels: { a: b } }\n`;
  const { uri, said, path } = load(text);
  expect(uri).toBe('file:model.onnx');
  expect(said).toBe(
    `${path}: without effect in local mode: spec.heads.historyLimit, spec.replicas, spec.pod\n`,
  );
});

test('what local mode cannot do is refused with its line, and nothing else is said', () => {
  const { error, said, path } = load(
    `${HEAD}  replicas: 2\n  backbone: { uri: "https://models.example.com/a.onnx" }\n`,
  );
  expect(error).toBeInstanceOf(CliError);
  expect((error as CliError).message).toBe(
    `The manifest breaks the schema (${path}): one problem.\n` +
      `${path}:7:20: spec.backbone.uri: "https://models.example.com/a.onnx": local mode reads models from files\n` +
      '  fix: write file:PATH, relative to the manifest\n' +
      ' Fix the fields above; `layercache validate -f FILE` checks them again. [InvalidSpec]',
  );
  expect(said).toBe('');
});

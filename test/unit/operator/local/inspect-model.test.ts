import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CliError } from '../../../../operator/errors.ts';
import { inspectModel } from '../../../../operator/local/inspect-model.ts';
import type { RunIo } from '../../../../operator/local/run-options.ts';

const nobody = {} as RunIo;

async function refusalOf(model: string): Promise<CliError> {
  const refused: unknown = await inspectModel(model, 'table', nobody).catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(CliError);
  return refused as CliError;
}

test('a model that is not there is named as it was typed, without a word of a manifest', async () => {
  const { message, exitCode, where } = await refusalOf('nowhere/resnet18.onnx');
  expect(where).toBe('nowhere/resnet18.onnx');
  expect(exitCode).toBe(2);
  expect(message).toMatch(
    /\(nowhere\/resnet18\.onnx\): .*nowhere\/resnet18\.onnx does not exist\./,
  );
  expect(message).toContain('a relative path starts at the current folder');
  expect(message).not.toMatch(/backbone\.uri|manifest/);
});

test('a folder that is no model is named as it was typed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-inspect-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const { message } = await refusalOf(folder);
  expect(message).toContain(`(${folder}): it is a folder`);
  expect(message).not.toMatch(/backbone\.uri|manifest/);
});

test('an address is refused with what to do', async () => {
  const { message } = await refusalOf('https://models.example.com/resnet18.onnx');
  expect(message).toBe(
    'The backbone cannot be read (https://models.example.com/resnet18.onnx): models are inspected from files of this machine. Download it and name the file. [BackboneFetchFailed]',
  );
});

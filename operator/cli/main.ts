#!/usr/bin/env node
import { basename } from 'node:path';
import { processIo } from './cli-io.ts';
import { printError } from './print-error.ts';
import { createProgram } from './program.ts';

const io = processIo();
const outcome = { exitCode: 0 };
// kubectl asks a program of this name for completions, with the words after `kubectl layercache`.
const isCompletion = basename(process.argv[1] ?? '').startsWith('kubectl_complete-');
const words = process.argv.slice(2);
try {
  const typed = isCompletion ? ['__complete', '--', ...words] : words;
  await createProgram(io, outcome).parseAsync(typed, { from: 'user' });
} catch (error) {
  outcome.exitCode = printError(error, io, process.argv.includes('--debug'));
}
process.exitCode = outcome.exitCode;

#!/usr/bin/env node
import { processIo } from './cli-io.ts';
import { printError } from './print-error.ts';
import { createProgram } from './program.ts';

const io = processIo();
const outcome = { exitCode: 0 };
try {
  await createProgram(io, outcome).parseAsync(process.argv);
} catch (error) {
  outcome.exitCode = printError(error, io, process.argv.includes('--debug'));
}
process.exitCode = outcome.exitCode;

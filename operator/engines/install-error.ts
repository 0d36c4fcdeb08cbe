import { CliError } from '../errors.ts';

export function failed(
  why: string,
  more: { readonly nextStep?: string; readonly cause?: unknown } = {},
): CliError {
  return new CliError('EngineInstallFailed', { where: 'tfjs-node', why, ...more });
}

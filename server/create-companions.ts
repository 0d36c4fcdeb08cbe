import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { checkFormat } from './backbone/detect-format.ts';
import { fetchFailed } from './backbone/fetch-problem.ts';
import { companionFields } from './backbone/model-place.ts';
import { obtainModel } from './backbone/obtain-backbone.ts';
import { createCompanionDesk, type CompanionDesk } from './companion-desk.ts';
import type { CompanionSetting } from './companions.ts';
import type { ServerConfig } from './config.ts';
import { fileProblem } from './core/system-error.ts';
import type { EngineClient } from './engine/engine-client.ts';
import type { ModelSource } from './engine/segment-engine.ts';
import { createDraws } from './evidence/draws.ts';
import { resolveBySystem } from './net/checked-addresses.ts';

/** The companions of a process: each is fetched and checked as its backbone is. */
export function createCompanions(
  config: ServerConfig,
  dependencies: {
    readonly engine: EngineClient;
    readonly log: Logger;
    /** Once it is loaded. */
    readonly backbonePath: () => string | null;
  },
): CompanionDesk {
  const { engine, log, backbonePath } = dependencies;

  async function obtain(setting: CompanionSetting, signal: AbortSignal): Promise<ModelSource> {
    const { name, uri, digest, format, outputName } = setting;
    const fields = companionFields(name);
    const mounted = (dir: string | null): string | null => (dir === null ? null : `${dir}-${name}`);
    const place = {
      ...{ uri, digest, fields, folder: join('companions', name) },
      ...{ modelDir: mounted(config.modelDir), credentialsDir: mounted(config.credentialsDir) },
    };
    const found = await obtainModel(place, config, { resolve: resolveBySystem, signal });
    await stat(found).catch((error: unknown) => {
      const problem = fileProblem(error) ?? 'cannot be read';
      throw fetchFailed(`${found} ${problem}; correct ${fields.uri}.`, error);
    });
    const path = await checkFormat(found, format, fields);
    const rowsLike = backbonePath();
    return { path, outputName, digest, ...(rowsLike === null ? {} : { rowsLike }) };
  }

  return createCompanionDesk({
    settings: config.companions,
    engine,
    obtain,
    random: createDraws().uniform,
    onFailure: ({ name, message }, retryMs) => {
      log.warn(
        { component: 'companions', exit: name, detail: message, retryMs: Math.round(retryMs) },
        'companion not loaded',
      );
    },
  });
}

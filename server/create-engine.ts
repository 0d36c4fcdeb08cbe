import type { Logger } from 'pino';
import { createBackboneEngine } from './backbone/backbone-engine.ts';
import { resolveBySystem } from './net/checked-addresses.ts';
import { checkTask } from './backbone/check-task.ts';
import { checkFormat } from './backbone/detect-format.ts';
import type { LoadProgress } from './backbone/load-progress.ts';
import { obtainBackbone } from './backbone/obtain-backbone.ts';
import type { CompanionDesk } from './companion-desk.ts';
import type { ServerConfig } from './config.ts';
import { createCompanions } from './create-companions.ts';
import { createStudents, type Students } from './students.ts';
import { createEngineClient } from './engine/client.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { hostShareOfContainer } from './engine/memory-watch.ts';
import type { ModelNotes } from './engine/model-notes.ts';
import { NO_NOTES, readModelNotes } from './engine/model-notes.ts';
import { createDraws } from './evidence/draws.ts';

export interface CreatedEngine {
  readonly engine: EngineClient;
  /** `layercache.json` beside the model; the standard ones before it is here. */
  readonly notes: () => ModelNotes;
  readonly companions: CompanionDesk;
  readonly students: Students;
}

/** The engine of a process: it fetches the backbone, checks it, and starts the engine host on it. */
export function createEngine(
  config: ServerConfig,
  {
    progress,
    log,
    hostScript,
  }: {
    readonly progress: LoadProgress;
    readonly log: Logger;
    readonly hostScript: string;
  },
): CreatedEngine {
  let notes = NO_NOTES;
  let backbonePath: string | null = null;
  const engine = createBackboneEngine({
    isPatient: config.service !== null,
    progress,
    random: createDraws().uniform,
    obtain: async (signal) => {
      const limits = {
        onBytes: (bytes: number) => {
          progress.arrived(bytes);
        },
      };
      const found = await obtainBackbone(config, { resolve: resolveBySystem, signal, limits });
      const path = await checkFormat(found, config.backboneFormat);
      notes = await readModelNotes(path);
      checkTask(notes, config.task);
      backbonePath = path;
      return path;
    },
    createEngine: (path) =>
      createEngineClient({
        hostScript,
        source: { path, outputName: config.outputName, digest: config.backboneDigest },
        engine: config.engine,
        threads: config.engineThreads,
        loneThreads: config.loneThreads,
        memoryBytes: config.engineMemoryBytes ?? hostShareOfContainer(),
      }),
    onFailure: ({ code, message }, retryMs) => {
      log.warn(
        { component: 'backbone', code, detail: message, retryMs: Math.round(retryMs) },
        'backbone not loaded',
      );
    },
  });
  const companions = createCompanions(config, { engine, log, backbonePath: () => backbonePath });
  const students = createStudents({
    engine,
    cacheDir: config.cacheDir,
    backbonePath: () => backbonePath,
  });
  return { engine, notes: () => notes, companions, students };
}

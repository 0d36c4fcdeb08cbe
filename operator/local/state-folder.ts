import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorText } from '../../server/core/system-error.ts';
import { CliError } from '../errors.ts';
import { emptyLedger, parseLedger, serializeLedger, type Ledger } from '../lifecycle/ledger.ts';
import { writeFileAtomically } from './write-file.ts';

/** What a run leaves for the next one (--state DIR): ledger, epoch, backbone; bundles lie beside it. */
export interface StateFolder {
  readonly ledger: Ledger;
  /** Above every epoch that was ever used with this folder. */
  readonly epoch: number;
  readonly bundleFolder: string | null;
  readonly store: (ledger: Ledger) => void;
}

const stateFile = z.strictObject({
  schemaVersion: z.literal(1),
  backboneDigest: z.string(),
  epoch: z.int().min(1),
});

/** Without a folder everything stays in memory. */
export function openStateFolder(folder: string | null, backboneDigest: string): StateFolder {
  if (folder === null) {
    return { ledger: emptyLedger(), epoch: 1, bundleFolder: null, store: () => undefined };
  }
  try {
    mkdirSync(folder, { recursive: true });
    const former = readFormer(folder, backboneDigest);
    const epoch = (former?.epoch ?? 0) + 1;
    writeFileAtomically(
      join(folder, 'state.json'),
      JSON.stringify({ schemaVersion: 1, backboneDigest, epoch }),
    );
    return {
      ledger: former?.ledger ?? emptyLedger(),
      epoch,
      bundleFolder: join(folder, 'heads'),
      store: (ledger) => {
        writeFileAtomically(join(folder, 'ledger.json'), serializeLedger(ledger));
      },
    };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('StateUnusable', {
      where: folder,
      why: `${errorText(error, 'write')}.`,
      cause: error,
    });
  }
}

function readFormer(
  folder: string,
  backboneDigest: string,
): { epoch: number; ledger: Ledger } | null {
  const statePath = join(folder, 'state.json');
  if (!existsSync(statePath)) return null;
  const state = stateFile.parse(JSON.parse(readFileSync(statePath, 'utf8')));
  if (state.backboneDigest !== backboneDigest) {
    throw new CliError('StateUnusable', {
      where: folder,
      why: `it belongs to the backbone ${state.backboneDigest}, not ${backboneDigest}.`,
    });
  }
  const ledgerPath = join(folder, 'ledger.json');
  if (!existsSync(ledgerPath)) return { epoch: state.epoch, ledger: emptyLedger() };
  const ledger = parseLedger(readFileSync(ledgerPath, 'utf8'));
  if (ledger.ok) return { epoch: state.epoch, ledger: ledger.value };
  throw new CliError('StateUnusable', { where: ledgerPath, why: `${ledger.message}.` });
}

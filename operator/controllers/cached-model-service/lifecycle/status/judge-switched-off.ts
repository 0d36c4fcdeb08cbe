import { ANNOTATIONS } from '../../../../plan/names.ts';
import { toTime } from '../../../../plan/status/time.ts';
import { toVerdict, type Verdict } from '../../../../plan/status/verdict.ts';
import { readVerbs } from '../read-verbs.ts';

/** Exits that a person switched off by annotation, whatever the heads are at; null: nobody did. */
export function judgeSwitchedOff(
  annotations: Readonly<Record<string, string>>,
  nowMs: number,
): Verdict | null {
  const { areExitsOff, exitsOffUntilMs } = readVerbs(annotations, nowMs);
  if (!areExitsOff) return null;
  const end = exitsOffUntilMs === null ? '' : ` until ${toTime(exitsOffUntilMs)}`;
  const what = `Annotation ${ANNOTATIONS.exits} switches exits off${end}: the backbone answers everything`;
  return toVerdict('False', 'Disabled', what);
}

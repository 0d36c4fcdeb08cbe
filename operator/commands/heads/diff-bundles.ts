import type { BundleHead, HeadBundle } from '../../../crds/wire/head-bundle.ts';
import type { Rendered } from '../output/output-format.ts';
import { renderColumns } from '../output/render-columns.ts';
import { countText } from '../output/words.ts';
import type { OpenedBundle } from './read-bundle.ts';

/** One thing that differs. */
export interface Difference {
  readonly what: string;
  readonly before: string;
  readonly after: string;
}

export interface BundleDifference extends Rendered {
  readonly isSame: boolean;
}

/** What changed between two bundles, from what makes them incompatible to what only a figure is. */
export function diffBundles(before: OpenedBundle, after: OpenedBundle): BundleDifference {
  const isSame = before.digest === after.digest;
  const differences = isSame ? [] : differencesOf(before.bundle, after.bundle);
  const [from, to] = [before.where, after.where];
  return {
    isSame,
    document: {
      kind: 'HeadBundleDiff',
      before: before.digest,
      after: after.digest,
      isSame,
      differences,
    },
    table: () =>
      isSame
        ? [`Both are ${before.digest}.`]
        : renderColumns(
            ['WHAT', from, to],
            [
              ['digest', before.digest.slice(0, 19), after.digest.slice(0, 19)],
              ['bytes', countText(before.sizeBytes), countText(after.sizeBytes)],
              ...differences.map((one) => [one.what, one.before, one.after]),
            ],
          ),
    names: differences.map(({ what }) => what),
  };
}

function differencesOf(before: HeadBundle, after: HeadBundle): readonly Difference[] {
  const exits = [...new Set([...before.heads, ...after.heads].map(({ exit }) => exit))];
  const fields: readonly Difference[] = [
    of('backbone', before.backboneDigest.slice(0, 19), after.backboneDigest.slice(0, 19)),
    of('classes', String(before.classCount), String(after.classCount)),
    of(
      'training rows',
      countText(before.training.trainingRows),
      countText(after.training.trainingRows),
    ),
    of('validation disagreements', ratioOf(before), ratioOf(after)),
    of('trainer', before.training.trainerVersion, after.training.trainerVersion),
  ];
  return [...fields, ...exits.flatMap((exit) => diffExit(exit, before, after))].filter(
    (one) => one.before !== one.after,
  );
}

function diffExit(exit: string, before: HeadBundle, after: HeadBundle): readonly Difference[] {
  const [old, young] = [before, after].map(({ heads }) => heads.find((head) => head.exit === exit));
  const [oldFigures, youngFigures] = [before, after].map(({ training }) =>
    training.exits.find((one) => one.exit === exit),
  );
  return [
    of(`${exit}: head`, shapeOf(old), shapeOf(young)),
    of(`${exit}: agreement`, figure(oldFigures?.agreement), figure(youngFigures?.agreement)),
    of(`${exit}: coverage`, figure(oldFigures?.coverage), figure(youngFigures?.coverage)),
    of(`${exit}: AUROC`, figure(oldFigures?.auroc), figure(youngFigures?.auroc)),
    of(`${exit}: known classes`, classesOf(old), classesOf(young)),
  ];
}

function of(what: string, before: string, after: string): Difference {
  return { what, before, after };
}

function shapeOf(head: BundleHead | undefined): string {
  if (head === undefined) return 'none';
  const { tensor, modelDigest, pool, hidden, w1 } = head;
  return `${tensor ?? modelDigest?.slice(0, 19) ?? ''} pool ${pool} hidden ${hidden} ${w1?.type ?? ''}`.trim();
}

function classesOf(head: BundleHead | undefined): string {
  return head === undefined ? 'none' : head.knownAnswers.classes.slice(0, 8).join(' ');
}

function figure(value: number | undefined): string {
  return value === undefined ? 'none' : value.toFixed(3);
}

function ratioOf({ training }: HeadBundle): string {
  return `${countText(training.validationDisagreements)} of ${countText(training.validationRows)}`;
}

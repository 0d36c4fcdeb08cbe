import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { encodeHeadBundle, type HeadBundle } from '../../../../crds/wire/head-bundle.ts';
import { diffBundles } from '../../../../operator/commands/heads/diff-bundles.ts';
import {
  openBundleFile,
  type OpenedBundle,
} from '../../../../operator/commands/heads/read-bundle.ts';
import { verifyBundle } from '../../../../operator/commands/heads/verify-bundle.ts';
import { definedAnswers } from '../../../../server/core/known-answer.ts';
import { aBundle, aCompanion, aHead } from '../../crds/documents.ts';

/** With the answers that its heads give. */
function sound(bundle: HeadBundle): HeadBundle {
  const heads = bundle.heads.map((head) => ({
    ...head,
    knownAnswers: definedAnswers(head, bundle.classCount),
  }));
  return { ...bundle, heads };
}

async function opened(bundle: HeadBundle, more: Partial<OpenedBundle> = {}): Promise<OpenedBundle> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-heads-'));
  try {
    const path = join(folder, 'bundle.lch');
    writeFileSync(path, encodeHeadBundle(bundle));
    return { ...(await openBundleFile(path)), where: 'bundle.lch', ...more };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const textOf = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

describe('a bundle', () => {
  test('whose heads give their known answers is sound', async () => {
    const { isSound, table } = verifyBundle(
      await opened(sound(aBundle({ heads: [aCompanion(), aHead()] }))),
    );
    expect(isSound).toBe(true);
    await expect(textOf(table(false))).toMatchFileSnapshot(
      '../../../golden/commands/heads-verify.txt',
    );
  });

  test('whose heads answer otherwise is not', async () => {
    const good = sound(aBundle());
    const [head] = good.heads;
    const { classes, scoreLogits } = head!.knownAnswers;
    const flipped = {
      ...head!.knownAnswers,
      classes: classes.map((c, row) => (row === 3 ? 1 - c : c)),
    };
    const shifted = {
      ...head!.knownAnswers,
      scoreLogits: scoreLogits.map((x, row) => (row === 0 ? x + 0.01 : x)),
    };
    for (const knownAnswers of [flipped, shifted]) {
      const bad = await opened({ ...good, heads: [{ ...head!, knownAnswers }] });
      expect(verifyBundle(bad).isSound).toBe(false);
    }
    const { table } = verifyBundle(
      await opened({ ...good, heads: [{ ...head!, knownAnswers: flipped }] }),
    );
    expect(table(false).join('\n')).toContain('1 classes differ');
    expect(table(false).at(-1)).toBe('The bundle is not sound: no server would take it.');
  });

  test('of another digest than its revision says is not', async () => {
    const claimedDigest = `sha256:${'9'.repeat(64)}`;
    const { isSound, table } = verifyBundle(await opened(sound(aBundle()), { claimedDigest }));
    expect(isSound).toBe(false);
    const text = table(false).join(' ').replaceAll(/\s+/g, ' ');
    expect(text).toContain(`and should be ${claimedDigest}`);
  });

  test('that is cut, or is none, is refused with its file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'layercache-heads-'));
    try {
      const path = join(folder, 'half.lch');
      writeFileSync(path, encodeHeadBundle(aBundle()).subarray(0, 200));
      await expect(openBundleFile(path)).rejects.toThrow(/\[HeadsUnreadable\]$/);
      await expect(openBundleFile(join(folder, 'none.lch'))).rejects.toThrow('does not exist');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('two bundles', () => {
  test('that are equal byte by byte do not differ', async () => {
    const one = await opened(sound(aBundle()));
    expect(diffBundles(one, one)).toMatchObject({ isSame: true, document: { differences: [] } });
  });

  test('differ in what is told: exits, shapes, figures, answers', async () => {
    const before = await opened(sound(aBundle()), { where: 'old.lch' });
    const young = aBundle({ heads: [aHead({ exit: 'late', temperature: 2 }), aCompanion()] });
    const training = { ...young.training, trainingRows: 10_000, validationDisagreements: 9 };
    const after = await opened(sound({ ...young, training }), { where: 'new.lch' });
    const { isSame, table } = diffBundles(before, after);
    expect(isSame).toBe(false);
    await expect(textOf(table(false))).toMatchFileSnapshot(
      '../../../golden/commands/heads-diff.txt',
    );
  });
});

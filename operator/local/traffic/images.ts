import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { errorText } from '../../../server/core/system-error.ts';
import { CliError } from '../../errors.ts';
import { clipOfPicture, compareFrames, frameKeys } from './clips.ts';
import type { PictureSize } from './picture-size.ts';
import type { TrafficSource } from './source.ts';

export interface ImagesOptions {
  readonly folder: string;
  /** As the user wrote it, for messages. */
  readonly name: string;
  readonly size: PictureSize;
  /** Class names in the order of the model's outputs; empty: subfolders count in alphabetical order; null: they are no labels. */
  readonly classNames: readonly string[] | null;
  /** Said once, when all are read: what could not be. */
  readonly onSkipped: (message: string) => void;
}

const PICTURE = /\.(jpe?g|png|webp)$/i;
/** Decoded at the same time; libvips has threads of its own. */
const AT_ONCE = 4;
const MAX_PIXELS = 16_000_000;

/**
 * Pictures below a folder, the subfolder is the label. Each is decoded and resized once into a file of raw rows, which is gone
 * with the run, so that rows can be read again by index like those of any source.
 */
export async function openImages(options: ImagesOptions): Promise<TrafficSource> {
  const files = await listPictures(options);
  const decode = await createDecoder(options);
  const { width, height, channels } = options.size;
  const size = width * height * channels;
  const scratch = createScratchFile(size);
  const kept: string[] = [];
  const bad: { readonly file: string; readonly why: string }[] = [];
  try {
    for (let start = 0; start < files.length; start += AT_ONCE) {
      const batch = files.slice(start, start + AT_ONCE);
      const rows = await Promise.all(batch.map((file) => decode(file)));
      rows.forEach((row, i) => {
        const file = batch[i] ?? '';
        if (typeof row === 'string') bad.push({ file, why: row });
        else {
          scratch.append(row);
          kept.push(file);
        }
      });
    }
    report(options, { kept, bad });
  } catch (error) {
    scratch.close();
    throw error;
  }
  return {
    name: options.name,
    rowCount: kept.length,
    rowShape: [height, width, channels],
    element: 'u1',
    labels: labelsOf(kept, options.classNames),
    clips: kept.map(clipOfPicture),
    skippedRows: bad.length,
    readRow: scratch.read,
    close: scratch.close,
  };
}

/** Relative paths in an order of their own, so that a seed gives the same rows on every machine. */
async function listPictures({ folder, name }: ImagesOptions): Promise<string[]> {
  const files = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: `${errorText(error)}.`,
      cause: error,
    });
  });
  const frames = files.filter((file) => PICTURE.test(file)).map(frameKeys);
  const pictures = frames.sort(compareFrames).map(([, , file]) => file);
  if (pictures.length > 0) return pictures;
  throw new CliError('TrafficUnreadable', {
    where: name,
    why: 'there is no .jpg, .png or .webp below this folder.',
    nextStep: 'Name the folder whose subfolders hold the pictures of one class each.',
  });
}

/** Bytes of a row, or why there are none. */
type Decoder = (file: string) => Promise<Buffer | string>;

async function createDecoder({ folder, name, size }: ImagesOptions): Promise<Decoder> {
  const { default: sharp } = await import('sharp').catch((error: unknown) => {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: `the package that decodes pictures, sharp, does not load here: ${errorText(error)}.`,
      nextStep: 'Run `npm ci` on this machine, or save the rows with numpy and name npy:FILE.',
      cause: error,
    });
  });
  const { width, height, channels, resize, isBgr } = size;
  const fit = ({ Cover: 'cover', Contain: 'contain', Fill: 'fill' } as const)[resize];
  return async (file) => {
    try {
      const row = await sharp(join(folder, file), { limitInputPixels: MAX_PIXELS })
        .autoOrient()
        .flatten()
        .resize({ width, height, fit, background: 'black' })
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer();
      if (row.byteLength !== width * height * channels) return `it has ${row.byteLength} bytes`;
      return isBgr ? swapRedAndBlue(row) : row;
    } catch (error) {
      return errorText(error);
    }
  };
}

function swapRedAndBlue(row: Buffer): Buffer {
  for (let i = 0; i + 2 < row.byteLength; i += 3) {
    const red = row[i] ?? 0;
    row[i] = row[i + 2] ?? 0;
    row[i + 2] = red;
  }
  return row;
}

function report(
  { name, onSkipped }: ImagesOptions,
  found: {
    readonly kept: readonly string[];
    readonly bad: readonly { readonly file: string; readonly why: string }[];
  },
): void {
  const [first] = found.bad;
  if (first === undefined) return;
  const why = first.why.replace(/\s+/g, ' ').trim().slice(0, 200);
  if (found.kept.length === 0) {
    throw new CliError('TrafficUnreadable', {
      where: name,
      why: `none of its ${found.bad.length} pictures can be read, for example ${first.file}: ${why}.`,
      nextStep: 'Open one of them with a viewer; jpeg, png and webp are read.',
    });
  }
  const all = found.bad.length + found.kept.length;
  onSkipped(
    `${name}: ${found.bad.length} of ${all} pictures cannot be read and are left out, for example ${first.file}: ${why}.`,
  );
}

/** One label per picture when every picture lies in a subfolder; null otherwise. */
function labelsOf(
  files: readonly string[],
  classNames: readonly string[] | null,
): Int32Array | null {
  if (classNames === null) return null;
  const folders = files.map((file) => file.split(sep).slice(0, -1).join('/'));
  if (folders.includes('')) return null;
  const names = [...new Set(folders)].sort();
  const classOf = (name: string): number => {
    if (names.every((each) => classNames.includes(each))) return classNames.indexOf(name);
    return names.every((each) => /^\d{1,6}$/.test(each)) ? Number(name) : names.indexOf(name);
  };
  const classes = new Map(names.map((name) => [name, classOf(name)]));
  return Int32Array.from(folders, (folder) => classes.get(folder) ?? -1);
}

interface ScratchFile {
  append(row: Buffer): void;
  readonly read: (index: number) => Buffer;
  readonly close: () => void;
}

function createScratchFile(rowBytes: number): ScratchFile {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-images-'));
  const descriptor = openSync(join(folder, 'rows'), 'wx+');
  const row = Buffer.alloc(rowBytes);
  let isOpen = true;
  return {
    append: (bytes) => {
      writeSync(descriptor, bytes);
    },
    read: (index) => {
      readSync(descriptor, row, 0, rowBytes, index * rowBytes);
      return row;
    },
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      closeSync(descriptor);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

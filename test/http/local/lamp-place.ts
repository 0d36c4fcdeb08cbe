// Cameras that watch a lamp each, at a place of their own, and a detector of bright patches with an exit that compares frames. Up to a
// frame the lamps are off or clearly on, for a while each; from then on two of four flicker around the detector's cut: what changes is
// little, and the answer all the same.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRandom, type Random } from '../../../server/core/random.ts';
import { detectorNet } from '../../support/onnx-models/networks.ts';

const SIDE = 16;
const PATCH = 4;
const CAMERAS = 4;
const FLICKERING = 2;
/** Layers that only cost time: exits have something to save. */
const LAYERS = 12;

const OFF = 0.08;
const LIT = [0.492, 0.9] as const;
/** Where the detector's score is its cut of 0.4, and how far a flickering lamp is from it: six times the noise of a patch. */
const CUT = 0.4797;
const FLICKER = 0.012;
const NOISE = 2;
/** Frames that a lamp stays as it is, on average. */
const DWELL = 30;

export interface LampPlace {
  readonly folder: string;
  readonly manifest: string;
  /** `images:` sources. */
  readonly traffic: string;
  readonly headTraffic: string;
}

/** Frames of a camera: those that train heads, those before the change of scene, those after. */
export interface LampFrames {
  readonly head: number;
  readonly before: number;
  readonly after: number;
}

export async function lampPlace(frames: LampFrames): Promise<LampPlace> {
  const folder = mkdtempSync(join(tmpdir(), 'layercache-lamps-'));
  writeFileSync(join(folder, 'model.onnx'), detectorNet(8, LAYERS));
  const notes = {
    task: 'Detection',
    input: { layout: 'NCHW', scale: 1 / 255, image: { width: SIDE, height: SIDE, colors: 'Gray' } },
    detection: { scores: 'scores', extents: 'extents', stride: PATCH, maxBoxes: 3 },
  };
  writeFileSync(join(folder, 'layercache.json'), JSON.stringify(notes));
  const manifest = join(folder, 'service.yaml');
  writeFileSync(
    manifest,
    `apiVersion: layercache.io/v1alpha1
kind: CachedModelService
metadata: {name: lamps}
spec:
  backbone: {uri: "file:model.onnx", task: Detection}
  accuracy: {maxDisagreement: 5%, agreement: F1, auditRate: 5%}
  exits: [{name: still, tensor: stem, sourceHeader: x-camera}]
`,
  );
  for (let camera = 0; camera < CAMERAS; camera++) {
    const { head, before, after } = frames;
    await writeClip(join(folder, 'head', `camera${camera}`), lampFrames([1, camera], camera, head));
    const flickersFrom = camera < FLICKERING ? before : Infinity;
    const seen = lampFrames([2, camera], camera, before + after, flickersFrom);
    await writeClip(join(folder, 'frames', `camera${camera}`), seen);
  }
  return { folder, manifest, traffic: 'images:frames', headTraffic: 'images:head' };
}

/** Frames of a lamp at the camera's place, bytes of [16, 16]. */
export function lampFrames(
  seed: readonly number[],
  camera: number,
  count: number,
  flickersFrom = Infinity,
): Uint8Array[] {
  const random = createRandom([...seed]);
  let level = OFF;
  return Array.from({ length: count }, (_, i) => {
    if (random.uniform() < 1 / DWELL) level = level === OFF ? LIT[random.nextUint32() % 2]! : OFF;
    const flicker = CUT + (random.uniform() < 0.5 ? FLICKER : -FLICKER);
    return lampFrame(random, camera, i < flickersFrom ? level : flicker);
  });
}

/** Row and column of the patch that a camera's lamp fills: where the detector's box has its middle. */
export function lampPatch(camera: number): { readonly row: number; readonly column: number } {
  return { row: camera % 4, column: (camera + 1) % 4 };
}

export function lampFrame(random: Random, camera: number, level: number): Uint8Array {
  const { row, column } = lampPatch(camera);
  return Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [y, x] = [Math.floor(i / SIDE / PATCH), Math.floor((i % SIDE) / PATCH)];
    const value = 255 * (y === row && x === column ? level : OFF) + NOISE * random.normal();
    return Math.max(0, Math.min(255, Math.round(value)));
  });
}

async function writeClip(folder: string, frames: readonly Uint8Array[]): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const raw = { width: SIDE, height: SIDE, channels: 1 as const };
  for (const [i, frame] of frames.entries()) {
    await sharp(frame, { raw })
      .png({ compressionLevel: 1 })
      .toFile(join(folder, `${i}.png`));
  }
}

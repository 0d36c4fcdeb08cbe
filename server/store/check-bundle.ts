import type { BundleHead, HeadBundle } from '../../crds/wire/head-bundle.ts';
import { studentModel } from '../core/student/student-model.ts';
import type { ModelDescription } from '../engine/segment-engine.ts';
import { taskOf } from '../engine/task-of.ts';
import { digestOf } from '../net/digest.ts';

/** Why a well-formed bundle cannot serve on the loaded backbone; nothing is ever broadcast or cut to fit. */
export function findBundleProblem(bundle: HeadBundle, model: ModelDescription): string | null {
  if (bundle.backboneDigest !== model.digest) {
    return `it was trained for backbone ${bundle.backboneDigest}, loaded is ${model.digest}; train heads for this backbone.`;
  }
  if (bundle.classCount !== model.classCount) {
    return `it has ${bundle.classCount} classes, the backbone ${model.classCount}; train heads for this backbone.`;
  }
  let former = -1;
  for (const head of bundle.heads) {
    const misnamed = findMisnamedStudent(head);
    if (misnamed !== null) return misnamed;
    if (head.modelDigest !== null) {
      if (former === -1) continue;
      return `exit ${head.exit} is a companion behind an exit of the backbone; list companions first.`;
    }
    const place = model.cuts.findIndex((cut) => cut.tensor === head.tensor);
    const problem = findHeadProblem(head, model, place);
    if (problem !== null) return problem;
    if (place <= former)
      return `exit ${head.exit} is not behind the exit before it; list exits in backbone order.`;
    former = place;
  }
  return null;
}

function findMisnamedStudent({ exit, student, modelDigest }: BundleHead): string | null {
  if (student === undefined || digestOf(studentModel(student)) === modelDigest) return null;
  return `the weights of exit ${exit} do not make the model ${modelDigest ?? ''} that it names; train heads again.`;
}

function findHeadProblem(head: BundleHead, model: ModelDescription, place: number): string | null {
  const cut = model.cuts[place];
  if (cut === undefined) {
    return `exit ${head.exit} sits on ${head.tensor ?? 'nothing'}, which is no cut of this backbone; see cuts in /v1/state.`;
  }
  if (head.compares !== undefined) {
    if (taskOf(model).frames !== null) return null;
    return `exit ${head.exit} compares frames, and this backbone answers none; train heads for this backbone.`;
  }
  const expected = head.pool * head.pool * cut.channels;
  if (head.pool > Math.min(cut.height, cut.width)) {
    return `exit ${head.exit} pools to ${head.pool}, but ${cut.tensor} is ${cut.height} x ${cut.width}; use a smaller pool.`;
  }
  if (head.featureCount === expected) return null;
  return `exit ${head.exit} takes ${head.featureCount} features, ${cut.tensor} gives ${expected}; train heads for this backbone.`;
}

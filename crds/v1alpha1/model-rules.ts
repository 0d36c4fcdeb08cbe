import type { CachedModelService, CachedModelServiceSpec } from './cached-model-service.ts';
import { optionalPlace, rulesAt, type Place, type Rule, type RuleRow } from './rule.ts';

/** Rules of the backbone, of companions, and of the exits around them. */

type Spec = CachedModelServiceSpec;
type Exit = NonNullable<Spec['exits']>[number];
type Model = Pick<Spec['backbone'], 'uri' | 'digest' | 'credentialsSecretName'>;

const modelRows: readonly RuleRow<Model>[] = [
  {
    cel: "!has(self.credentialsSecretName) || !(self.uri.startsWith('pvc:') || self.uri.startsWith('file:'))",
    message: 'credentialsSecretName has no effect with pvc:// or file://: remove it',
    holds: (model) => model.credentialsSecretName === undefined || !/^(pvc|file):/.test(model.uri),
  },
  {
    cel: "has(self.digest) || !self.uri.startsWith('http://')",
    message: 'http:// needs digest: add the sha256 or use https://',
    holds: (model) => model.digest !== undefined || !model.uri.startsWith('http://'),
  },
];

/** Companions of a service with their places. */
export function companionsOf({ spec }: CachedModelService): Place<NonNullable<Exit['model']>>[] {
  return (spec.exits ?? []).flatMap((exit, i) =>
    optionalPlace(['spec', 'exits', i, 'model'], exit.model),
  );
}

function exitsOf({ spec }: CachedModelService): Place<Exit>[] {
  return (spec.exits ?? []).map((exit, i) => [['spec', 'exits', i], exit]);
}

function areTensorsUnique(exits: readonly Exit[]): boolean {
  const tensors = exits.map((exit) => exit.tensor).filter((tensor) => tensor !== undefined);
  return new Set(tensors).size === tensors.length;
}

export const MODEL_RULES: readonly Rule<CachedModelService>[] = [
  ...rulesAt<CachedModelService, Model>(
    {
      path: 'spec.backbone',
      places: ({ spec }) => [[['spec', 'backbone'], spec.backbone]],
    },
    modelRows,
  ),
  ...rulesAt<CachedModelService, Model>(
    { path: 'spec.exits[].model', places: companionsOf },
    modelRows,
  ),
  ...rulesAt({ path: 'spec.exits[]', places: exitsOf }, [
    {
      cel: 'has(self.tensor) != has(self.model)',
      message: 'set exactly one of tensor, model',
      fix: 'name a tensor that `layercache inspect MODEL` lists',
      holds: (exit) => (exit.tensor === undefined) !== (exit.model === undefined),
    },
    {
      cel: "self.name != 'backbone'",
      message: 'the name backbone is reserved: choose another',
      holds: (exit) => exit.name !== 'backbone',
    },
    {
      cel: "self.name != 'student'",
      message: 'the name student is reserved for what heads.training.student makes: choose another',
      holds: (exit) => exit.name !== 'student',
    },
    {
      cel: '!has(self.sourceHeader) || has(self.tensor)',
      message: 'a companion compares no frames: name a tensor, or remove sourceHeader',
      holds: (exit) => exit.sourceHeader === undefined || exit.tensor !== undefined,
    },
  ]),
  ...rulesAt(
    {
      path: 'spec.exits',
      places: ({ spec }: CachedModelService) => optionalPlace(['spec', 'exits'], spec.exits),
    },
    [
      {
        cel: 'self.all(e, !has(e.tensor) || self.exists_one(o, has(o.tensor) && o.tensor == e.tensor))',
        message: 'two exits name the same tensor: keep one',
        holds: areTensorsUnique,
      },
      {
        cel: 'self.filter(e, has(e.model)).size() <= 2',
        message: 'at most 2 exits can be companion models: remove one',
        holds: (exits) => exits.filter((exit) => exit.model !== undefined).length <= 2,
      },
      {
        cel: 'self.filter(e, has(e.sourceHeader)).size() <= 1',
        message: 'at most one exit compares frames: remove sourceHeader from the others',
        holds: (exits) => exits.filter((exit) => exit.sourceHeader !== undefined).length <= 1,
      },
    ],
  ),
];

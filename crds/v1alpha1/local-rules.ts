import type { CachedModelService } from './cached-model-service.ts';
import { companionsOf } from './model-rules.ts';
import { rulesAt, type Rule, type RuleRow } from './rule.ts';

/** A rule of local mode has no twin: the API server never sees it. */
function localRow<T>(message: string, holds: (value: T) => boolean): RuleRow<T> {
  return { cel: '', message, holds };
}

/** What a service must be for local mode: one machine, no cluster, an engine of this build. */
export const LOCAL_RULES: readonly Rule<CachedModelService>[] = [
  ...rulesAt(
    {
      path: 'spec.backbone.uri',
      places: ({ spec }: CachedModelService) => [[['spec', 'backbone', 'uri'], spec.backbone.uri]],
    },
    [
      localRow(
        'local mode reads models from files: write file:PATH, relative to the manifest',
        (uri) => uri.startsWith('file:'),
      ),
    ],
  ),
  ...rulesAt({ path: 'spec.exits[].model', places: companionsOf }, [
    localRow(
      'local mode reads models from files: write file:PATH, relative to the manifest',
      ({ uri }) => uri.startsWith('file:'),
    ),
  ]),
  ...rulesAt(
    {
      path: 'spec.server.engine',
      places: ({ spec }: CachedModelService) => [
        [['spec', 'server', 'engine'], spec.server.engine],
      ],
    },
    [
      localRow(
        'local mode has the engines ONNX and TFJSWASM: set server.engine to one of them, or to Auto',
        (engine) => engine === 'Auto' || engine === 'ONNX' || engine === 'TFJSWASM',
      ),
    ],
  ),
];

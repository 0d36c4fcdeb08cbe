import type { ServiceToPlan } from '../service.ts';
import type { TemplateInputs } from './inputs.ts';

/** All that a pod template of version 1 is a function of. */
export interface TemplateInput {
  readonly service: ServiceToPlan;
  readonly inputs: TemplateInputs;
  /** Which admin keys the pods mount. */
  readonly adminGeneration: number;
}

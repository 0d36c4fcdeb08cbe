import type { Reason } from '../../v1alpha1/reasons.ts';
import { EVIDENCE_PAGES } from './evidence-pages.ts';
import { EXITS_PAGES } from './exits-pages.ts';
import { PLATFORM_PAGES } from './platform-pages.ts';
import { POLICY_PAGES } from './policy-pages.ts';
import type { ReasonPage } from './reason-page.ts';
import { ROLLOUT_PAGES } from './rollout-pages.ts';
import { SERVICE_PAGES } from './service-pages.ts';
import { TRAINING_PAGES } from './training-pages.ts';

/** A page for each reason: one without does not compile. */
export const REASON_PAGES: Readonly<Record<Reason, ReasonPage>> = {
  ...SERVICE_PAGES,
  ...POLICY_PAGES,
  ...EXITS_PAGES,
  ...EVIDENCE_PAGES,
  ...ROLLOUT_PAGES,
  ...TRAINING_PAGES,
  ...PLATFORM_PAGES,
};

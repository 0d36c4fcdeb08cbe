import { renderBoardReference } from './board-reference.ts';
import { FLEET } from './fleet.ts';
import { OPERATOR } from './operator.ts';
import type { Board } from './panel.ts';
import { renderBoard } from './render-board.ts';
import { ROLLOUT } from './rollout.ts';
import { SERVICE_BOARD } from './service.ts';

export const BOARDS: readonly Board[] = [FLEET, SERVICE_BOARD, ROLLOUT, OPERATOR];

/** Path in the chart -> content. */
export function boardFiles(): Record<string, string> {
  return {
    ...Object.fromEntries(
      BOARDS.map((board) => [`files/dashboards/${board.uid}.json`, renderBoard(board)]),
    ),
    'docs/dashboards.md': renderBoardReference(BOARDS),
  };
}

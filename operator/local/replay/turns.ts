/** Sends a frame when the one before it of its clip is answered, as a camera does; a row of no clip at once. */
type Turns = (clip: string | null, send: () => Promise<void>) => Promise<void>;

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return (clip, send) => {
    if (clip === null) return send();
    const turn = (last.get(clip) ?? Promise.resolve()).then(send, send);
    last.set(clip, turn);
    return turn;
  };
}

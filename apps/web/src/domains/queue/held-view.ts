// A view that stands still while a hand is in it: what comes meanwhile is shown when the hand is gone. Rows that move
// between a press and its release take the click away from the one that was meant.

export class HeldView<View> {
  readonly #show: (view: View) => void;
  #numHolds = 0;
  #kept: { view: View } | null = null;

  constructor(show: (view: View) => void) {
    this.#show = show;
  }

  /** Of several that come while it is held the newest is shown in the end. */
  come(view: View): void {
    if (this.#numHolds > 0) this.#kept = { view };
    else this.#show(view);
  }

  /** What the hand itself brought about is shown at once, and what came before it never. */
  replace(view: View): void {
    this.#kept = null;
    this.#show(view);
  }

  /** @returns lets go; again and again does no harm */
  hold(): () => void {
    this.#numHolds += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#numHolds -= 1;
      if (this.#numHolds > 0 || this.#kept === null) return;
      const { view } = this.#kept;
      this.#kept = null;
      this.#show(view);
    };
  }
}

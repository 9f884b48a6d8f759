// Two observers for all charts: one tells when a chart comes within 400 px of the screen (it reads and paints itself for
// the first time), one when it is about to be seen (it follows the live stream).
export type Nearness = "far" | "near" | "seen";

const NEAR = "400px";
const SEEN = "64px";

interface Watched {
  isNear: boolean;
  isSeen: boolean;
  listener(nearness: Nearness): void;
}

const watched = new WeakMap<Element, Watched>();
let observers: IntersectionObserver[] = [];

/** @returns a function that ends the watching */
export function watchNearness(
  element: Element,
  listener: (nearness: Nearness) => void,
): () => void {
  if (observers.length === 0) observers = [observe(NEAR, "isNear"), observe(SEEN, "isSeen")];
  watched.set(element, { isNear: false, isSeen: false, listener });
  for (const observer of observers) observer.observe(element);
  return () => {
    watched.delete(element);
    for (const observer of observers) observer.unobserve(element);
  };
}

function observe(rootMargin: string, key: "isNear" | "isSeen"): IntersectionObserver {
  return new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const one = watched.get(target);
        if (one === undefined) continue;
        one[key] = isIntersecting;
        one.listener(one.isSeen ? "seen" : one.isNear ? "near" : "far");
      }
    },
    { rootMargin },
  );
}

// Where in the document a part of the message stands, so that a profile, which looks at the message,
// can name path and line as the reader does.
import type { CapPlace } from "./report.ts";
import type { XmlElement } from "./xml.ts";

const NOWHERE: CapPlace = { path: "/alert", line: 0 };

export class CapPlaces {
  readonly #elements = new Map<object, XmlElement>();

  /** Remembers the element of a message, info, area, resource or pair. */
  keep<T extends object>(part: T, element: XmlElement): T {
    this.#elements.set(part, element);
    return part;
  }

  /** The place of a part, or of its child of that name, or of the part if there is no such child. */
  of(part: object, name?: string, index = 0): CapPlace {
    const element = this.#elements.get(part);
    if (element === undefined) return NOWHERE;
    if (name === undefined) return element;
    return element.elements.filter((child) => child.name === name)[index] ?? element;
  }
}

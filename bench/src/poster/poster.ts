// The benchmark's end of the line to the process that posts receipts.
import { type AskedProcess, forkAsked } from "../asked-process.ts";
import type { PosterAnswer, ToPoster } from "./protocol.ts";

export type Poster = AskedProcess<ToPoster, PosterAnswer>;

export const startPoster = (): Poster => forkAsked(new URL("process.ts", import.meta.url));

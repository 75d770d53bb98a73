// Code is compiled when it is loaded, types and all, and that is most of what a start costs. Node keeps
// what it compiled in a folder, where the environment names one; a child has no other environment.
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";

/** The environment of a process that finds compiled code where this one does, or an empty one. */
export function compiledCode(): Readonly<Record<string, string>> {
  // Below the named folder each version of Node has its own.
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

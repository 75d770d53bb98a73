// The input of an area import: the texts of a pack's files and how to read each of them. The
// same form stands in a pack's pack.json (without the texts), in the body of the API and
// behind the options of `loa areas import`.

/** Most bytes of all texts of one pack: what one import may hold in memory. */
export const AREA_PACK_BYTES_MAX = 64 * 2 ** 20;
export const AREA_PACK_FILES_MAX = 32;
/** Most units of all levels; the largest real country has far fewer villages. */
export const AREA_PACK_UNITS_MAX = 300_000;
export const AREA_PACK_SUCCESSORS_MAX = 300_000;
/** Most points of all geometries together. */
export const AREA_PACK_POINTS_MAX = 3_000_000;
/** How many faults one refusal lists; the rest would not be read. */
export const AREA_PACK_FAULTS_MAX = 100;

/** A CSV of units of one level. Files are listed from the top level down. */
export interface UnitsFile {
  readonly name: string;
  readonly kind: "units";
  readonly level: string;
  readonly text: string;
  readonly options?: UnitsOptions | undefined;
}

export interface UnitsOptions {
  readonly delimiter?: string | undefined;
  /** The header of each column. Columns that are not named have the name of the field. */
  readonly columns?: Partial<Record<UnitsColumn, string | undefined>> | undefined;
}

/** `parent`, `population` and `kind` may be absent from the file; `name_en` falls back to `name_vi`. */
export const UNITS_COLUMNS = [
  "code",
  "name_vi",
  "name_en",
  "parent",
  "population",
  "kind",
] as const;
export type UnitsColumn = (typeof UNITS_COLUMNS)[number];

/** GeoJSON or TopoJSON with the shapes of the units of one level. */
export interface GeometryFile {
  readonly name: string;
  readonly kind: "geometry";
  readonly level: string;
  readonly text: string;
  readonly options?: GeometryOptions | undefined;
}

export interface GeometryOptions {
  /** The feature property that holds the unit's code; default `code`. */
  readonly codeProperty?: string | undefined;
  /** Which object of a TopoJSON; needed when it has several. */
  readonly object?: string | undefined;
  /**
   * What to do with a shape whose border crosses itself: `refuse` (default), or `untangle`: cut it
   * at the crossings. Simplified official borders often have a few; each repair is reported.
   */
  readonly crossings?: "refuse" | "untangle" | undefined;
}

/** A CSV that says what became of former units of one level. */
export interface SuccessorsFile {
  readonly name: string;
  readonly kind: "successors";
  readonly level: string;
  readonly text: string;
  readonly options?: SuccessorsOptions | undefined;
}

export interface SuccessorsOptions {
  readonly delimiter?: string | undefined;
  readonly columns?: Partial<Record<SuccessorsColumn, string | undefined>> | undefined;
  /** Values of the `how` column for "all of it went there"; default `whole`. */
  readonly whole?: readonly string[] | undefined;
  /** Values for "a part went there". When given, any other value is a fault; else all are a part. */
  readonly part?: readonly string[] | undefined;
  /** Codes that the table spells otherwise than the units do: spelling in the table → code. */
  readonly renamed?: Readonly<Record<string, string>> | undefined;
  /** What to do with rows that have no old code: `refuse` (default) or `skip`. */
  readonly blankOldCodes?: "refuse" | "skip" | undefined;
}

/** `old_name` may be absent from the file; without `how` every row means "all of it". */
export const SUCCESSORS_COLUMNS = ["old_code", "old_name", "new_code", "how"] as const;
export type SuccessorsColumn = (typeof SUCCESSORS_COLUMNS)[number];

export type AreaPackFile = UnitsFile | GeometryFile | SuccessorsFile;

export interface AreaPackInput {
  /** One name for one country or province; a later import of the name supersedes the earlier. */
  readonly name: string;
  /** From which day the units are in force, `YYYY-MM-DD`. */
  readonly validFrom: string;
  readonly files: readonly AreaPackFile[];
}

/** What an import did. */
export interface AreaPackReport {
  readonly packId: number;
  readonly name: string;
  readonly validFrom: string;
  /** Units per level, in the order of the files. */
  readonly units: Readonly<Record<string, number>>;
  readonly successors: {
    readonly rows: number;
    readonly partial: number;
    readonly skipped: number;
  };
  /** Shapes that were cut at their crossings, as `crossings: "untangle"` asked. */
  readonly untangled: readonly {
    readonly code: string;
    readonly crossings: number;
    /** By which share the surface changed, 0..1. */
    readonly areaChange: number;
  }[];
  /** Zones whose lists moved to the new units; widened: a unit ceased, its parent stands in. */
  readonly zones: readonly { readonly code: string; readonly widened: boolean }[];
}

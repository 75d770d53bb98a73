-- Areas: dated packs of administrative units, and zones that agencies draw.

-- One import of one country or province, valid from a date. At most one pack of a name is active.
CREATE TABLE area_pack (
  id           int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name         text NOT NULL,
  valid_from   date NOT NULL,
  state        text NOT NULL CHECK (state IN ('active', 'superseded')),
  activated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (name, valid_from)
);
CREATE UNIQUE INDEX area_pack_active ON area_pack (name) WHERE state = 'active';

-- A unit of a pack. Its id is for life: subscribers keep the id of the unit they registered in,
-- and a later pack says by area_successor what became of it.
CREATE TABLE area (
  id         int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  pack_id    int NOT NULL REFERENCES area_pack,
  code       text NOT NULL,
  -- Levels are open; 'province', 'commune' and 'village' have a meaning for audiences.
  level      text NOT NULL,
  kind       text,
  parent_id  int REFERENCES area,
  name_vi    text NOT NULL,
  name_en    text NOT NULL,
  population int CHECK (population >= 0),
  -- GeoJSON geometry (Polygon or MultiPolygon, lon/lat); villages may have none.
  geometry   jsonb,
  UNIQUE (pack_id, code)
);
CREATE INDEX area_code ON area (code);
CREATE INDEX area_parent ON area (parent_id);

-- What became of an old code. The old unit may be in an earlier pack or in none that was imported.
CREATE TABLE area_successor (
  pack_id     int NOT NULL REFERENCES area_pack,
  old_code    text NOT NULL,
  old_name    text,
  new_area_id int NOT NULL REFERENCES area,
  -- True when only a part of the old unit went here.
  part        boolean NOT NULL,
  PRIMARY KEY (pack_id, old_code, new_area_id)
);

-- An area that an agency draws and names itself, free to overlap: a shape, or a list of units, or both.
CREATE TABLE zone (
  id         uuid PRIMARY KEY,
  code       text NOT NULL UNIQUE,
  agency_id  uuid,
  name_vi    text NOT NULL,
  name_en    text NOT NULL,
  geometry   jsonb,
  area_ids   int[] NOT NULL DEFAULT '{}',
  retired_at timestamptz
);

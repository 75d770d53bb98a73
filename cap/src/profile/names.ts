// The names under which the profile `loa` carries what CAP has no element for. They are sent and
// stored by others, so none is ever renamed; docs/cap-profile.md says what each holds.

/** The `code` of a message that follows the profile. */
export const LOA_PROFILE_CODE = "profile:loa:1.0";

/** eventCode: a key of HAZARD_LEVELS. */
export const CAP_HAZARD = "loa.hazard";
/** geocode: the code of a unit of the area pack, of whatever level. */
export const CAP_AREA = "loa.area";
/** geocode: `commune code/name` of a village that the pack does not have. */
export const CAP_VILLAGE = "loa.village";

/** parameter: 1 to 5. */
export const CAP_RISK_LEVEL = "loa.riskLevel";
/** parameter, any number: hazards at the same time, which may raise the level. */
export const CAP_ALONGSIDE = "loa.alongside";
/** parameter: forecast, order or advice. */
export const CAP_NATURE = "loa.nature";
/** parameter: the number on the paper. */
export const CAP_NUMBER = "loa.number";
/** parameter, one or more: citations. */
export const CAP_LEGAL_BASIS = "loa.legalBasis";
/** parameter: who signed, by name; may be absent where the post alone signs. */
export const CAP_SIGNATORY = "loa.signatory";
/** parameter: in which post. */
export const CAP_SIGNATORY_POST = "loa.signatoryPost";
/** parameters: the bulletin from which figures and levels are quoted. */
export const CAP_SOURCE_BODY = "loa.sourceBody";
export const CAP_SOURCE_NUMBER = "loa.sourceNumber";
export const CAP_SOURCE_TIME = "loa.sourceTime";
/** parameter: `name/date` of the pack that the codes are of. */
export const CAP_AREA_PACK = "loa.areaPack";
/** parameter: `true` on the last bulletin of an incident. */
export const CAP_LAST_BULLETIN = "loa.lastBulletin";
/** parameter: what was wrong in the message that this Update corrects. */
export const CAP_CORRECTION = "loa.correction";

export const CAP_NATURES = ["forecast", "order", "advice"] as const;

/** Parameters that are said in the language of their info; all others are equal in all of them. */
export const CAP_TRANSLATED: ReadonlySet<string> = new Set([
  CAP_LEGAL_BASIS,
  CAP_SIGNATORY_POST,
  CAP_SOURCE_BODY,
  CAP_CORRECTION,
]);

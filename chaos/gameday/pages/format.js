/** Numbers, times and names as text. Numbers that are not known are a dash. */

const DASH = "–";

function known(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** A time of the exercise's clock: 4:05, 1:04:05. */
export function clock(seconds) {
  if (!known(seconds)) return DASH;
  const whole = Math.floor(Math.abs(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const sign = seconds <= -1 ? "-" : "";
  const tail = String(rest).padStart(2, "0");
  return hours ? `${sign}${hours}:${String(minutes).padStart(2, "0")}:${tail}` : `${sign}${minutes}:${tail}`;
}

/** A duration in words: 45 s, 4 min 5 s. */
export function duration(seconds) {
  if (!known(seconds)) return DASH;
  const whole = Math.round(Math.max(0, seconds));
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  return rest ? `${minutes} min ${rest} s` : `${minutes} min`;
}

/** A rate: one digit after the point below 100. */
export function rate(value) {
  if (!known(value)) return DASH;
  return Math.abs(value) < 99.95 ? value.toFixed(1) : grouped(Math.round(value));
}

/** A whole number. */
export function count(value) {
  return known(value) ? grouped(Math.round(value)) : DASH;
}

function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** Seconds with two digits below 10. */
export function seconds(value) {
  if (!known(value)) return DASH;
  return value < 9.995 ? value.toFixed(2) : value < 99.95 ? value.toFixed(1) : grouped(Math.round(value));
}

/** A number as short as it can be: at most three digits after the point. */
export function plain(value) {
  return known(value) ? String(Number(value.toFixed(3))) : DASH;
}

/** A share of 1 as per cent. */
export function percent(part, whole) {
  return known(part) && known(whole) && whole > 0 ? `${Math.round((100 * part) / whole)} %` : DASH;
}

/** The label of an id in a list of {id, label}; without one, the id as words: "replica-slow", "pool:tpu". */
export function labelOf(list, id) {
  const found = (list ?? []).find((one) => one.id === id);
  if (found) return found.label;
  const text = String(id ?? "");
  return text.includes(":") ? text.replace(":", " ") : text.replaceAll(/[-_]/g, " ");
}

export const STATES = {
  briefing: "Briefing",
  running: "Running",
  held: "Held",
  ended: "Ending: faults are being reverted",
  over: "Over",
};

export const ROLES = { gamemaster: "game master", responder: "responder", audience: "audience" };

export const VERDICTS = {
  right: ["good", "✓", "right"],
  cause: ["doubt", "◐", "right cause, other component"],
  component: ["doubt", "◐", "right component, other cause"],
  wrong: ["bad", "✕", "wrong"],
  "no fault": ["bad", "✕", "no fault was active"],
};

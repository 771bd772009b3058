// The kit every demo is written on. Python puts `const LANGUAGE`, `const LABELS` before this file and the demo's own
// module after it, so that the browser gets one module (a widget's module comes from a blob: it cannot import a neighbour).
//
// Everything on the screen is a function of the state. A component is given functions that read the state, draws itself
// once, and redraws in place after each change; a demo never touches a component again. See ../README.md.

// ---------------------------------------------------------------------------------------------------------- text

const FINALS_READ = new Set("013678LMNRlmnr"); // digits and letters that a Korean reader ends with a consonant

/** Whether the last letter of `text`, read aloud in Korean, ends with a consonant; `rieul` tells ㄹ apart. */
export function final(text) {
  // A fraction is read with its numerator last: 1/9 is 구분의 일.
  const last = String(text).replace(/(\d)\/\d+$/, "$1").replace(/[^0-9A-Za-z가-힣]+$/, "").slice(-1);
  if (last >= "가" && last <= "힣") return { closed: (last.charCodeAt(0) - 0xac00) % 28 > 0, rieul: (last.charCodeAt(0) - 0xac00) % 28 === 8 };
  return { closed: FINALS_READ.has(last), rieul: "178LRlr".includes(last) };
}

/** The particle that fits `word`: `particle(3, "은/는")` is "은". For 로 a final ㄹ counts as open. */
export function particle(word, pair) {
  const [closed, open] = pair.split("/");
  const end = final(word);
  return end.closed && !(end.rieul && open.startsWith("로")) ? closed : open;
}

/** Fills `{name}` and, with a particle after it, `{name|을/를}`. */
export function fill(template, values = {}) {
  return template.replace(/\{(\w+)(?:\|([^}]+))?\}/g, (_, name, pair) => {
    const text = typeof values[name] === "number" ? num(values[name]) : String(values[name]);
    return pair ? text + particle(text, pair) : text;
  });
}

/** A label of this demo or of the kit. A missing label is a mistake of the demo's author: it says so. */
export function t(key, values) {
  if (!(key in LABELS)) throw new Error(`no label "${key}" in the ${LANGUAGE} table`);
  return fill(LABELS[key], values);
}

/** A number as a reader writes it: 3, 0.25, 1/9, −1.414, 12,345. */
export function num(value, digits = 3) {
  if (!Number.isFinite(value)) return String(value);
  const sign = value < 0 ? "−" : "";
  const size = Math.abs(value);
  const rounded = Number(size.toFixed(digits));
  if (Math.abs(rounded - size) > 1e-9 && size < 10) {
    for (let d = 3; d <= 16; d++) if (Math.abs(size * d - Math.round(size * d)) < 1e-9) return `${sign}${Math.round(size * d)}/${d}`;
  }
  if (rounded === 0) return "0";
  return sign + (rounded >= 1000 ? rounded.toLocaleString("en-US") : String(rounded));
}

/** A number inside a sum or a product: −3 stands in brackets. */
export const braced = (value, digits) => (value < 0 ? `(${num(value, digits)})` : num(value, digits));

/** A number for a cell: as `num`, in about five letters. */
export function short(value) {
  const size = Math.abs(value);
  if (size >= 1e5) return num(value / 10 ** Math.floor(Math.log10(size)), 1) + "e" + Math.floor(Math.log10(size));
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : 2;
  const text = num(value, digits);
  return size >= 1000 ? text.replace(",", "") : text;
}

/** A number as Python reads it, exact where it is a whole number or a small fraction. */
export function literal(value) {
  if (Number.isInteger(value)) return String(value);
  for (let d = 3; d <= 16; d++) if (Math.abs(value * d - Math.round(value * d)) < 1e-12 && d % 5 && d & (d - 1)) return `${Math.round(value * d)}/${d}`;
  return String(value);
}

/** Nested arrays of numbers as a Python list. */
export const pyList = (v) => (Array.isArray(v) ? `[${v.map(pyList).join(", ")}]` : literal(v));

/** Nested arrays with one entry replaced; the rest is shared with the old ones. */
export const replaced = (nested, value, first, ...rest) => nested.map((v, at) => (at !== first ? v : rest.length ? replaced(v, value, ...rest) : value));

/** Whether a value is a whole number from `low` to `high`. */
export const within = (value, low, high) => Number.isInteger(value) && value >= low && value <= high;

/** What someone typed in a cell: "−3", "1/9", "0,5" is not taken. NaN where it is not a number. */
export function parseNumber(text) {
  const clean = text.trim().replace(/[−–]/g, "-");
  const parts = clean.split("/");
  if (!clean || parts.length > 2 || parts.some((p) => !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(p.trim()))) return NaN;
  const value = parts.length === 2 ? Number(parts[0]) / Number(parts[1]) : Number(parts[0]);
  return Number.isFinite(value) ? value : NaN;
}

// ------------------------------------------------------------------------------------------------- elements

function make(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.flat(Infinity).filter((c) => c != null && c !== false));
  return node;
}

/** An HTML element: `h("button", { type: "button", onclick: f }, "text")`. */
export const h = (tag, attributes = {}, ...children) => make(document.createElement(tag), attributes, children);
/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) => make(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const token = (k) => {
  if (k instanceof Node) return k;
  const text = typeof k === "number" ? num(k) : String(k);
  return mathml(/^[−-]?[\d.,]+$/.test(text) ? "mn" : /^\p{L}+$/u.test(text) ? "mi" : "mo", text);
};
const mathml = (tag, ...children) => make(document.createElementNS("http://www.w3.org/1998/Math/MathML", tag), {}, children);

/** Formulas the browser sets itself (MathML): `math.show(math.sub("n", "out"), "=", math.frac("a", 2))`. */
export const math = {
  row: (...kids) => mathml("mrow", kids.map(token)),
  frac: (a, b) => mathml("mfrac", token(a), token(b)),
  sub: (a, b) => mathml("msub", token(a), token(b)),
  sup: (a, b) => mathml("msup", token(a), token(b)),
  floor: (...kids) => math.row("⌊", ...kids, "⌋"),
  /** A letter or number in the colour of a role. */
  tone: (role, kid) => make(token(kid), { class: `cnn-ink-${role}` }, []),
  show: (...kids) => make(mathml("math", math.row(...kids)), { displaystyle: "true" }, []),
};

const ICONS = {
  play: "M4 2.5v11l9-5.5z", pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z",
  previous: "M11 2.5v11L4 8zM2.5 2.5H4v11H2.5z", next: "M5 2.5v11L12 8zM12 2.5h1.5v11H12z",
};
const icon = (name) => svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: ICONS[name], fill: "currentColor" }));

/** Writes only what differs: most redraws then cost nothing. */
const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const setAttr = (node, key, value) => { if (value == null || value === false) node.removeAttribute(key); else if (node.getAttribute(key) !== String(value)) node.setAttribute(key, value); };

// ------------------------------------------------------------------------------------- state and its address

const sameJson = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether `value`, from an address someone typed, may stand where `model` stands. */
export function sameKind(model, value) {
  if (Array.isArray(model)) return Array.isArray(value) && value.length > 0 && value.length <= 64 && value.every((v) => sameKind(model[0], v));
  return typeof model === typeof value && (typeof value !== "number" || Number.isFinite(value));
}

/** Whether `value` is nested arrays of exactly these sizes with numbers in them: `shaped(kernel, 3, 3)`. */
export const shaped = (value, ...sizes) => (sizes.length
  ? Array.isArray(value) && value.length === sizes[0] && value.every((v) => shaped(v, ...sizes.slice(1))) : typeof value === "number");

/** An object as text that is safe in an address, and back; `null` where the text is damaged. */
export function encodeState(state) {
  const bytes = new TextEncoder().encode(JSON.stringify(state));
  return btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
export function decodeState(text) {
  try {
    const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const state = JSON.parse(new TextDecoder().decode(bytes));
    return state && typeof state === "object" && !Array.isArray(state) ? state : null;
  } catch { return null; }
}

/** `#demo.KEY.STATE.KEY.STATE`: one address holds the state of every demo of a page, and is a valid CSS selector
 * (themes hand the hash to `querySelector`; encoded JSON objects begin with a letter). */
export function readHash(hash) {
  const parts = hash.replace(/^#/, "").split(".");
  const found = new Map();
  if (parts.shift() === "demo") for (let i = 0; i + 1 < parts.length; i += 2) found.set(parts[i], parts[i + 1]);
  return found;
}
export function writeHash(hash, key, code) {
  const found = readHash(hash);
  if (code) found.set(key, code); else found.delete(key);
  return found.size ? `#demo.${[...found].flat().join(".")}` : "";
}

/** Puts text on the clipboard, also where the browser has no clipboard API; tells whether it did. */
export async function copyText(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { /* the older way follows */ }
  const area = h("textarea", { style: "position:fixed;opacity:0" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

// A notebook's address says nothing about the demo in it: only a page of its own can share one.
const hasOwnPage = () => window.top === window && !document.querySelector("#jupyter-config-data, .jp-LabShell, .notebook_app");

// ----------------------------------------------------------------------------------------------------- the demo

/**
 * A widget's module: `export default demo({ name, state, render })`.
 *
 * @param name   the folder's name, also the CSS class `cnn-NAME`
 * @param state  the traits that a shared link carries
 * @param valid  optional, `(state) => boolean`: refuses values from an address that the demo cannot show
 * @param heading whether the title is shown; it is always read out
 * @param render `(ui) => nodes`: builds the demo. `ui` has
 *   get(key), set({key: value})   the state, synced to Python
 *   derive(f)                     a function that computes `f()` once per change
 *   watch(f)                      runs `f` now and after each change
 *   refresh()                     redraws after a change that is not in the state (a hovered cell)
 *   say(text)                     speaks to a screen reader
 *   cleanup(f)                    runs `f` when the demo goes away
 *   reducedMotion                 whether the reader asked for less movement
 */
export function demo({ name, state = [], valid = () => true, heading = true, render }) {
  return {
    render({ model, el }) {
      const watchers = [], cleanups = [];
      const live = h("p", { class: "cnn-unseen", role: "status", "aria-live": "polite" });
      let version = 0, queued = false, mine = false, saying;
      const draw = () => { queued = false; version++; for (const f of watchers) f(); };
      const ui = {
        model,
        hint: null, // what the cell under the pointer or the focus says
        reducedMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
        get: (key) => model.get(key),
        set(values) {
          const changed = Object.entries(values).filter(([k, v]) => !sameJson(model.get(k), v));
          if (!changed.length) return;
          mine = true;
          for (const [k, v] of changed) model.set(k, v);
          mine = false;
          model.save_changes();
          draw();
        },
        derive(f) {
          let at = -1, value;
          return () => { if (at !== version) { at = version; value = f(); } return value; };
        },
        watch(f) { watchers.push(f); f(); },
        refresh: draw,
        say(text) { // a slider being dragged says only where it stops
          clearTimeout(saying);
          live.textContent = "";
          saying = setTimeout(() => { live.textContent = text; }, 150);
        },
        cleanup: (f) => cleanups.push(f),
      };
      // Python often changes several traits at once: one redraw for them all.
      const changed = () => { if (!mine && !queued) { queued = true; queueMicrotask(draw); } };
      model.on("change", changed);
      cleanups.push(() => model.off("change", changed));

      const initial = Object.fromEntries(state.map((k) => [k, model.get(k)]));
      const key = model.get("link_key");
      const restore = () => {
        const code = readHash(location.hash).get(key);
        const told = code && decodeState(code);
        if (!told) return false;
        const values = { ...initial };
        for (const k of state) if (k in told && sameKind(initial[k], told[k])) values[k] = told[k];
        if (!valid(values)) return false;
        ui.set(values);
        return true;
      };
      const share = async () => {
        const told = Object.fromEntries(state.filter((k) => !sameJson(ui.get(k), initial[k])).map((k) => [k, ui.get(k)]));
        const hash = writeHash(location.hash, key, encodeState(told));
        history.replaceState(history.state, "", hash);
        ui.say(t((await copyText(location.href)) ? "linkCopied" : "linkShown"));
      };

      const shared = hasOwnPage() && state.length > 0 && restore();
      const root = h("div", { class: `cnn cnn-${name}`, role: "group", "aria-label": t("title"), lang: LANGUAGE, "data-lm-suppress-shortcuts": "true" });
      // Keys pressed here are the demo's: a notebook must not take them for its own shortcuts.
      root.addEventListener("keydown", (e) => { if (!e.ctrlKey && !e.metaKey && !e.altKey) e.stopPropagation(); });
      el.append(root);
      el.closest(".widget-subarea")?.classList.add("cnn-bare");
      root.append(
        heading ? h("div", { class: "cnn-head" },
          h("p", { class: "cnn-title" }, t("title")),
          state.length > 0 && h("div", { class: "cnn-tools" },
            button(t("reset"), () => { ui.set(initial); ui.say(t("resetDone")); }, "cnn-quiet"),
            hasOwnPage() && button(t("link"), share, "cnn-quiet"))) : "",
        ...[render(ui)].flat(Infinity).filter(Boolean), live);
      if (shared) requestAnimationFrame(() => root.scrollIntoView({ block: "center" }));
      if (hasOwnPage()) {
        addEventListener("hashchange", restore);
        cleanups.push(() => removeEventListener("hashchange", restore));
      }
      return () => { for (const f of cleanups) f(); };
    },
  };
}

// ------------------------------------------------------------------------------------------------- components
// Each returns an element to place. An argument that is a function is read again at each redraw.

/** A button. */
export const button = (label, press, kind = "") => h("button", { type: "button", class: `cnn-button ${kind}`, onclick: press }, label);

/** A titled box: `block("입력", grid(...))`. A title may be a function. */
export function block(ui, title, ...children) {
  const head = h("p", { class: "cnn-label" });
  ui.watch(() => setText(head, typeof title === "function" ? title() : title));
  return h("div", { class: "cnn-block" }, head, children);
}

/** Things side by side that wrap on a narrow screen. */
export const row = (...children) => h("div", { class: "cnn-row" }, children);

/** Blocks with signs between them: `equation(input, ["∗", kernel], ["=", output])`; a sign stays with what follows it. */
export const equation = (first, ...terms) => h("div", { class: "cnn-equation" }, first,
  terms.map(([sign, node]) => h("div", { class: "cnn-term" }, h("span", { class: "cnn-sign", "aria-hidden": "true" }, sign), node)));

/** A paragraph that follows the state; `content` gives text or nodes. */
export function text(ui, content, kind = "") {
  const p = h("p", { class: `cnn-text ${kind}` });
  let last;
  ui.watch(() => {
    const now = content();
    if (typeof now === "string") { if (now !== last) p.textContent = now; last = now; } else { p.replaceChildren(...[now].flat(Infinity)); last = null; }
  });
  return p;
}

/** Shows `node` only while `when()` holds. */
export function showIf(ui, when, node) {
  ui.watch(() => { node.hidden = !when(); });
  return node;
}

/** Text in the colour of a role. */
export const tinted = (role, ...content) => h("span", { class: `cnn-ink-${role}` }, ...content);

/** What the colours of a picture mean: `legend(ui, () => [["input", "입력"], …])`. */
export const legend = (ui, entries) => text(ui, () => entries().flatMap(([role, word], i) => [i ? ", " : "", tinted(role, word)]), "cnn-note");

/** The sentence under a figure: about the cell in focus, else about the whole. Never a tooltip: it stays, and can be read. */
export const sentence = (ui, otherwise) => text(ui, () => ui.hint?.() ?? otherwise(), "cnn-sentence");

/**
 * A range input bound to one number of the state. `min` and `max` may be functions; `say()` is spoken after a change.
 * With `values`, a rising list, the slider stops at these alone: channels in powers of two, odd kernels.
 */
export function slider(ui, { key, label, min, max, step = 1, values, format = num, say }) {
  const of = (v) => (typeof v === "function" ? v() : v);
  const input = h("input", { type: "range", step, "data-lm-suppress-shortcuts": "true", oninput: () => { ui.set({ [key]: values ? values[input.value] : Number(input.value) }); if (say) ui.say(say()); } });
  const value = h("span", { class: "cnn-value", "aria-hidden": "true" });
  const nearest = (v) => values.reduce((best, w, i) => (Math.abs(w - v) < Math.abs(values[best] - v) ? i : best), 0);
  ui.watch(() => {
    setAttr(input, "min", values ? 0 : of(min));
    setAttr(input, "max", values ? values.length - 1 : of(max));
    input.value = values ? nearest(ui.get(key)) : ui.get(key);
    setAttr(input, "aria-valuetext", format(ui.get(key)));
    setText(value, format(ui.get(key)));
  });
  return h("label", { class: "cnn-slider" }, h("span", {}, label), input, value);
}

/** A field for one whole number of the state, where a reader has a number of his own. What does not fit is put back and said. */
export function number(ui, { key, label, min, max, say }) {
  const fits = () => input.value.trim() !== "" && within(input.valueAsNumber, min, max);
  const input = h("input", { type: "number", min, max, step: 1, inputmode: "numeric", "data-lm-suppress-shortcuts": "true",
    oninput: () => { if (fits()) { ui.set({ [key]: input.valueAsNumber }); if (say) ui.say(say()); } },
    onchange: () => { if (!fits()) { input.value = ui.get(key); ui.say(t("notInRange", { min, max })); } } });
  ui.watch(() => { if (input.valueAsNumber !== ui.get(key)) input.value = ui.get(key); }); // "07" may stay as it is typed
  return h("label", { class: "cnn-number" }, h("span", {}, label), input);
}

/** A few choices of which one holds: radio buttons drawn as one bar. `options` are `[value, label]`. */
export function choice(ui, { label, options, value, choose }) {
  const name = `cnn-${Math.random().toString(36).slice(2)}`;
  const inputs = options.map(([v, text]) => {
    const input = h("input", { type: "radio", name, "data-lm-suppress-shortcuts": "true", onchange: () => choose(v) });
    return { v, input, node: h("label", {}, input, h("span", {}, text)) };
  });
  ui.watch(() => { for (const { v, input } of inputs) input.checked = v === value(); });
  return h("fieldset", { class: "cnn-choice" }, h("legend", {}, label), h("div", {}, inputs.map((i) => i.node)));
}

/** An on/off switch bound to one boolean of the state. */
export function toggle(ui, { key, label }) {
  const input = h("input", { type: "checkbox", onchange: () => ui.set({ [key]: input.checked }) });
  ui.watch(() => { input.checked = ui.get(key); });
  return h("label", { class: "cnn-toggle" }, input, h("span", {}, label));
}

/**
 * Step, play, pause over `count()` positions kept in the state as `key`.
 * Arrow keys, Home and End move along the bar; the space bar plays and pauses.
 * `say()` is spoken after a step and at the end of playing, not at each step of it.
 */
export function stepper(ui, { key = "step", count, say, interval = 900 }) {
  let timer = null;
  const at = () => position(ui, key, count());
  const stop = () => { clearInterval(timer); timer = null; ui.refresh(); };
  const go = (to, aloud = true) => {
    ui.set({ [key]: Math.max(0, Math.min(count() - 1, to)) });
    if (aloud && say) ui.say(say());
  };
  const move = (by) => { if (timer) stop(); go(at() + by); };
  const toggle = () => {
    if (timer) { stop(); if (say) ui.say(say()); return; }
    if (count() < 2) return;
    if (at() >= count() - 1) go(0, false);
    timer = setInterval(() => {
      go(at() + 1, false);
      if (at() >= count() - 1) { stop(); if (say) ui.say(say()); }
    }, ui.reducedMotion ? 1.5 * interval : interval);
    ui.refresh();
  };
  ui.cleanup(() => clearInterval(timer));
  const play = h("button", { type: "button", class: "cnn-button cnn-icon", onclick: toggle });
  const back = h("button", { type: "button", class: "cnn-button cnn-icon", "aria-label": t("previous"), onclick: () => move(-1) }, icon("previous"));
  const next = h("button", { type: "button", class: "cnn-button cnn-icon", "aria-label": t("next"), onclick: () => move(1) }, icon("next"));
  const bar = h("input", { type: "range", min: 1, "aria-label": t("position"), "data-lm-suppress-shortcuts": "true", oninput: () => { if (timer) stop(); go(Number(bar.value) - 1, false); } });
  const place = h("span", { class: "cnn-value", "aria-hidden": "true" });
  const group = h("div", { class: "cnn-stepper", role: "group", "aria-label": t("stepper") }, back, play, next, bar, place);
  group.addEventListener("keydown", (e) => { if (e.key === " " && e.target === bar) { e.preventDefault(); toggle(); } });
  let drawn = null;
  ui.watch(() => {
    const n = count();
    setAttr(group, "data-empty", n < 1);
    setAttr(bar, "max", Math.max(1, n));
    bar.value = at() + 1;
    setAttr(bar, "aria-valuetext", t("ofCount", { i: at() + 1, n }));
    setText(place, t("ofCount", { i: at() + 1, n }));
    const now = timer ? "pause" : "play";
    if (now !== drawn) { play.replaceChildren(icon(now)); play.setAttribute("aria-label", t(now)); drawn = now; }
  });
  return group;
}

/** The stepper's position, held inside 0 … n − 1 whatever the state says. */
export const position = (ui, key, n) => Math.max(0, Math.min(n - 1, ui.get(key)));

/**
 * Bars on one scale. `lines()` gives `{ label, parts, text, faint }` each: `parts` are `[role, size]` that stand end to end,
 * `text` says the value in words or numbers, `faint` sets a line back. `top()` is the size of a full bar.
 */
export function bars(ui, lines, top = () => Math.max(...lines().map((l) => l.parts.reduce((s, [, v]) => s + v, 0)))) {
  const box = h("div", { class: "cnn-bars" });
  ui.watch(() => {
    const full = top() || 1;
    box.replaceChildren(...lines().map(({ label, parts, text, faint }) => h("div", { class: faint ? "faint" : "" },
      h("span", {}, label),
      h("span", { class: "cnn-track", "aria-hidden": "true" }, parts.map(([role, v]) => h("i", { style: `width:${(100 * v) / full}%;background:var(--${role})` }))),
      h("span", { class: "cnn-value" }, text))));
  });
  return box;
}

/** Code the reader can take along. */
export function code(ui, content, label = t("torch")) {
  const body = h("code", {});
  const press = button(t("copy"), async () => ui.say(t((await copyText(content())) ? "copied" : "copyFailed")), "cnn-quiet");
  ui.watch(() => setText(body, content()));
  return h("div", { class: "cnn-code" }, h("div", { class: "cnn-codehead" }, h("span", { class: "cnn-label" }, label), press), h("pre", { tabindex: 0, role: "region", "aria-label": label }, body));
}

/**
 * A grid of numbers, by the WAI-ARIA grid pattern: one tab stop, arrows inside, Home/End, Ctrl+Home/End.
 *
 * @param label    () => its name
 * @param tone     input | kernel | output | channel | plain: its colour
 * @param size     () => [rows, columns]
 * @param cell     (r, c) => text, or { text, marks, nodes }; marks are words out of window, current, done, used, faint, and
 *                 one's own classes; nodes() draws a text that is more than letters
 * @param describe (r, c) => the sentence for that cell: what a screen reader says, and what `sentence` shows
 * @param pad      () => how many rings of padding to draw; they are a picture, not cells: nobody has to walk through them
 * @param padMarks (r, c) => marks of a padding cell, counted from the padded corner
 * @param frame    () => { row, col, rows, cols } of a frame to draw, from the padded corner, or null
 * @param edit     (r, c, value) => ...; makes the cells editable
 * @param choose   (r, c) => ...; on click, Enter or Space
 * @param point    (r, c) => ... when a cell gets the pointer or the focus, point(null) when it loses it
 */
export function grid(ui, { label, tone = "plain", size, cell, describe, pad = () => 0, padMarks, frame, edit, choose, point }) {
  const table = h("div", { role: "grid", class: "cnn-cells" });
  const ring = h("div", { class: "cnn-cells", "aria-hidden": "true" });
  const outline = h("div", { class: "cnn-frame", "aria-hidden": "true" });
  const box = h("div", { class: `cnn-grid cnn-tone-${tone}${choose ? " choosable" : ""}` }, ring, table, frame && outline);
  let shape = "", cells = [], pads = [], at = [0, 0];
  const inner = (node) => (edit ? node.firstChild : node);
  const focusCell = (r, c) => { const node = cells[r]?.[c]; if (node) { inner(node).focus(); if (edit) inner(node).select(); } };
  const whereIs = (target) => { const node = target.closest?.("[data-r]"); return node && box.contains(node) ? [Number(node.dataset.r), Number(node.dataset.c)] : null; };

  function build(rows, cols, p) {
    const focused = table.contains(document.activeElement);
    at = [Math.min(at[0], rows - 1), Math.min(at[1], cols - 1)].map((v) => Math.max(0, v));
    const place = (r, c) => `grid-area:${r + 1}/${c + 1}`;
    pads = [];
    for (let r = 0; r < rows + 2 * p; r++) for (let c = 0; c < cols + 2 * p; c++) {
      if (r >= p && r < p + rows && c >= p && c < p + cols) continue;
      pads.push({ r, c, node: h("div", { class: "cnn-cell cnn-pad", style: place(r, c) }, "0") });
    }
    box.style.setProperty("--columns", cols + 2 * p);
    ring.replaceChildren(...pads.map((q) => q.node));
    if (cells.length === rows && cells[0]?.length === cols) { // only the padding changed: the cells move
      cells.forEach((line, r) => line.forEach((node, c) => { node.style.gridArea = `${r + p + 1}/${c + p + 1}`; }));
      return;
    }
    cells = Array.from({ length: rows }, (_, r) => Array.from({ length: cols }, (_, c) => h("div",
      { role: "gridcell", class: "cnn-cell", "data-r": r, "data-c": c, style: place(r + p, c + p) },
      edit && h("input", { type: "text", autocomplete: "off", spellcheck: "false", "data-lm-suppress-shortcuts": "true" }))));
    table.replaceChildren(...cells.map((line) => h("div", { role: "row", class: "cnn-cells" }, line)));
    if (focused) focusCell(...at);
  }

  function draw() {
    const [rows, cols] = size(), p = pad();
    const now = `${rows},${cols},${p}`;
    const empty = rows < 1 || cols < 1;
    setAttr(box, "data-empty", empty); // not `hidden`, which showIf may set on the same element
    if (empty) { shape = ""; cells = []; return; }
    if (now !== shape) { build(rows, cols, p); shape = now; }
    setAttr(table, "aria-label", label());
    setAttr(table, "aria-readonly", edit ? null : "true");
    for (const { r, c, node } of pads) setAttr(node, "class", `cnn-cell cnn-pad ${padMarks?.(r, c) ?? ""}`);
    let longest = 1;
    for (let r = 0; r < rows; r++) for (let c = 0; c < cols; c++) {
      const node = cells[r][c], shown = cell(r, c);
      const { text, marks = "", nodes } = typeof shown === "object" ? shown : { text: shown };
      const target = inner(node);
      setAttr(node, "class", `cnn-cell ${marks}`);
      longest = Math.max(longest, String(text).length);
      setAttr(node, "aria-current", marks.split(" ").includes("current") ? "true" : null);
      setAttr(target, "aria-label", describe(r, c));
      setAttr(target, "tabindex", r === at[0] && c === at[1] ? 0 : -1);
      if (!edit && nodes) { if (node.textContent !== text) node.replaceChildren(...nodes()); } else if (!edit) setText(node, String(text));
      else if (document.activeElement !== target || !target.dataset.dirty) target.value = String(text);
    }
    if (box.dataset.letters !== String(longest)) { box.dataset.letters = longest; box.style.setProperty("--letters", longest); }
    const f = frame?.();
    outline.hidden = !f;
    if (f) for (const [k, v] of Object.entries(f)) outline.style.setProperty(`--${k}`, v);
  }

  const commit = (input) => {
    const where = whereIs(input);
    if (!where || !input.dataset.dirty) return;
    delete input.dataset.dirty;
    const value = parseNumber(input.value);
    if (Number.isNaN(value)) { ui.say(t("notNumber")); ui.refresh(); } else { edit(...where, value); ui.refresh(); }
  };
  const reach = (r, c) => { at = [r, c]; ui.hint = () => (cells[r]?.[c] ? describe(r, c) : null); point?.(r, c); ui.refresh(); };
  const leave = () => { ui.hint = null; point?.(null); ui.refresh(); };

  table.addEventListener("focusin", (e) => { const w = whereIs(e.target); if (w) reach(...w); if (edit) e.target.select?.(); });
  table.addEventListener("focusout", (e) => { if (edit) commit(e.target); if (!table.contains(e.relatedTarget)) leave(); });
  box.addEventListener("pointerover", (e) => {
    const w = whereIs(e.target);
    if (w && e.pointerType === "mouse") { const keep = at; reach(...w); at = keep; }
  });
  box.addEventListener("pointerleave", () => { if (!table.contains(document.activeElement)) leave(); else reach(...at); });
  table.addEventListener("input", (e) => { e.target.dataset.dirty = "1"; });
  if (choose) table.addEventListener("click", (e) => { const w = whereIs(e.target); if (w) { at = w; choose(...w); focusCell(...w); } });
  table.addEventListener("keydown", (e) => {
    const w = whereIs(e.target);
    if (!w) return;
    const [r, c] = w, lastRow = cells.length - 1, lastCol = cells[0].length - 1;
    const field = edit ? e.target : null;
    // Inside a number that is being typed, left and right move the caret until it meets the edge.
    const typing = field?.dataset.dirty && !(field.selectionStart === field.selectionEnd && (e.key === "ArrowLeft" ? field.selectionStart === 0 : field.selectionEnd === field.value.length));
    const to = {
      ArrowUp: [r - 1, c], ArrowDown: [r + 1, c],
      ArrowLeft: typing ? null : [r, c - 1], ArrowRight: typing ? null : [r, c + 1],
      Home: field?.dataset.dirty ? null : e.ctrlKey ? [0, 0] : [r, 0], End: field?.dataset.dirty ? null : e.ctrlKey ? [lastRow, lastCol] : [r, lastCol],
      Enter: edit ? [r + 1, c] : null,
    }[e.key];
    if (field && e.key === "Escape") { delete field.dataset.dirty; ui.refresh(); field.select(); e.preventDefault(); return; }
    if (choose && !edit && (e.key === "Enter" || e.key === " ")) { e.preventDefault(); choose(r, c); return; }
    if (!to) return;
    e.preventDefault();
    if (field) commit(field);
    if (cells[to[0]]?.[to[1]]) focusCell(...to); else field?.select();
  });
  ui.watch(draw);
  return box;
}

// -------------------------------------------------------------------------------------------------- photographs

/** Bytes of a trait (ipywidgets gives a DataView) as numbers 0 … 255. */
export const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** Bytes of one channel as rows of numbers. */
export const toRows = (flat, width) => Array.from({ length: flat.length / width }, (_, r) => Array.from(flat.slice(r * width, (r + 1) * width)));

/** The grey range to paint an output with: 0 … 255, or symmetric about 0 where values fall below it. */
export function greyRange(rows) {
  let low = 0, high = 0;
  for (const line of rows) for (const v of line) { if (v < low) low = v; if (v > high) high = v; }
  if (low < 0) { const edge = Math.max(-low, high); return [-edge, edge]; }
  return [0, Math.max(255, high)];
}

/** Paints three channels of rows as red, green and blue: `low` none, `high` full. */
export function paintColor(canvas, [red, green, blue], low = 0, high = 255) {
  const height = red.length, width = red[0].length;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height), scale = 255 / (high - low || 1);
  for (let i = 0, q = 0; i < height; i++) for (let j = 0; j < width; j++, q += 4) {
    image.data[q] = (red[i][j] - low) * scale;
    image.data[q + 1] = (green[i][j] - low) * scale;
    image.data[q + 2] = (blue[i][j] - low) * scale;
    image.data[q + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Paints rows of numbers in grey: `low` black, `high` white. */
export function paintGrey(canvas, rows, low = 0, high = 255) {
  const height = rows.length, width = rows[0].length;
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d"), image = context.createImageData(width, height), scale = 255 / (high - low || 1);
  for (let i = 0, q = 0; i < height; i++) for (let j = 0; j < width; j++, q += 4) {
    image.data[q] = image.data[q + 1] = image.data[q + 2] = (rows[i][j] - low) * scale; // the array clamps and rounds
    image.data[q + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/**
 * A picture with a frame on the cells in question. With `look` it is a control: the frame follows the pointer and the
 * arrow keys (with Shift, eight cells at once).
 *
 * @param label () => its name; with `look`, say the keys too
 * @param tone  the colour of the frame
 * @param image () => rows of numbers, or [red, green, blue] of rows; painted again only when it is another object
 * @param range (rows) => [low, high]: what is black and what is white
 * @param spot  () => { row, col, span } of the frame, or null
 * @param look  (row, col) => ...
 * @param say   () => what is spoken after a key
 */
export function picture(ui, { label, tone = "input", image, range = () => [0, 255], spot, look, say }) {
  const canvas = h("canvas", look ? { "aria-hidden": "true" } : { role: "img" });
  const frame = h("span", { class: "cnn-picture-spot", "aria-hidden": "true" });
  const box = h("div", { class: `cnn-picture cnn-tone-${tone}${look ? " looks" : ""}` }, canvas, frame);
  let painted = null;
  ui.watch(() => {
    const rows = image();
    if (rows !== painted) { (typeof rows[0][0] === "number" ? paintGrey : paintColor)(canvas, rows, ...range(rows)); painted = rows; }
    setAttr(look ? box : canvas, "aria-label", label());
    const s = spot?.();
    frame.hidden = !s;
    if (s) for (const [k, v] of Object.entries({ ...s, rows: canvas.height, columns: canvas.width })) frame.style.setProperty(`--${k}`, v);
  });
  if (!look) return box;
  box.tabIndex = 0;
  setAttr(box, "role", "group");
  const go = (r, c) => look(Math.max(0, Math.min(canvas.height - 1, r)), Math.max(0, Math.min(canvas.width - 1, c)));
  const follow = (e) => {
    const at = canvas.getBoundingClientRect();
    go(Math.floor((e.clientY - at.top) / at.height * canvas.height), Math.floor((e.clientX - at.left) / at.width * canvas.width));
  };
  canvas.addEventListener("pointermove", follow);
  canvas.addEventListener("pointerdown", follow);
  box.addEventListener("keydown", (e) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[e.key], s = spot();
    if (!by || !s) return;
    e.preventDefault();
    go(s.row + (e.shiftKey ? 8 : 1) * by[0], s.col + (e.shiftKey ? 8 : 1) * by[1]);
    if (say) ui.say(say());
  });
  return box;
}

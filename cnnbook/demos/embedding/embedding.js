// Embedding. The arithmetic first: exported, and compared with torch for thousands of random settings.

/** Bytes of `n` vectors, one after another, as `n` lists. */
export const vectorsOf = (flat, n) => toRows(flat, flat.length / n);

const dot = (a, b) => { let s = 0; for (let i = 0; i < a.length; i++) s += a[i] * b[i]; return s; };

/** The cosine of the angle between two vectors; 0 where one of them is zero. */
export function cosine(a, b) {
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  return lengths ? dot(a, b) / lengths : 0;
}

/** The Euclidean distance of two vectors. */
export function euclidean(a, b) {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += (a[i] - b[i]) ** 2;
  return Math.sqrt(s);
}

/** The places of the `k` vectors nearest to `query`, without the one at `own`, and how near they are; the earlier wins a tie. */
export function nearest(query, all, k, metric, own) {
  const near = all.map((v, i) => ({ i, value: metric === "cosine" ? cosine(query, v) : euclidean(query, v) })).filter(({ i }) => i !== own);
  return near.sort((a, b) => (metric === "cosine" ? b.value - a.value : a.value - b.value) || a.i - b.i).slice(0, k);
}

/** The share of neighbours with the label of the one who asks: `found` holds a list of places for each of `labels`. */
export const precision = (found, labels) => {
  const shares = found.map((places, q) => places.filter((i) => labels[i] === labels[q]).length / places.length);
  return shares.reduce((s, v) => s + v, 0) / shares.length;
};

/** The nearest place within 45° of a direction, from place `at`; `at` itself where there is none. */
export function toward(places, at, [dx, dy]) {
  let best = at, far = Infinity;
  places.forEach(([x, y], i) => {
    const ahead = (x - places[at][0]) * dx + (y - places[at][1]) * dy, aside = Math.abs((x - places[at][0]) * dy - (y - places[at][1]) * dx);
    const d = Math.hypot(ahead, aside);
    if (i !== at && ahead > 0 && aside <= ahead && d < far) { best = i; far = d; }
  });
  return best;
}

/** The Python lines that find the same neighbours. */
export const searchLines = (space, metric, k, picked, moved) => ["import torch", "from cnnbook.demos import Embedding", "",
  `query = Embedding.vectors("${space}", moved=${moved ? "True" : "False"})[${picked}]`, `pictures = Embedding.vectors("${space}")`,
  metric === "cosine" ? "near = torch.cosine_similarity(query[None], pictures)" : "near = -torch.cdist(query[None], pictures)[0]",
  `near[${picked}] = -torch.inf`, `found = near.topk(${k}).indices`].join("\n");

const EACH = 20, COUNT = 10 * EACH, SIDE = 8, MOST = 10, SPACES = ["pixels", "untrained", "features"];
const W = 340, H = 340, EDGE = 16;

export default demo({
  name: "embedding",
  state: ["space", "metric", "k", "picked", "moved"],
  valid: (s) => SPACES.includes(s.space) && ["cosine", "euclidean"].includes(s.metric) && within(s.k, 1, MOST)
    && within(s.picked, 0, COUNT - 1),

  render(ui) {
    const digitOf = (i) => Math.floor(i / EACH), digits = Array.from({ length: COUNT }, (_, i) => digitOf(i)), isNew = (i) => digitOf(i) > 6;
    const stored = Object.fromEntries(SPACES.map((s) => { const all = vectorsOf(bytes(ui.get(s)), 2 * COUNT); return [s, [all.slice(0, COUNT), all.slice(COUNT)]]; }));
    const space = () => ui.get("space"), metric = () => ui.get("metric"), k = () => ui.get("k"), moved = () => Number(ui.get("moved")), picked = () => ui.get("picked");
    let pointed = null; // under the pointer
    const current = () => pointed ?? picked();
    const look = (where, i) => nearest(stored[where][moved()][i], stored[where][0], MOST, metric(), i);
    const kept = new Map(); // all searches of one setting: made once
    const every = (where) => {
      const name = `${where} ${metric()} ${moved()}`;
      if (!kept.has(name)) kept.set(name, digits.map((_, i) => look(where, i).map((n) => n.i)));
      return kept.get(name).map((list) => list.slice(0, k()));
    };
    const found = ui.derive(() => look(space(), current()).slice(0, k()));
    const right = (i) => digitOf(i) === digitOf(current());
    const map = () => ui.get("maps")[space()];
    const say = () => t("sentence", { digit: digitOf(current()), kind: t(isNew(current()) ? "fresh" : "learned"), k: k(), hits: found().filter((n) => right(n.i)).length, share: num(100 * map().explained, 0) });
    const pick = (i) => { pointed = null; ui.set({ picked: i }); ui.say(say()); };

    // ---- the plot
    const frame = ui.derive(() => { // one scale for both axes: a distorted plot would lie about distances
      const all = map().places.flat(), [xs, ys] = [all.map((p) => p[0]), all.map((p) => p[1])];
      const low = [Math.min(...xs), Math.min(...ys)], high = [Math.max(...xs), Math.max(...ys)];
      const scale = Math.min((W - 2 * EDGE) / (high[0] - low[0]), (H - 2 * EDGE) / (high[1] - low[1]));
      return ([x, y]) => [W / 2 + scale * (x - (low[0] + high[0]) / 2), H / 2 - scale * (y - (low[1] + high[1]) / 2)];
    });
    const spots = ui.derive(() => map().places[0].map(frame()));
    const letters = digits.map((digit, i) => svg("text", { class: isNew(i) ? "fresh" : "learned", "text-anchor": "middle" }, String(digit)));
    const rings = svg("g", {});
    const plot = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "cnn-plot", "aria-hidden": "true" }, rings, letters);
    const box = h("div", { class: "cnn-plotbox", tabindex: 0, role: "group" }, plot);
    ui.watch(() => {
      setAttr(box, "aria-label", t("plot", { space: t(space()) }));
      spots().forEach(([x, y], i) => { setAttr(letters[i], "x", x.toFixed(1)); setAttr(letters[i], "y", (y + 4).toFixed(1)); });
      const ring = (i, kind) => svg("circle", { cx: spots()[i][0], cy: spots()[i][1], r: 8.5, class: `cnn-ring ${kind}` });
      const [x, y] = spots()[current()], [mx, my] = frame()(map().places[1][current()]);
      const away = moved() ? [svg("line", { x1: x, y1: y, x2: mx, y2: my, class: "cnn-away" }), svg("rect", { x: mx - 5, y: my - 5, width: 10, height: 10, class: "cnn-spot" })] : [];
      rings.replaceChildren(...found().map((n) => ring(n.i, right(n.i) ? "same" : "other")), ...away, svg("rect", { x: x - 9, y: y - 9, width: 18, height: 18, class: "cnn-here" }));
    });
    const near = (event) => {
      const r = plot.getBoundingClientRect(), px = ((event.clientX - r.left) / r.width) * W, py = ((event.clientY - r.top) / r.height) * H;
      const far = ([x, y]) => Math.hypot(x - px, y - py);
      const best = spots().reduce((a, p, i) => (far(p) < far(spots()[a]) ? i : a), 0);
      return far(spots()[best]) < 20 ? best : null;
    };
    plot.addEventListener("pointermove", (event) => { const i = near(event); if (i !== pointed) { pointed = i; ui.refresh(); } });
    plot.addEventListener("pointerleave", () => { if (pointed !== null) { pointed = null; ui.refresh(); } });
    plot.addEventListener("click", (event) => { const i = near(event); if (i !== null) pick(i); });
    box.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!way) return;
      event.preventDefault();
      pick(toward(spots(), picked(), way));
    });

    // ---- the chosen picture and its neighbours
    const paint = (canvas, i, half) => paintGrey(canvas, toRows(stored.pixels[half][i], SIDE), 0, 16);
    const chosen = h("canvas", { class: "cnn-large", "aria-hidden": "true" });
    ui.watch(() => paint(chosen, current(), moved()));
    const cards = Array.from({ length: MOST }, (_, place) => {
      const canvas = h("canvas", { "aria-hidden": "true" }), name = h("strong", {}), value = h("span", {}), mark = h("span", { class: "cnn-mark" });
      const node = h("li", {}, h("button", { type: "button", class: "cnn-button", onclick: () => pick(found()[place].i) }, canvas, h("span", { class: "cnn-words" }, name, value, mark)));
      ui.watch(() => {
        const n = found()[place];
        node.hidden = !n;
        if (!n) return;
        paint(canvas, n.i, 0);
        setText(name, t("chosen", { digit: digitOf(n.i) }));
        setText(value, metric() === "cosine" ? t("similarity", { v: n.value.toFixed(2) }) : t("distance", { v: (n.value * map().step).toFixed(2) }));
        setText(mark, t(right(n.i) ? "same" : "other"));
        setAttr(node, "class", right(n.i) ? "same" : "other");
      });
      return node;
    });

    const all = bars(ui, () => SPACES.map((s) => {
      const share = precision(every(s), digits);
      return { label: t(s), parts: [[s === "features" ? "output" : "input", share]], text: t("percent", { v: num(100 * share, 0) }), faint: s !== space() };
    }), () => 1);
    const by = (key, values) => choice(ui, { label: t(key), options: values.map((v) => [v, t(v)]), value: () => ui.get(key), choose: (v) => ui.set({ [key]: v }) });
    return [
      row(by("space", SPACES), by("metric", ["cosine", "euclidean"])),
      row(slider(ui, { key: "picked", label: t("picked"), min: 0, max: COUNT - 1, say }), slider(ui, { key: "k", label: t("k"), min: 1, max: MOST, say }), toggle(ui, { key: "moved", label: t("moved") })),
      h("div", { class: "cnn-search" }, box, h("div", { class: "cnn-side" },
        block(ui, () => t("chosen", { digit: digitOf(current()) }), chosen), block(ui, t("neighbours"), h("ol", { class: "cnn-near" }, cards)))),
      text(ui, () => t("keys"), "cnn-note"), sentence(ui, say),
      block(ui, t("all"), all),
      code(ui, () => searchLines(space(), metric(), k(), picked(), ui.get("moved"))),
    ];
  },
});

// ModelMap. The arithmetic first: exported, and compared with Python for thousands of random sets of models.

/** Which entries have both values. */
export const complete = (entries, x, y) => entries.filter((e) => e[x] != null && e[y] != null);

/** The entries that none beats: none costs no more and is more accurate, or costs less and is as accurate. Cheapest first. */
export const frontier = (entries, x, y) => complete(entries, x, y)
  .filter((e, _, all) => !all.some((o) => o[x] <= e[x] && o[y] >= e[y] && (o[x] < e[x] || o[y] > e[y])))
  .sort((a, b) => a[x] - b[x]);

/** The entries that cost no more than `e` and are more accurate, the best first. */
export const better = (entries, e, x, y) => complete(entries, x, y).filter((o) => o[x] <= e[x] && o[y] > e[y]).sort((a, b) => b[y] - a[y]);

/** The entries in the order of one column; what has no value there comes last. */
export function ordered(entries, key, falling) {
  const compare = (a, b) => (typeof a === "string" ? (a < b ? -1 : a > b ? 1 : 0) : a - b);
  return [...entries].sort((a, b) => (a[key] == null ? 1 : 0) - (b[key] == null ? 1 : 0) || (falling ? -1 : 1) * (a[key] == null ? 0 : compare(a[key], b[key])));
}

/** Where a value lies between low (0) and high (1), on an even or a logarithmic scale. */
export const placeOf = (v, low, high, log) => (log ? Math.log(v / low) / Math.log(high / low) : (v - low) / (high - low));

/** Round numbers from low to high: 1, 2, 5, 10 … on a logarithmic scale, even steps otherwise. */
export function ticks(low, high, log) {
  const steps = [1, 2, 5];
  if (log) {
    const all = [];
    for (let p = Math.floor(Math.log10(low)); 10 ** p <= high; p++) all.push(...steps.map((s) => s * 10 ** p));
    return all.filter((v) => v >= low && v <= high);
  }
  const rough = (high - low) / 6, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [...steps, 10].find((s) => s * power >= rough);
  return Array.from({ length: Math.floor(high / step) - Math.ceil(low / step) + 1 }, (_, i) => (Math.ceil(low / step) + i) * step);
}

/** The Python lines that give one entry's numbers. */
export const entryLines = (e) => ["from cnnbook.counting import count_macs, count_parameters", "from cnnbook.models import accuracy, builders", "",
  `net = builders()["${e.name}"]()`, "parameters = count_parameters(net)", "macs = count_macs(net, (1, 3, 224, 224))",
  `top1 = accuracy.of("${e.name}"${e.weights ? `, "${e.weights}"` : ""}).top1`].join("\n");

const COLUMNS = ["title", "year", "parameters", "macs", "top1", "top5"];
const W = 360, H = 270, LEFT = 34, BOTTOM = 34, RIGHT = 10, HEAD = 12;

export default demo({
  name: "model_map",
  state: ["x", "y", "log", "newer", "hidden", "picked", "sort", "falling"],
  valid: (s) => ["macs", "parameters"].includes(s.x) && ["top1", "top5"].includes(s.y) && COLUMNS.includes(s.sort)
    && within(s.hidden, 0, 1023) && within(s.picked, 0, 99),

  render(ui) {
    const all = () => ui.get("entries"), x = () => ui.get("x"), y = () => ui.get("y"), log = () => ui.get("log");
    const families = [...new Set(all().map((e) => e.family))];
    const isHidden = (family) => (ui.get("hidden") >> families.indexOf(family)) & 1;
    const shown = ui.derive(() => all().filter((e) => !isHidden(e.family) && (ui.get("newer") || !e.newer)));
    const points = ui.derive(() => complete(shown(), x(), y()));
    const front = ui.derive(() => frontier(shown(), x(), y()));
    let pointed = null; // under the pointer
    const picked = () => all()[Math.min(ui.get("picked"), all().length - 1)];
    const current = () => (points().includes(pointed) ? pointed : picked());
    const amount = (e, key) => (key === "macs" ? t("hundredMillion", { n: num(e.macs / 1e8, 1) }) : t("tenThousand", { n: num(e.parameters / 1e4, 0) }));
    const per = (v) => (v == null ? t("none") : t("percent", { v: num(v, 1) }));
    const title = (e) => (e.newer ? t("second", { title: e.title }) : e.title);
    const sayEntry = (e) => t("entry", { title: title(e), year: String(e.year), parameters: amount(e, "parameters"), macs: amount(e, "macs"), top1: per(e.top1), top5: per(e.top5) });
    const sayBetter = (e) => {
      if (!points().includes(e)) return t("away");
      const list = better(shown(), e, x(), y());
      return list.length ? t("beaten", { axis: t(x()), measure: t(y()), list: list.slice(0, 3).map(title).join(", "), n: list.length }) : t("unbeaten", { axis: t(x()), measure: t(y()) });
    };
    const say = () => `${sayEntry(current())} ${sayBetter(current())}`;
    const pick = (e) => { ui.set({ picked: all().indexOf(e) }); ui.say(say()); };

    // ---- the plot
    const range = ui.derive(() => {
      const xs = all().map((e) => e[x()]), ys = all().map((e) => e[y()]).filter((v) => v != null);
      const wide = (Math.max(...xs) - Math.min(...xs)) / 25;
      return { x: log() ? [Math.min(...xs) / 1.3, Math.max(...xs) * 1.3] : [Math.max(0, Math.min(...xs) - wide), Math.max(...xs) + wide], y: [Math.floor(Math.min(...ys) - 1), Math.ceil(Math.max(...ys) + 1)] };
    });
    const at = (e) => [LEFT + (W - LEFT - RIGHT) * placeOf(e[x()], ...range().x, log()), H - BOTTOM - (H - BOTTOM - HEAD) * placeOf(e[y()], ...range().y, false)];
    const plot = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "cnn-plot", "aria-hidden": "true" });
    const box = h("div", { class: "cnn-plotbox", tabindex: 0, role: "group" }, plot);
    ui.watch(() => {
      setAttr(box, "aria-label", t("plot", { n: points().length, axis: t(x()), measure: t(y()) }));
      const unit = x() === "macs" ? 1e8 : 1e6, right = W - RIGHT, floor = H - BOTTOM;
      const lines = ticks(...range().x, log()).flatMap((v) => { const [px] = at({ [x()]: v, [y()]: range().y[0] }); return [svg("line", { x1: px, x2: px, y1: HEAD, y2: floor }), svg("text", { x: px, y: floor + 12, "text-anchor": "middle" }, num(v / unit, 2))]; });
      const levels = ticks(...range().y, false).flatMap((v) => { const py = at({ [x()]: range().x[1], [y()]: v })[1]; return [svg("line", { x1: LEFT, x2: right, y1: py, y2: py }), svg("text", { x: LEFT - 4, y: py + 3, "text-anchor": "end" }, num(v, 1))]; });
      const edge = front().map((e) => at(e)), steps = edge.map(([px, py], i) => (i ? `H${px}V${py}` : `M${px} ${py}`)).join("");
      const dot = (e) => { const [px, py] = at(e), best = front().includes(e); return best ? svg("rect", { x: px - 4, y: py - 4, width: 8, height: 8, class: "cnn-dot best" }) : svg("circle", { cx: px, cy: py, r: 3.6, class: `cnn-dot${e.newer ? " newer" : ""}` }); };
      const marked = points().includes(current()) ? current() : null;
      const ring = marked && svg("circle", { cx: at(marked)[0], cy: at(marked)[1], r: 8, class: "cnn-ring" });
      const name = marked && (() => {
        const [px, py] = at(marked), early = px < W / 2;
        return svg("text", { x: px + (early ? 11 : -11), y: py > HEAD + 20 ? py - 7 : py + 14, "text-anchor": early ? "start" : "end", class: "cnn-name" }, title(marked));
      })();
      plot.replaceChildren(...[svg("g", { class: "cnn-axes" }, lines, levels, svg("text", { x: (LEFT + right) / 2, y: H - 6, "text-anchor": "middle" }, t(x() === "macs" ? "macsAxis" : "parametersAxis")), svg("text", { x: LEFT, y: 8, "text-anchor": "start" }, t(y()))),
        steps && svg("path", { d: steps, class: "cnn-edge" }), ...points().map(dot), ring, name].filter(Boolean));
    });
    const near = (event) => {
      const r = plot.getBoundingClientRect(), px = ((event.clientX - r.left) / r.width) * W, py = ((event.clientY - r.top) / r.height) * H;
      const far = (e) => Math.hypot(at(e)[0] - px, at(e)[1] - py);
      const best = points().reduce((a, b) => (a && far(a) <= far(b) ? a : b), null);
      return best && far(best) < 22 ? best : null;
    };
    plot.addEventListener("pointermove", (event) => { const e = near(event); if (e !== pointed) { pointed = e; ui.refresh(); } });
    plot.addEventListener("pointerleave", () => { if (pointed) { pointed = null; ui.refresh(); } });
    plot.addEventListener("click", (event) => { const e = near(event); if (e) pick(e); });
    box.addEventListener("keydown", (event) => {
      const [key, by] = { ArrowLeft: [x(), -1], ArrowRight: [x(), 1], ArrowDown: [y(), -1], ArrowUp: [y(), 1] }[event.key] ?? [];
      if (!key && !["Home", "End"].includes(event.key)) return;
      event.preventDefault();
      const line = ordered(points(), key ?? x(), false), i = line.indexOf(picked());
      const next = event.key === "Home" ? 0 : event.key === "End" ? line.length - 1 : i < 0 ? 0 : Math.max(0, Math.min(line.length - 1, i + by));
      if (line[next]) { pointed = null; pick(line[next]); }
    });

    // ---- families
    const boxes = families.map((family, i) => {
      const input = h("input", { type: "checkbox", onchange: () => ui.set({ hidden: ui.get("hidden") ^ (1 << i) }) });
      ui.watch(() => { input.checked = !isHidden(family); });
      return h("label", { class: "cnn-toggle" }, input, h("span", {}, t(family)));
    });
    const every = (value) => () => { ui.set({ hidden: value }); ui.say(t("count", { n: shown().length })); };

    // ---- the table
    const heads = COLUMNS.map((key) => {
      const mark = h("span", { "aria-hidden": "true" });
      const cell = h("th", { scope: "col" }, h("button", { type: "button", class: "cnn-button cnn-quiet", onclick: () => {
        ui.set(ui.get("sort") === key ? { falling: !ui.get("falling") } : { sort: key, falling: key.startsWith("top") });
        ui.say(t(ui.get("falling") ? "fell" : "rose", { column: t(key) }));
      } }, t(key === "title" ? "model" : key === "macs" ? "macsHead" : key === "parameters" ? "parametersHead" : key), mark));
      ui.watch(() => {
        const mine = ui.get("sort") === key;
        setAttr(cell, "aria-sort", mine ? (ui.get("falling") ? "descending" : "ascending") : null);
        setText(mark, mine ? (ui.get("falling") ? " ▼" : " ▲") : "");
      });
      return cell;
    });
    const body = h("tbody", {});
    const lines = new Map(all().map((e) => {
      const press = h("button", { type: "button", class: "cnn-button cnn-quiet", onclick: () => pick(e) }, title(e));
      const values = [String(e.year), ...[e.parameters / 1e6, e.macs / 1e8, e.top1, e.top5].map((v) => (v == null ? "–" : v.toFixed(1)))];
      return [e, { press, node: h("tr", {}, h("th", { scope: "row" }, press), values.map((v) => h("td", {}, v))) }];
    }));
    let order = "";
    ui.watch(() => {
      const list = ordered(shown(), ui.get("sort"), ui.get("falling")), now = list.map((e) => all().indexOf(e)).join();
      if (now !== order) { const focus = document.activeElement; body.replaceChildren(...list.map((e) => lines.get(e).node)); if (body.contains(focus)) focus.focus(); order = now; }
      for (const [e, { press, node }] of lines) { setAttr(press, "aria-pressed", String(e === picked())); setAttr(node, "class", `${e === picked() ? "picked" : ""}${front().includes(e) ? " best" : ""}`); }
    });
    const table = h("div", { class: "cnn-scroll", tabindex: 0, role: "region", "aria-label": t("table") }, h("table", {}, h("thead", {}, h("tr", {}, heads)), body));

    const source = text(ui, () => [t("source"), " ", h("a", { href: current().url, rel: "noopener" }, current().source.replaceAll("`", ""))], "cnn-note");
    const by = (key, label, values) => choice(ui, { label, options: values.map((v) => [v, t(v)]), value: () => ui.get(key), choose: (v) => ui.set({ [key]: v }) });
    return [
      row(by("x", t("xChoice"), ["macs", "parameters"]), by("y", t("yChoice"), ["top1", "top5"])),
      row(toggle(ui, { key: "log", label: t("logarithmic") }), toggle(ui, { key: "newer", label: t("newerWeights") })),
      h("fieldset", { class: "cnn-families" }, h("legend", {}, t("family")), h("div", { class: "cnn-row" }, boxes), h("div", {}, button(t("all"), every(0), "cnn-quiet"), button(t("nothing"), every(2 ** families.length - 1), "cnn-quiet"))),
      box, text(ui, () => t("keys"), "cnn-note"), sentence(ui, say), source,
      block(ui, t("table"), table),
      code(ui, () => entryLines(picked())),
    ];
  },
});

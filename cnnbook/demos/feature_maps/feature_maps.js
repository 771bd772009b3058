// FeatureMaps. The arithmetic first: exported, and compared with torch. The network runs here, in the
// browser, from the weights that Python stored in eight bits.

export const KERNELS = [5, 3, 3, 3], WIDTHS = [16, 24, 32, 48], POOLED = [false, true, true, false];
export const SIDE = 32, CLASSES = 10;

/** Numbers of half precision (IEEE 754, little endian), as numbers. */
export function halves(raw) {
  return Float32Array.from({ length: raw.length / 2 }, (_, i) => {
    const bits = raw[2 * i] | (raw[2 * i + 1] << 8), exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24 : exponent === 31 ? (fraction ? NaN : Infinity) : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return bits >> 15 ? -size : size;
  });
}

/** The bytes cut into layers; a weight is a whole number of eight bits times the scale of its output channel. */
export function unpack(raw) {
  let at = 0;
  const take = (n) => raw.slice(at, (at += n));
  const layer = (out, inputs) => {
    const whole = take(out * inputs), scale = halves(take(2 * out)), bias = halves(take(2 * out));
    return { weight: Float64Array.from(whole, (v, i) => (v > 127 ? v - 256 : v) * scale[Math.floor(i / inputs)]), bias };
  };
  const conv = WIDTHS.map((out, i) => ({ ...layer(out, (i ? WIDTHS[i - 1] : 3) * KERNELS[i] ** 2), kernel: KERNELS[i] }));
  return { conv, fc: layer(CLASSES, WIDTHS[3]) };
}

/** A stack of square maps: `data` holds `channels` times `side` × `side` values. */
const stack = (channels, side) => ({ channels, side, data: new Float64Array(channels * side * side) });

/** Convolution with padding that keeps the size, and ReLU. */
export function convolve(x, { weight, bias, kernel }) {
  const n = x.side, y = stack(bias.length, n), half = (kernel - 1) / 2;
  for (let o = 0, w = 0; o < y.channels; o++) {
    const out = y.data.subarray(o * n * n, (o + 1) * n * n).fill(bias[o]);
    for (let c = 0; c < x.channels; c++) for (let u = -half; u <= half; u++) for (let v = -half; v <= half; v++, w++) {
      const by = weight[w], from = c * n * n + u * n + v;
      for (let i = Math.max(0, -u); i < Math.min(n, n - u); i++) for (let j = Math.max(0, -v); j < Math.min(n, n - v); j++) out[i * n + j] += by * x.data[from + i * n + j];
    }
    for (let i = 0; i < n * n; i++) if (out[i] < 0) out[i] = 0;
  }
  return y;
}

/** The largest of each 2 × 2. */
export function pool(x) {
  const n = x.side, half = n / 2, y = stack(x.channels, half);
  for (let c = 0, q = 0; c < x.channels; c++) for (let i = 0; i < half; i++) for (let j = 0; j < half; j++, q++) {
    const p = c * n * n + 2 * i * n + 2 * j;
    y.data[q] = Math.max(x.data[p], x.data[p + 1], x.data[p + n], x.data[p + n + 1]);
  }
  return y;
}

/** The four stacks of feature maps of a picture of bytes (3, 32, 32), the mean of each last map, and the scores. */
export function forward(net, pixels) {
  let x = { channels: 3, side: SIDE, data: Float64Array.from(pixels, (v) => v / 128 - 1) };
  const maps = net.conv.map((layer, i) => (x = convolve(POOLED[i] ? pool(x) : x, layer)));
  const cells = x.side ** 2;
  const means = Array.from({ length: x.channels }, (_, k) => x.data.subarray(k * cells, (k + 1) * cells).reduce((s, v) => s + v, 0) / cells);
  const scores = Array.from({ length: CLASSES }, (_, c) => means.reduce((s, m, k) => s + m * net.fc.weight[c * means.length + k], net.fc.bias[c]));
  return { maps, means, scores };
}

export function softmax(scores) {
  const top = Math.max(...scores), raised = scores.map((s) => Math.exp(s - top)), sum = raised.reduce((a, b) => a + b);
  return raised.map((v) => v / sum);
}

/** One map of a stack as rows of numbers. */
export const rowsOf = ({ side, data }, c) => toRows(data.subarray(c * side * side, (c + 1) * side * side), side);

/** What each channel of the last maps adds to a class at one cell: weight of the head times feature. */
export const parts = (net, last, target, row, col) => Array.from({ length: last.channels }, (_, k) =>
  net.fc.weight[target * last.channels + k] * last.data[k * last.side ** 2 + row * last.side + col]);

/** The class activation map: those parts added up, at every cell. */
export const classMap = (net, last, target) => Array.from({ length: last.side }, (_, i) =>
  Array.from({ length: last.side }, (_, j) => parts(net, last, target, i, j).reduce((s, v) => s + v, 0)));

/** How a cell of convolution `layer` (1 to 4) looks at the picture: cell i sees `size` pixels from `start + step * i` on. */
export function field(layer) {
  let size = 1, step = 1, start = 0;
  for (let i = 0; i < layer; i++) {
    if (POOLED[i]) { size += step; step *= 2; }
    size += (KERNELS[i] - 1) * step;
    start -= ((KERNELS[i] - 1) / 2) * step;
  }
  return { size, step, start };
}

/** Where the largest number of some rows stands. */
export function peak(rows) {
  let best = [0, 0];
  rows.forEach((line, i) => line.forEach((v, j) => { if (v > rows[best[0]][best[1]]) best = [i, j]; }));
  return best;
}

/** The channels of a layer as one picture, `across` side by side with a line between them. */
export function mosaic(maps, across) {
  const tile = maps.side + 1, down = Math.ceil(maps.channels / across), top = maps.data.reduce((a, b) => Math.max(a, b), 0);
  const rows = Array.from({ length: down * tile - 1 }, () => Array(across * tile - 1).fill(top / 2));
  for (let c = 0; c < maps.channels; c++) for (let i = 0; i < maps.side; i++) for (let j = 0; j < maps.side; j++) {
    rows[Math.floor(c / across) * tile + i][(c % across) * tile + j] = maps.data[(c * maps.side + i) * maps.side + j];
  }
  return rows;
}

/** The PyTorch lines that compute the shown value. */
export function torchLines(view, picture, layer, channel, target, row, col) {
  const head = ["from cnnbook.inside import feature_maps, small_net, stored, to_input", "",
    "net = small_net()", `x = to_input(stored()["pictures"][${picture}:${picture + 1}])`, "maps = feature_maps(net, x)"];
  return [...head, ...(view === "maps" ? [`value = maps[${layer - 1}][0, ${channel}, ${row}, ${col}]`]
    : [`alpha = net.fc.weight[${target}]`, `value = (alpha[:, None, None] * maps[3][0]).sum(0)[${row}, ${col}]`])].join("\n");
}

const ACROSS = 8;
const NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

export default demo({
  name: "feature_maps",
  state: ["view", "picture", "layer", "channel", "row", "col", "target", "positive"],
  valid: (s) => ["maps", "classes"].includes(s.view) && within(s.picture, 0, 9) && within(s.layer, 1, 4) && within(s.channel, 0, 47)
    && within(s.row, -1, 31) && within(s.col, -1, 31) && within(s.target, 0, 9),

  render(ui) {
    const net = unpack(bytes(ui.model.get("weights"))), pixels = bytes(ui.model.get("pixels")), size = 3 * SIDE * SIDE;
    const kept = new Map();
    const of = (n, key, f) => { const name = `${n} ${key}`; if (!kept.has(name)) kept.set(name, f()); return kept.get(name); };
    const n = () => ui.get("picture"), onMaps = () => ui.get("view") === "maps";
    const photo = () => of(n(), "photo", () => [0, 1, 2].map((c) => toRows(pixels.slice(n() * size + c * SIDE * SIDE, n() * size + (c + 1) * SIDE * SIDE), SIDE)));
    const run = () => of(n(), "run", () => forward(net, pixels.slice(n() * size, (n() + 1) * size)));
    const layer = () => (onMaps() ? ui.get("layer") : 4), stackOf = () => run().maps[layer() - 1];
    const channel = () => position(ui, "channel", WIDTHS[layer() - 1]), target = () => ui.get("target");
    const raw = () => of(n(), `class ${target()}`, () => classMap(net, run().maps[3], target()));
    const shown = () => (onMaps() ? of(n(), `map ${layer()} ${channel()}`, () => rowsOf(stackOf(), channel()))
      : ui.get("positive") ? of(n(), `positive ${target()}`, () => raw().map((line) => line.map((v) => Math.max(0, v)))) : raw());
    const at = ui.derive(() => {
      const rows = shown(), edge = rows.length - 1;
      return ui.get("row") < 0 || ui.get("col") < 0 ? peak(rows) : [Math.min(edge, ui.get("row")), Math.min(edge, ui.get("col"))];
    });
    const value = () => shown()[at()[0]][at()[1]];
    const className = (c) => t(NAMES[c]);
    const home = { row: -1, col: -1 };
    const chances = ui.derive(() => softmax(run().scores));
    const best = () => run().scores.indexOf(Math.max(...run().scores));

    const where = () => { const f = field(layer()); return { row: f.start + f.step * at()[0], col: f.start + f.step * at()[1], span: f.size }; };
    const say = () => {
      const cell = { row: at()[0], col: at()[1], value: num(value(), 2) };
      if (!onMaps()) return t("classCell", { ...cell, name: className(target()) });
      const f = field(layer());
      const told = t("mapCell", { ...cell, layer: layer(), channel: channel(), size: f.size });
      return shown()[peak(shown())[0]][peak(shown())[1]] === 0 ? `${t("silent", { layer: layer(), channel: channel() })}` : told;
    };

    // ---- the picture, with what the cell sees; for a class, with its map over it
    const source = picture(ui, { tone: "input", label: () => t("photoLabel", { name: className(n()) }), image: photo, spot: where });
    const over = h("div", { class: "cnn-over", "aria-hidden": "true" }, Array.from({ length: 64 }, () => h("i", {})));
    source.append(over);
    let painted = null;
    ui.watch(() => {
      over.hidden = onMaps();
      if (onMaps() || painted === shown()) return;
      painted = shown();
      const flat = painted.flat(), top = Math.max(...flat.map(Math.abs)) || 1;
      flat.forEach((v, i) => { over.children[i].style.cssText = `opacity:${(0.75 * Math.abs(v)) / top};background:var(--${v < 0 ? "input" : "kernel"})`; });
    });

    // ---- all channels of the layer; a click chooses one, and so does the slider
    const sheet = picture(ui, {
      tone: "current", label: () => t("sheetLabel", { layer: layer(), n: WIDTHS[layer() - 1] }),
      image: () => of(n(), `sheet ${layer()}`, () => mosaic(stackOf(), ACROSS)), range: (rows) => [0, Math.max(...rows.map((line) => Math.max(...line))) || 1],
      spot: () => ({ row: Math.floor(channel() / ACROSS) * (stackOf().side + 1), col: (channel() % ACROSS) * (stackOf().side + 1), span: stackOf().side }),
    });
    sheet.classList.add("cnn-sheet");
    sheet.addEventListener("click", (e) => {
      const box = sheet.getBoundingClientRect(), down = WIDTHS[layer() - 1] / ACROSS;
      const r = Math.floor(((e.clientY - box.top) / box.height) * down), c = Math.floor(((e.clientX - box.left) / box.width) * ACROSS);
      ui.set({ channel: Math.max(0, Math.min(WIDTHS[layer() - 1] - 1, r * ACROSS + c)), ...home });
      ui.say(say());
    });

    // ---- the chosen map, to be looked at cell by cell
    const chosen = picture(ui, {
      tone: "output", image: shown, spot: () => ({ row: at()[0], col: at()[1], span: 1 }), look: (row, col) => ui.set({ row, col }), say,
      label: () => `${onMaps() ? t("mapOf", { layer: layer(), channel: channel() }) : t("classMap")}. ${t("keys")}`,
      range: (rows) => { const flat = rows.flat(), top = Math.max(...flat.map(Math.abs)) || 1; return [Math.min(...flat) < 0 ? -top : 0, top]; },
    });

    // ---- a class: its parts at the cell, and the scores
    const share = ui.derive(() => {
      const all = parts(net, run().maps[3], target(), ...at()).map((v, k) => ({ k, v })).sort((a, b) => Math.abs(b.v) - Math.abs(a.v));
      return { first: all.slice(0, 4), rest: all.slice(4).reduce((s, q) => s + q.v, 0), sum: all.reduce((s, q) => s + q.v, 0) };
    });
    const products = bars(ui, () => (onMaps() ? [] : [...share().first.map(({ k, v }) => ({
      label: t("channelOf", { k }), parts: [[v < 0 ? "input" : "kernel", Math.abs(v)]],
      text: `${num(net.fc.weight[target() * WIDTHS[3] + k], 3)} × ${num(run().maps[3].data[k * 64 + at()[0] * 8 + at()[1]], 2)} = ${num(v, 2)}`,
    })), { label: t("others", { n: WIDTHS[3] - 4 }), parts: [[share().rest < 0 ? "input" : "kernel", Math.abs(share().rest)]], text: num(share().rest, 2) }]));
    const scores = bars(ui, () => (onMaps() ? [] : run().scores.map((s, c) => ({
      label: className(c), parts: [["output", chances()[c]]], text: `${num(100 * chances()[c], 1)} %`, faint: c !== target(),
    }))), () => 1);
    const mean = () => raw().flat().reduce((s, v) => s + v, 0) / 64;

    return [
      choice(ui, { label: t("picture"), options: Array.from({ length: 10 }, (_, c) => [c, className(c)]), value: n, choose: (c) => ui.set({ picture: c, ...home }) }),
      row(choice(ui, { label: t("view"), options: [["maps", t("viewMaps")], ["classes", t("viewClasses")]], value: () => ui.get("view"), choose: (view) => ui.set({ view, ...home }) }),
        showIf(ui, onMaps, choice(ui, { label: t("layer"), options: [1, 2, 3, 4].map((l) => [l, t("layerOf", { layer: l })]), value: () => ui.get("layer"),
          choose: (l) => ui.set({ layer: l, channel: Math.min(ui.get("channel"), WIDTHS[l - 1] - 1), ...home }) }))),
      showIf(ui, onMaps, slider(ui, { key: "channel", label: t("channel"), min: 0, max: () => WIDTHS[layer() - 1] - 1, say })),
      showIf(ui, () => !onMaps(), row(
        choice(ui, { label: t("target"), options: Array.from({ length: 10 }, (_, c) => [c, className(c)]), value: target, choose: (c) => ui.set({ target: c, ...home }) }),
        toggle(ui, { key: "positive", label: t("positive") }))),
      row(block(ui, () => (onMaps() ? t("photoField") : t("photoOver")), source),
        block(ui, () => (onMaps() ? t("mapOf", { layer: layer(), channel: channel() }) : t("classMap")), chosen),
        showIf(ui, onMaps, block(ui, () => t("sheet", { layer: layer(), n: WIDTHS[layer() - 1] }), sheet)),
        showIf(ui, () => !onMaps(), block(ui, t("scores"), scores))),
      sentence(ui, say),
      showIf(ui, () => !onMaps(), block(ui, () => t("products", { row: at()[0], col: at()[1] }), products)),
      showIf(ui, () => !onMaps(), text(ui, () => (onMaps() ? "" : [
        t("sum", { value: num(share().sum, 2) }), share().sum < 0 && ui.get("positive") ? ` ${t("cut")}` : "", " ",
        t("score", { name: className(target()), mean: num(mean(), 2), bias: braced(net.fc.bias[target()], 2), score: num(run().scores[target()], 2), best: className(best()) })]))),
      code(ui, () => torchLines(ui.get("view"), n(), layer(), channel(), target(), ...at())),
    ];
  },
});

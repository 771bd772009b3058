// LenetSteps. The arithmetic first: exported, and compared with torch.

/** LeNet's activation function: 1.7159 tanh(2x/3). */
export const squash = (x) => 1.7159 * Math.tanh((2 * x) / 3);

/** What a pixel of 0 … 255 is to the network. */
export const toValue = (pixel, paper, ink) => (pixel / 255) * (ink - paper) + paper;

/** One convolution of one map, no padding: (H, W), (k, k) -> (H − k + 1, W − k + 1). */
export const slide = (x, w) => Array.from({ length: x.length - w.length + 1 }, (_, i) => Array.from({ length: x[0].length - w[0].length + 1 }, (_, j) => {
  let sum = 0;
  for (let a = 0; a < w.length; a++) for (let b = 0; b < w[0].length; b++) sum += x[i + a][j + b] * w[a][b];
  return sum;
}));

/** The sum of some maps, place by place, and a bias. */
const added = (maps, bias) => maps[0].map((line, i) => line.map((_, j) => maps.reduce((s, m) => s + m[i][j], bias)));
const each = (map, f) => map.map((line) => line.map(f));

/** A map's sides halved: (sum of each 2×2 square) × coefficient + bias. */
export const subsample = (x, coefficient, bias) => Array.from({ length: x.length / 2 }, (_, i) => Array.from({ length: x[0].length / 2 },
  (_, j) => (x[2 * i][2 * j] + x[2 * i][2 * j + 1] + x[2 * i + 1][2 * j] + x[2 * i + 1][2 * j + 1]) * coefficient + bias));

/** What C1, S2, C3 and S4 give for values (32, 32), each after the activation function. */
export function forward(x, weights, connections) {
  const { c1, s2, c3, s4 } = weights;
  const maps1 = c1.weight.map((w, m) => each(added([slide(x, w)], c1.bias[m]), squash));
  const maps2 = maps1.map((map, m) => each(subsample(map, s2.coefficient[m], s2.bias[m]), squash));
  const maps3 = connections.map((seen, m) => each(added(seen.map((c, i) => slide(maps2[c], c3.weight[m][i])), c3.bias[m]), squash));
  const maps4 = maps3.map((map, m) => each(subsample(map, s4.coefficient[m], s4.bias[m]), squash));
  return { c1: maps1, s2: maps2, c3: maps3, s4: maps4 };
}

/** Maps laid side by side, `across` in a row, with a gap of one cell between them. */
export function atlas(maps, across, gap) {
  const rows = Math.ceil(maps.length / across), n = maps[0].length + 1;
  const made = Array.from({ length: rows * n - 1 }, () => Array(across * n - 1).fill(gap));
  maps.forEach((map, m) => map.forEach((line, i) => line.forEach((v, j) => { made[Math.floor(m / across) * n + i][(m % across) * n + j] = v; })));
  return made;
}

const SIZES = { c1: 28, s2: 14, c3: 10, s4: 5 }, BEFORE = { c1: "input", s2: "c1", c3: "s2", s4: "c3" };
const COUNTS = { c1: 6, s2: 6, c3: 16, s4: 16 }, ACROSS = { c1: 3, s2: 3, c3: 4, s4: 4 };
const ABOUT = { c1: "about_c1", s2: "about_s2", c3: "about_c3", s4: "about_s4", c5: "about_c5", f6: "about_f6", output: "about_output" };
const isMaps = (layer) => layer in SIZES;

/** The PyTorch lines of a layer; x is what reaches it. */
export const torchLines = (layer, network) => ({
  c1: ["c1 = nn.Conv2d(1, 6, 5)", "y = 1.7159 * torch.tanh(c1(x) * 2 / 3)  # 6×28×28"],
  s2: ["sums = 4 * F.avg_pool2d(x, 2)", "y = 1.7159 * torch.tanh((sums * coefficient + bias) * 2 / 3)  # 6×14×14"],
  c3: ["# " + network.connections.map((seen) => seen.join("")).join(" "), "maps = [conv(x[:, list(seen)]) for conv, seen in zip(convs, C3_CONNECTIONS)]", "y = 1.7159 * torch.tanh(torch.cat(maps, dim=1) * 2 / 3)  # 16×10×10"],
  s4: ["sums = 4 * F.avg_pool2d(x, 2)", "y = 1.7159 * torch.tanh((sums * coefficient + bias) * 2 / 3)  # 16×5×5"],
  c5: ["c5 = nn.Conv2d(16, 120, 5)", "y = 1.7159 * torch.tanh(c5(x) * 2 / 3)  # 120×1×1"],
  f6: ["f6 = nn.Linear(120, 84)", "y = 1.7159 * torch.tanh(f6(x.flatten(1)) * 2 / 3)  # 84"],
  output: ["y = (x[:, None] - codes).square().sum(dim=2)  # 10"],
})[layer].join("\n");

export default demo({
  name: "lenet_steps",
  state: ["digit", "layer", "map", "source", "row", "column"],
  valid: (s) => ["c1", "s2", "c3", "s4", "c5", "f6", "output"].includes(s.layer) && [[s.digit, 9], [s.map, 15], [s.source, 5], [s.row, 27], [s.column, 27]]
    .every(([v, top]) => within(v, 0, top)),

  render(ui) {
    const net = ui.get("network"), all = bytes(ui.get("pixels"));
    const layer = () => ui.get("layer"), digit = () => ui.get("digit");
    const x = ui.derive(() => toRows(all.subarray(1024 * digit(), 1024 * digit() + 1024), 32).map((line) => line.map((v) => toValue(v, net.paper, net.ink))));
    let kept = null, keptFor = -1; // the maps depend on the digit alone
    const maps = () => { if (keptFor !== digit()) { kept = forward(x(), net.weights, net.connections); keptFor = digit(); } return kept; };
    const shown = () => (isMaps(layer()) ? layer() : "c1");
    const m = () => Math.min(ui.get("map"), COUNTS[shown()] - 1);
    const at = () => ["row", "column"].map((key) => Math.min(ui.get(key), SIZES[shown()] - 1));
    const seen = () => net.connections[m()];
    const source = () => (shown() === "c3" ? (seen().includes(ui.get("source")) ? ui.get("source") : seen()[0]) : m());
    const before = () => (shown() === "c1" ? x() : maps()[BEFORE[shown()]][source()]);
    const pools = () => shown()[0] === "s";
    const corner = () => at().map((v) => (pools() ? 2 * v : v));
    const span = () => (pools() ? 2 : 5);
    const weight = () => (shown() === "c1" ? net.weights.c1.weight[m()] : shown() === "c3" ? net.weights.c3.weight[m()][seen().indexOf(source())] : null);
    const value = () => maps()[shown()][m()][at()[0]][at()[1]];
    const name = (l) => (l === "input" ? t("input") : l.toUpperCase());
    const mapName = (l, n) => (l === "input" ? t("input") : t("mapOf", { layer: name(l), m: n }));
    const signed = (rows) => { const edge = Math.max(...rows.flat().map(Math.abs), 1e-9); return [-edge, edge]; };

    const dotted = () => { const [r, c] = corner(); return before().slice(r, r + 5).map((line) => line.slice(c, c + 5)).flatMap((line, a) => line.map((v, b) => v * weight()[a][b])).reduce((s, v) => s + v, 0); };
    const sum4 = () => { const [r, c] = corner(), b = before(); return b[r][c] + b[r][c + 1] + b[r + 1][c] + b[r + 1][c + 1]; };
    const say = () => {
      const [r, c] = at(), where = { layer: name(shown()), m: m(), r: r + 1, c: c + 1, value: num(value(), 2) };
      if (pools()) return t("pooled", { ...where, sum: num(sum4(), 2), a: num(net.weights[shown()].coefficient[m()], 2), b: num(net.weights[shown()].bias[m()], 2) });
      if (shown() === "c1") return t("convolved", { ...where, sum: num(dotted(), 2), b: num(net.weights.c1.bias[m()], 2) });
      return t("joined", { ...where, n: seen().length, seen: seen().join(", "), source: source(), sum: num(dotted(), 2), b: num(net.weights.c3.bias[m()], 2) });
    };
    const move = (r, c) => ui.set({ row: r, column: c });

    const left = picture(ui, { label: () => t("pictureBefore", { name: mapName(BEFORE[shown()], source()) }), tone: "input", image: () => before(), range: signed,
      spot: () => ({ row: corner()[0], col: corner()[1], span: span() }) });
    const right = picture(ui, { label: () => t("pictureNow", { name: mapName(shown(), m()) }), tone: "output", image: () => maps()[shown()][m()], range: signed,
      spot: () => ({ row: at()[0], col: at()[1], span: 1 }), look: move, say });
    const all6 = picture(ui, { label: () => t("pictureAll", { layer: name(shown()) }), tone: "channel", image: ui.derive(() => atlas(maps()[shown()], ACROSS[shown()], 0)), range: signed,
      spot: () => { const n = SIZES[shown()] + 1; return { row: Math.floor(m() / ACROSS[shown()]) * n, col: (m() % ACROSS[shown()]) * n, span: n - 1 }; } });
    const windowGrid = grid(ui, { tone: "input", label: () => t("windowGrid"), size: () => [span(), span()],
      cell: (a, b) => num(before()[corner()[0] + a][corner()[1] + b], 1),
      describe: (a, b) => t("cell", { r: a + 1, c: b + 1, value: num(before()[corner()[0] + a][corner()[1] + b], 2) }) });
    const kernelGrid = grid(ui, { tone: "kernel", label: () => t("kernelGrid"), size: () => (pools() ? [0, 0] : [5, 5]),
      cell: (a, b) => num(weight()[a][b], 2), describe: (a, b) => t("cell", { r: a + 1, c: b + 1, value: num(weight()[a][b], 2) }) });

    const sees = (s, n) => net.connections[n].includes(s);
    const sayLink = (s, n) => t(sees(s, n) ? "linked" : "apart", { s, n });
    const table = grid(ui, { tone: "kernel", label: () => t("tableGrid"), size: () => [6, 16],
      cell: (s, n) => ({ text: sees(s, n) ? "×" : "", marks: `${sees(s, n) ? "done" : "faint"} ${n === m() ? "used" : ""} ${n === m() && s === source() ? "current" : ""}` }),
      describe: sayLink, choose: (s, n) => { ui.set({ map: n, source: s }); ui.say(sayLink(s, n)); } });

    const bitmap = (values, width) => Array.from({ length: values.length / width }, (_, r) => values.slice(r * width, (r + 1) * width));
    const c5 = picture(ui, { label: () => t("pictureC5"), tone: "output", image: ui.derive(() => bitmap(net.c5[digit()], 12)), range: signed });
    const f6 = picture(ui, { label: () => t("pictureF6"), tone: "output", image: ui.derive(() => bitmap(net.f6[digit()], 7)), range: signed });
    const best = () => net.output[digit()].indexOf(Math.max(...net.output[digit()]));
    const code6 = picture(ui, { label: () => t("pictureCode", { n: best() }), tone: "kernel", image: ui.derive(() => bitmap(net.codes[best()], 7)), range: signed });
    const distances = bars(ui, () => net.output[digit()].map((v, n) => ({ label: String(n), parts: [[n === best() ? "output" : "padding", -v]], text: num(-v, 1), faint: n !== best() })));

    const options = ["c1", "s2", "c3", "s4", "c5", "f6", "output"].map((l) => [l, l === "output" ? t("output") : l.toUpperCase()]);
    return [
      choice(ui, { label: t("digit"), options: Array.from({ length: 10 }, (_, n) => [n, String(n)]), value: digit, choose: (n) => { ui.set({ digit: n }); ui.say(t("chosen", { n })); } }),
      choice(ui, { label: t("layer"), options, value: layer, choose: (l) => { ui.set({ layer: l }); ui.say(t(ABOUT[l])); } }),
      text(ui, () => t(ABOUT[layer()])),
      showIf(ui, () => isMaps(layer()), h("div", { class: "cnn-stack" },
        row(block(ui, () => mapName(BEFORE[shown()], source()), left), block(ui, () => mapName(shown(), m()), right), block(ui, () => t("allMaps", { layer: name(shown()), n: COUNTS[shown()] }), all6)),
        row(slider(ui, { key: "map", label: t("map"), min: 0, max: () => COUNTS[shown()] - 1, say })),
        showIf(ui, () => layer() === "c3", block(ui, t("table"), table)),
        row(block(ui, () => t("window", { name: mapName(BEFORE[shown()], source()) }), windowGrid), showIf(ui, () => !pools(), block(ui, t("kernel"), kernelGrid))),
        sentence(ui, say))),
      showIf(ui, () => layer() === "c5", c5),
      showIf(ui, () => layer() === "f6", row(block(ui, t("f6Title"), f6), block(ui, () => t("codeTitle", { n: best() }), code6))),
      showIf(ui, () => layer() === "output", block(ui, t("distance"), distances)),
      showIf(ui, () => layer() === "output", text(ui, () => t("verdict", { n: best() }))),
      text(ui, () => t("greys"), "cnn-note"),
      code(ui, () => torchLines(layer(), net)),
    ];
  },
});
